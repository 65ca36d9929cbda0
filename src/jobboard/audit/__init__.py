"""The audit log: who did what, when and from where. Rows are added and never changed."""
