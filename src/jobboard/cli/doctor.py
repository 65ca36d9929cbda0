"""`jobboard doctor`: looks at everything a board needs, and says what to do."""

import asyncio

import typer

from jobboard.cli.board import board
from jobboard.cli.surroundings import DataDirOption
from jobboard.infra.checkup import Finding, Verdict, look

app = typer.Typer()


@app.command()
def doctor(data_dir: DataDirOption = None) -> None:
    """Look at engines, schema, clock, worker, files and mail. Exit code 1 if something fails."""
    with board(data_dir) as settings:
        findings = asyncio.run(look(settings))
    for finding in findings:
        typer.echo(_line(finding))
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        raise typer.Exit(1)


def _line(finding: Finding) -> str:
    line = f"{finding.verdict:<5} {finding.what:<11} {finding.said}"
    return f"{line}. {finding.advice}" if finding.advice else line
