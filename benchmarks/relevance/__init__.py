"""How well the search finds what somebody means, beside tantivy and SQLite FTS5."""
