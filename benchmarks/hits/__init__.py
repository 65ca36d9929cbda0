"""What logging every hit costs, and how answers about hits grow with them."""
