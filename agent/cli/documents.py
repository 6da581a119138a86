"""Commands that put documents into memory and find them."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli.options import DATES, FAILED, Collection, Json
from agent.cli.output import print_json, print_lines
from agent.cli.work import settings_of, wait


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.", metavar="PATH…")],
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Go on with what changes, until stopped.")
    ] = False,
    every: Annotated[
        float,
        typer.Option("--every", min=1, help="With --watch: seconds to a look without a change."),
    ] = 600.0,
    emptied: Annotated[
        bool,
        typer.Option("--emptied", help="What memory holds of a folder that is empty now goes."),
    ] = False,
    collection: Collection = None,
    as_json: Json = False,
) -> None:
    """Put documents into memory. Again costs nothing; what has vanished goes."""
    from agent import ingesting, rendering, terminal

    show = terminal.Progress(sys.stderr, quiet=as_json)
    settings = settings_of(collection=collection)
    if watch:

        def on_report(report: Mapping[str, Any]) -> None:
            lines = [json.dumps(report)] if as_json else rendering.ingested(report)
            print_lines(lines)
            sys.stdout.flush()

        with show:
            wait(
                ingesting.follow(
                    settings, paths, every_s=every, watch=show.event, on_report=on_report
                )
            )
        return
    with show:
        report = wait(ingesting.ingest(settings, paths, watch=show.event, emptied=emptied))
    print_json(report) if as_json else print_lines(rendering.ingested(report))
    if report["failed"]:
        raise typer.Exit(FAILED)


def search(
    text: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many passages.")] = 10,
    collection: Collection = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Kind of document, such as mail or pdf.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="What was ingested: a folder, a mailbox.")
    ] = None,
    path: Annotated[
        str | None, typer.Option("--path", help="Only what lies there: a file or a folder.")
    ] = None,
    sender: Annotated[
        str | None, typer.Option("--sender", help="Part of the name or address of who wrote it.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", help="Dated then or later.", formats=DATES)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", help="Dated before that.", formats=DATES)
    ] = None,
    per_document: Annotated[
        int | None, typer.Option("--per-document", min=1, help="Passages of a document, at most.")
    ] = None,
    around: Annotated[
        int, typer.Option("--around", min=0, max=20, help="Show so many passages beside each.")
    ] = 0,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Miss next to nothing, in twice the time.")
    ] = False,
    rerank: Annotated[
        bool, typer.Option("--rerank", help="Let the executive put the best in order.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Find passages in memory, with score, source and place."""
    from agent import rendering, searching

    wish = searching.SearchWish(
        text=text,
        k=k,
        kinds=tuple(kind or ()),
        sources=tuple(source or ()),
        path=path,
        sender=sender,
        since=since,
        until=until,
        per_document=per_document,
        around=around,
        thorough=thorough,
        rerank=rerank,
    )
    found = wait(searching.search(settings_of(collection=collection), wish))
    if as_json:
        print_json(found)
        return
    hits, narrowed = found["hits"], wish.filter.narrows
    print_lines(rendering.hits(hits, collection=found["collection"], narrowed=narrowed))
