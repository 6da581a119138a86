"""Commands on the card: who had it, and whether the rules were kept."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import FAILED, Json
from agent.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from agent.residency.showing import Source


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


def trace(
    trace: Annotated[
        Path | None, typer.Argument(help="JSON lines; else the newest trace of this card.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", help="Draw a timeline into this file.", metavar="FILE")
    ] = None,
    begins: Annotated[
        str | None, typer.Option("--from", help="14:05, or 10m after its begin.", metavar="TIME")
    ] = None,
    ends: Annotated[str | None, typer.Option("--to", help="The same.", metavar="TIME")] = None,
    last: Annotated[
        str | None, typer.Option("--last", help="Only the end, as 10m.", metavar="TIME")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the transitions as JSON lines.")
    ] = False,
) -> None:
    """Show who had the card when: the transitions of a trace, or a picture of them."""
    from agent.errors import UsageError
    from agent.residency import showing
    from agent.residency.timeline.window import Wish

    source, wish = _source(trace), Wish(begins=begins, ends=ends, last=last)
    if svg is None:
        print_lines(showing.plain(source, wish) if as_json else showing.told(source, wish))
        return
    if as_json:
        raise UsageError("--svg and --json cannot be had together.")
    drawn = showing.drawn(source, wish)
    try:
        svg.write_text(drawn, "utf-8")
    except OSError as error:
        raise UsageError(f"{str(svg)!r} cannot be written: {error.strerror or error}.") from error
    print_lines([f"{svg}: {source.name}"])


def _source(trace: Path | None) -> "Source":
    from agent.cli.card import place
    from agent.residency import showing

    return showing.of_file(showing.newest(place().files.data_dir) if trace is None else trace)
