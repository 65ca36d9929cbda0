"""Moderation: the queue, reports, people."""
