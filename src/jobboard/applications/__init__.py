"""Applications: a candidate's answer to a job, and where it stands."""
