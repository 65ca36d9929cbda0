"""What the API's mechanisms cost."""
