"""Jobboard: a self-hosted job board."""

__version__ = "0.1.0"
