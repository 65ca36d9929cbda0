"""The list of the programs: each name with the first line of its docstring."""

import ast
import os
import sys
from pathlib import Path


def programs(folder: Path) -> dict[str, str]:
    """Name and summary of each program in the folder, read without importing any of them."""
    files = sorted(file for file in folder.glob("*.py") if not file.name.startswith("_"))
    return {file.stem: summary(file.read_text(encoding="utf-8")) for file in files}


def summary(source: str) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def main(argv: list[str] | None = None) -> int:
    """Print the list; anything asked of it beyond that is wrong usage."""
    if sys.argv[1:] if argv is None else argv:
        print("programs: takes no arguments; run python -m programs.NAME", file=sys.stderr)
        return 2
    try:
        for name, text in programs(Path(__file__).parent).items():
            print(f"python -m programs.{name:13} {text}")
        print(end="", flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print(f"programs: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
