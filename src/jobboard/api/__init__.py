"""The HTTP API: a thin door. Parse, call one function of the core, render."""
