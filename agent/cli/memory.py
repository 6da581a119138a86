"""Commands on long-term memory."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import Json, Namespace
from agent.cli.output import print_json, print_lines
from agent.cli.work import settings_of, wait


def listed(
    namespace: Namespace = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List what is remembered, with its source, its time and whose words it holds."""
    from agent import remembering, rendering

    found = wait(remembering.listed(settings_of(), namespace=namespace, limit=limit))
    print_json(found) if as_json else print_lines(rendering.memories(found))


def forget(
    key: Annotated[str | None, typer.Argument(help="A key, or a whole name.")] = None,
    namespace: Namespace = None,
    everything: Annotated[bool, typer.Option("--all", help="Forget all memories.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Forget one memory, those of a namespace, or all. Documents and conversations stay."""
    from agent import remembering, terminal
    from agent.errors import UsageError

    if not yes and not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here. Add --yes to forget without a question.")
    wanted = remembering.Wanted(key=key, namespace=namespace, everything=everything)
    agree = (lambda _: True) if yes else terminal.agreed
    done = wait(remembering.forget(settings_of(), wanted, agree=agree))
    if as_json:
        print_json(done)
    else:
        print_lines([f"{done['forgotten']} forgotten"])


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="The file of JSON lines to write.")],
    documents: Annotated[
        bool, typer.Option("--documents", help="List the documents of memory too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write all memories into a file, whole: values, labels, sources and times."""
    from agent import exporting

    done = wait(exporting.export(settings_of(), out, documents=documents))
    if as_json:
        print_json(done)
    else:
        listed = f", {done['documents']} documents" if documents else ""
        print_lines([f"{done['path']}: {done['memories']} memories{listed}"])


def reindex(
    embedder: Annotated[
        str | None,
        typer.Option(
            "--embedder",
            help="auto, embedded or ollama:MODEL; else as the settings say.",
            metavar="CHOICE",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the vectors of the model before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Go over to another embedding model; searches use the old one until the new is complete."""
    from agent import reindexing, rendering, terminal

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        done = wait(reindexing.reindex(settings_of(), choice=embedder, keep=keep, watch=show.event))
    print_json(done) if as_json else print_lines(rendering.reindexed(done))
