"""Makes what a test needs, through the services that the product itself uses."""
