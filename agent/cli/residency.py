"""Commands on the card: who had it, and whether the rules were kept."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import FAILED, Json
from agent.cli.output import print_json, print_lines


def check(
    trace: Annotated[Path, typer.Argument(help="JSON lines, as the arbiter writes them.")],
    as_json: Json = False,
) -> None:
    """Prove from a trace alone that the card's rules were kept, or name the lines that broke one.

    Exit code 0 only for a whole trace in which every rule held.
    """
    from agent.residency import check as checking

    report = checking.check_file(trace)
    print_json(checking.plain(report)) if as_json else print_lines(checking.lines(report))
    if report.verdict is not checking.Verdict.PROVED:
        raise typer.Exit(FAILED)
