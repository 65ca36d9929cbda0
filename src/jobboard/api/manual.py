"""The documents of the API as pages below /api/docs, for whoever has only a board's address."""

import re
from pathlib import Path

from pyromark import Options, html

PACKAGE = Path(__file__).parents[1]
DOCUMENTS = {
    "quickstart": "api-quickstart.md",
    "errors": "api-errors.md",
    "access": "access.md",
    "repeating-requests": "repeating-requests.md",
    "webhooks": "webhooks.md",
    "versions": "api-versioning.md",
}
NAMES = {document: name for name, document in DOCUMENTS.items()}
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)]+)\)")
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>TITLE</title>
<link rel="icon" href="/api/docs/favicon-32x32.png">
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 52rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
pre, table { display: block; overflow-x: auto; }
pre { padding: .75rem; border: 1px solid #8886; border-radius: .25rem; }
td, th { padding: .25rem .75rem .25rem 0; text-align: start; vertical-align: top; }
td:last-child { min-width: 12rem; }
</style>
<nav><a href="/api/docs">All operations</a></nav>
<main>
BODY</main>
</html>
"""


def folder() -> Path:
    """Where the documents are: in the installed package, or beside `src` in the source tree."""
    installed = PACKAGE / "_docs"
    return installed if installed.exists() else PACKAGE.parents[1] / "docs"


def page(name: str) -> str:
    """The page of one of DOCUMENTS. Reads from disk."""
    text = (folder() / DOCUMENTS[name]).read_text("utf-8")
    title = text.partition("\n")[0].removeprefix("# ")
    body = html(LINK.sub(_link, text), options=Options.ENABLE_TABLES)
    return PAGE.replace("TITLE", title).replace("BODY", body)


def _link(match: re.Match[str]) -> str:
    """A link to another of these pages; the words alone where it leads into the source code."""
    words, target = match.groups()
    return f"[{words}](/api/docs/{NAMES[target]})" if target in NAMES else words
