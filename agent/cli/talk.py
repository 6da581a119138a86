"""The command that talks."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli.options import Collection
from agent.cli.output import note, print_event, print_lines
from agent.cli.work import settings_of, stoppable


def talk(
    microphone: Annotated[
        Path | None,
        typer.Option("--microphone", help="A recording to hear in place of the microphone."),
    ] = None,
    speaker: Annotated[
        Path | None,
        typer.Option("--speaker", help="A WAV file to write in place of the loudspeaker."),
    ] = None,
    thread: Annotated[
        str | None, typer.Option("--thread", "-t", help="Continue this conversation.")
    ] = None,
    collection: Collection = None,
    push_to_talk: Annotated[
        bool, typer.Option("--push-to-talk", help="The space bar begins and ends what you say.")
    ] = False,
    barge_in: Annotated[
        bool | None,
        typer.Option("--barge-in/--no-barge-in", help="Let your voice interrupt the answer."),
    ] = None,
    pause: Annotated[
        float | None, typer.Option("--pause", help="Seconds of silence that end what you say.")
    ] = None,
    real_time: Annotated[
        bool, typer.Option("--real-time", help="Hear a recording as fast as it was spoken.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON value a line for each event.")
    ] = False,
) -> None:
    """Talk with the assistant: it hears you, answers aloud, and stops when you break in.

    Ctrl-C ends it; `--thread NAME` goes on with the conversation.
    """
    from agent import terminal
    from agent.talking import session, telling

    manner = {"barge_in": barge_in, "pause_s": pause}
    given = {key: value for key, value in manner.items() if value is not None}
    settings = settings_of(collection=collection, talk=given or None)
    show = terminal.Progress(sys.stderr, quiet=as_json)
    on: list[str] = []

    def tell(event: dict[str, Any]) -> None:
        if event["event"] == "listening":
            on.append(event["thread_id"])
        if as_json:
            print_event(event)
            return
        # Steps of the graph would stand between the lines of the conversation.
        if event["event"] != "node_started":
            show.event(event)
        print_lines(telling.lines(event))
        sys.stdout.flush()

    wish = session.Wish(
        microphone=microphone,
        loudspeaker=speaker,
        thread_id=thread,
        push_to_talk=push_to_talk,
        real_time=real_time,
    )
    decide = None if as_json or not sys.stdin.isatty() else terminal.decide
    with show:
        stoppable(
            session.talk(settings, wish, watch=tell, decide=decide),
            stopping=lambda: None,
            stopped=lambda: _stopped(on),
        )


def _stopped(threads: Sequence[str]) -> None:
    for thread in threads:
        note(f"Stopped. To go on: cortical talk --thread {shlex.quote(thread)}")
