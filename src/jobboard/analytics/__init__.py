"""What is counted, in MongoDB, never in the way of a request: hits, and how they are rolled up."""
