"""What goes wrong around the engines."""


class BoardError(Exception):
    """The board cannot run here. The text is one line that says what to do."""
