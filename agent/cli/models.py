"""Commands on models."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import FAILED, Json
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
    """List the models that could reason, what each needs of a card, and the weights of senses."""
    from agent.models import listing

    found = wait(listing.listed(settings_of(), vram=vram))
    print_json(found) if as_json else print_lines(listing.lines(found))


def pull(
    name: Annotated[
        str, typer.Argument(help="Such as qwen3:14b, or whisper-turbo-fp16.", metavar="NAME")
    ],
    newest: Annotated[
        bool, typer.Option("--newest", help="Of weights: what the hub has now, not what is pinned.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring a model to Ollama, or a sense's weights here; what was broken off goes on."""
    from agent import terminal
    from agent.models import pulling, work

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        done = wait(work.pull(settings_of(), name, newest=newest, watch=show.event))
    print_json(done) if as_json else print_lines(pulling.lines(done))


def add(
    path: Annotated[Path, typer.Argument(help="A folder or a file of weights.", metavar="PATH")],
    name: Annotated[
        str | None, typer.Option("--as", help="What they are, such as sam2.1-t.", metavar="NAME")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="What loads them, if NAME does not tell.", metavar="KIND"),
    ] = None,
    link: Annotated[bool, typer.Option("--link", help="Leave the files where they are.")] = False,
    as_json: Json = False,
) -> None:
    """Take in the weights of a sense that are on this machine already."""
    from agent import terminal
    from agent.models.weights import adding, told

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        done = wait(
            adding.add(
                settings_of().data_dir,
                path,
                variant=name,
                kind=kind,
                link=link,
                watch=show.event,
            )
        )
    print_json(done) if as_json else print_lines(told.added(done))


def remove(
    name: Annotated[str, typer.Argument(help="Weights of a sense.", metavar="NAME")],
    as_json: Json = False,
) -> None:
    """Remove the weights of a sense from this machine; links go, not what they lead to."""
    from agent.models.weights import shelf, told

    done = {"model": name, "bytes": shelf.remove(settings_of().data_dir, name)}
    print_json(done) if as_json else print_lines(told.removed(done))


def verify(
    name: Annotated[
        str | None, typer.Argument(help="Weights of a sense; else all.", metavar="NAME")
    ] = None,
    as_json: Json = False,
) -> None:
    """Hash the weights of senses anew, and say which are not what was brought."""
    from agent import terminal
    from agent.models.weights import shelf, told

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        found = shelf.verify(
            settings_of().data_dir,
            name,
            tell=lambda text: show.event({"event": "measuring", "text": text}),
        )
    report = told.verified(found)
    print_json(report) if as_json else print_lines(told.lines(report))
    if not report["good"]:
        raise typer.Exit(FAILED)


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
