"""Jobs: what is offered, a job's life, how it is found, and reports about it."""
