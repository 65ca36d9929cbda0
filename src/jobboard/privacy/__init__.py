"""A person's own data, whole: handed out as one archive, and erased in every store."""
