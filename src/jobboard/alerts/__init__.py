"""Saved searches: who wants to hear of which new jobs, and how often. Jobs know nothing of them."""
