"""A whole board in one file, and back: rows, hits and events, files.

Not in it: the settings, the secret key among them, and Redis, which holds nothing that is missed.
"""
