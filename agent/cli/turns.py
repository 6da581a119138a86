"""Commands that run a graph."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import FAILED, Collection, Json
from agent.cli.output import note, print_json, print_lines
from agent.cli.work import settings_of, stoppable

if TYPE_CHECKING:
    from agent.terminal import Progress


def ask(
    text: Annotated[str, typer.Argument(help="The question. Without it, a recording asks.")] = "",
    file: Annotated[
        list[Path] | None,
        typer.Option("--file", "-f", help="A file to hear, see or read, by its content."),
    ] = None,
    thread: Annotated[
        str | None, typer.Option("--thread", "-t", help="Continue this conversation.")
    ] = None,
    speak: Annotated[
        Path | None, typer.Option("--speak", help="Write the answer as a WAV file.")
    ] = None,
    collection: Collection = None,
    think: Annotated[
        bool | None,
        typer.Option("--think/--no-think", help="Let the model think first, and show it dimly."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say what the answer took, and how fast it was.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ask the assistant: one turn, with citations.

    On a terminal the answer is shown as it is written. Ctrl-C stops it and keeps what was written;
    `cortical ask --thread NAME` goes on with it.
    """
    from agent import asking, rendering, terminal

    thinking = None if think is None else {"think": "shown" if think else "off"}
    settings = settings_of(collection=collection, executive=thinking)
    show = terminal.Progress(
        sys.stderr,
        quiet=as_json,
        words=None if as_json else sys.stdout,
        thoughts=settings.executive.think == "shown",
    )
    question = asking.Question(text=text, files=tuple(file or ()), thread_id=thread, speak_to=speak)
    decide = None if as_json or not sys.stdin.isatty() else terminal.decide
    with show:
        result = stoppable(
            asking.ask(settings, question, watch=show.event, decide=decide),
            stopping=lambda: show.event({"event": "stopping"}),
            stopped=lambda: _stopped(show),
        )
    if as_json:
        print_json(result)
    else:
        print_lines(rendering.answer(result, said=show.said, verbose=verbose))
    if result["problem"] or result["failed"] or result["status"] == "cancelled":
        raise typer.Exit(FAILED)


def _stopped(show: "Progress") -> None:
    """Say that a turn was stopped, unless its run has told how to go on with it."""
    with show:
        if not show.paused:
            note("Stopped. What was finished is kept.")


def run(
    graph: Annotated[str, typer.Argument(help="Name of a graph, ours or your own.")],
    values: Annotated[str, typer.Argument(help="Its input as JSON.", metavar="JSON")] = "{}",
    thread: Annotated[
        str | None, typer.Option("--thread", "-t", help="Continue this thread.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run any graph with an input; a user's own graphs are named in settings."""
    from agent import rendering, running, terminal

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        result = stoppable(
            running.run(settings_of(), graph, values, thread_id=thread, watch=show.event),
            stopping=lambda: show.event({"event": "stopping"}),
            stopped=lambda: _stopped(show),
        )
    if as_json:
        print_json(result)
    else:
        print_lines(rendering.ran(result))
    if result["status"] == "cancelled":
        raise typer.Exit(FAILED)
