"""Commands on models."""

import sys
from typing import Annotated

import typer

from agent.cli.options import Json
from agent.cli.output import print_json, print_lines
from agent.cli.work import settings_of, wait

Model = Annotated[
    str | None,
    typer.Argument(
        help="As in executive.choice; a bare name is Ollama's. Without it, as settings say.",
        metavar="MODEL",
    ),
]


def listed(
    vram: Annotated[
        str | None,
        typer.Option("--vram", help="Suppose a card of that size, such as 24GiB.", metavar="SIZE"),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the models that could reason, what each needs of a card, and what fits."""
    from agent.models import listing

    found = wait(listing.listed(settings_of(), vram=vram))
    print_json(found) if as_json else print_lines(listing.lines(found))


def pull(
    name: Annotated[str, typer.Argument(help="Such as qwen3:14b.", metavar="NAME")],
    as_json: Json = False,
) -> None:
    """Bring a model to the Ollama server; one that was broken off goes on where it stopped."""
    from agent import terminal
    from agent.models import pulling

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        done = wait(pulling.pull(settings_of().ollama.url, name, watch=show.event))
    print_json(done) if as_json else print_lines(pulling.lines(done))


def probe(model: Model = None, as_json: Json = False) -> None:
    """Find out what a model really does with tools, schemas, thinking and its context."""
    from agent import terminal
    from agent.models import naming, probing, work

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        found = wait(work.probe(naming.meant(settings_of(), model), watch=show.event))
    print_json(found) if as_json else print_lines(probing.lines(found))


def bench(
    model: Model = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds at each length.")] = 3,
    as_json: Json = False,
) -> None:
    """Measure how fast a model reads and writes, and how soon its answers begin."""
    from agent import terminal
    from agent.models import naming, speed, work

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        settings = naming.meant(settings_of(), model)
        report = wait(work.bench(settings, rounds=rounds, watch=show.event))
    print_json(report) if as_json else print_lines(speed.lines(report))
