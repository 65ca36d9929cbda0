"""People: who they are, how they prove it, and their log-in sessions."""
