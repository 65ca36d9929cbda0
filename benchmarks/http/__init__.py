"""The list of jobs over HTTP, beside what PostgreSQL and FastAPI can do at most."""
