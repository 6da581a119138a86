"""Commands on the card: who had it, and whether the rules were kept."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import FAILED, Json
from agent.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from agent.residency.showing import Source


Database = Annotated[bool, typer.Option("--database", help="Take the trace from the database.")]
Card = Annotated[
    str | None,
    typer.Option("--card", help="Of this card, by its directory's name; else this machine's."),
]
Epoch = Annotated[
    int | None, typer.Option("--epoch", help="Of this life of its arbiter; else the newest.")
]
Trace = Annotated[
    Path | None, typer.Argument(help="JSON lines; else the newest trace of this card.")
]


def check(
    trace: Trace = None,
    database: Database = False,
    card: Card = None,
    epoch: Epoch = None,
    as_json: Json = False,
) -> None:
    """Prove from a trace alone that the card's rules were kept, or name the lines that broke one.

    Exit code 0 only for a whole trace in which every rule held.
    """
    from agent.residency import check as checking
    from agent.residency import showing

    report = showing.judged(_source(trace, database=database, card=card, epoch=epoch))
    print_json(checking.plain(report)) if as_json else print_lines(checking.lines(report))
    if report.verdict is not checking.Verdict.PROVED:
        raise typer.Exit(FAILED)


def trace(
    trace: Trace = None,
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
    database: Database = False,
    card: Card = None,
    epoch: Epoch = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the transitions as JSON lines.")
    ] = False,
) -> None:
    """Show who had the card when: the transitions of a trace, or a picture of them."""
    from agent.errors import UsageError
    from agent.residency import showing
    from agent.residency.timeline.window import Wish

    source = _source(trace, database=database, card=card, epoch=epoch)
    wish = Wish(begins=begins, ends=ends, last=last)
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


def _source(trace: Path | None, *, database: bool, card: str | None, epoch: int | None) -> "Source":
    """Return the trace that a command names. Raises UsageError."""
    from agent.cli.card import place
    from agent.cli.work import settings_of, wait
    from agent.errors import UsageError
    from agent.residency import showing

    if database:
        if trace is not None:
            raise UsageError("A file and --database cannot be had together.")
        from agent.residency import archive

        return wait(archive.source(settings_of(), card=card, epoch=epoch))
    if card is not None or epoch is not None:
        raise UsageError("--card and --epoch choose from the database: add --database.")
    return showing.of_file(showing.newest(place().files.data_dir) if trace is None else trace)
