"""Commands on runs."""

import json
import sys
from typing import Annotated

import typer

from agent.cli.options import FAILED, Json
from agent.cli.output import note, print_json, print_lines
from agent.cli.work import settings_of, stoppable, wait

Run = Annotated[str, typer.Argument(help="Id of a run, or its beginning.", metavar="RUN")]


def listed(
    thread: Annotated[str | None, typer.Option("--thread", "-t")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """List the newest runs of all graphs."""
    from agent import registry, rendering

    found = wait(registry.newest(settings_of(), thread_id=thread, limit=limit))
    print_json(found) if as_json else print_lines(rendering.runs(found))


def show(
    run: Run,
    as_json: Json = False,
) -> None:
    """Show one run, with the way it took."""
    from agent import registry, rendering

    found = wait(registry.one(settings_of(), run))
    print_json(found) if as_json else print_lines(rendering.run(found))


def watch(run: Run, as_json: Json = False) -> None:
    """Tell of each step of a run as it ends, from any terminal."""
    from agent import registry, rendering

    def tell(event: dict[str, object]) -> None:
        if as_json:
            print_lines([json.dumps(event, ensure_ascii=False)])
        else:
            print_lines([rendering.step(event)])

    result = stoppable(
        registry.watch(settings_of(), run, tell=tell),
        stopping=lambda: None,
        stopped=lambda: note("Not watched any more; the run goes on."),
    )
    print_json(result) if as_json else print_lines(rendering.standing(result))
    if result["left"]:
        raise typer.Exit(FAILED)


def cancel(run: Run, as_json: Json = False) -> None:
    """End a run, whoever runs it; what it has written is kept."""
    from agent import registry, rendering

    result = wait(registry.cancel(settings_of(), run))
    print_json(result) if as_json else print_lines(rendering.standing(result))
    if result["status"] != "cancelled":
        raise typer.Exit(FAILED)


def resume(run: Run, as_json: Json = False) -> None:
    """Go on with a run that was stopped, that failed, or whose process was killed."""
    from agent import rendering, running, terminal

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        result = stoppable(
            running.take_up(settings_of(), run, watch=show.event),
            stopping=lambda: show.event({"event": "stopping"}),
            stopped=lambda: note("Stopped. What was finished is kept."),
        )
    if as_json:
        print_json(result)
    else:
        print_lines(rendering.ran(result))
