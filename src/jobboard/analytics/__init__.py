"""What is counted, in MongoDB, never in the way of a request: hits of the API, rolled up by time,
and events, what people do with jobs. Charts and companies are no business of this area."""
