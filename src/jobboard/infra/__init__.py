"""The engines and how we speak to them. Knows nothing of jobs or people."""
