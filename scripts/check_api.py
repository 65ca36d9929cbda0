"""Keep docs/api/v1.json in step with the code, and refuse a change that breaks clients unsaid.

    check_api.py                    fail, and say what differs, when the code answers another schema
    check_api.py --write            write it anew, unless that breaks clients and nobody has said so
    check_api.py --against REF      also fail when it breaks what it was at that commit

A breaking change is said by a line of docs/api/v1-breaking.toml, with its reason.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from jobboard.api import v1
from jobboard.asgi import create_app
from jobboard.settings import Settings
from scripts.openapi_changes import breaking_changes

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "api"
SCHEMA, SAID = FOLDER / "v1.json", FOLDER / "v1-breaking.toml"


def main() -> str | None:
    """What is wrong, or None."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--against", metavar="REF")
    arguments = parser.parse_args()
    now, committed = _schema_of_the_code(), json.loads(SCHEMA.read_text())
    earlier = [committed]
    if arguments.against:
        earlier.append(_schema_at(arguments.against))
    unsaid = [change for old in earlier for change in breaking_changes(old, now)]
    said = {line["change"] for line in tomllib.loads(SAID.read_text()).get("breaking", [])}
    if unsaid := [change for change in unsaid if change not in said]:
        return "\n".join(["These changes break clients of API v1:", *unsaid, *_HOW])
    if arguments.write:
        SCHEMA.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n")
    elif now != committed:
        return "docs/api/v1.json is not what the code answers: run `make schema` and commit it."
    return None


_HOW = (
    "Keep the old way beside the new one, as docs/api-versioning.md says, or say each line with",
    "its reason in docs/api/v1-breaking.toml.",
)


def _schema_of_the_code() -> dict[str, Any]:
    """No server is asked: the settings only have to be there."""
    nowhere = SecretStr("postgresql://nobody@localhost/none")
    app = create_app(
        Settings(
            secret_key=SecretStr("only to make the schema, which holds no secret"),
            database_url=nowhere,
            redis_url=SecretStr("redis://localhost"),
            storage_url="memory:///",
        )
    )
    schema = app.schema_of(v1.VERSION)
    del schema["info"]["description"]  # the guide: prose, which breaks nobody
    return schema


def _schema_at(ref: str) -> dict[str, Any]:
    git = ["git", "ls-tree", "--name-only", ref, f"./{SCHEMA.name}"]
    if not subprocess.run(git, cwd=FOLDER, capture_output=True, check=True).stdout:
        return {"paths": {}}  # it is older than the schema
    git = ["git", "show", f"{ref}:./{SCHEMA.name}"]
    return json.loads(subprocess.run(git, cwd=FOLDER, capture_output=True, check=True).stdout)


if __name__ == "__main__":
    sys.exit(main())
