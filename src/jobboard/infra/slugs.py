"""Names for addresses."""

import re
import secrets
import unicodedata

MAX_LENGTH = 80
ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # nothing that is misread aloud
SPECIAL = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "đ": "d",
        "ł": "l",
        "æ": "ae",
        "œ": "oe",
        "&": " and ",
        "+": "p",
        "#": "sharp",
    }
)


def slugify(*parts: str) -> str:
    """Lower-case ASCII words joined by hyphens; empty where the text has no Latin letters."""
    text = unicodedata.normalize("NFKD", " ".join(parts).lower().translate(SPECIAL))
    ascii_only = text.encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", ascii_only)
    return "-".join(words)[:MAX_LENGTH].strip("-")


def unique_slug(*parts: str) -> str:
    """A slug that nobody guesses and nothing else has: some 39 random bits at its end."""
    tail = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{slugify(*parts)}-{tail}".lstrip("-")
