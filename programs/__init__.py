"""Seven small programs, each in one file of its own: `python -m programs` lists them."""
