"""What is counted: API hits, in MongoDB, never in the way of a request."""
