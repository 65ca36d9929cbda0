"""News for people: rows they can read, and mail about them. Knows people only by id."""
