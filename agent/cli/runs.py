"""Commands on runs."""

from typing import Annotated

import typer

from agent.cli.options import Json
from agent.cli.output import print_json, print_lines
from agent.cli.work import settings_of, wait


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
    run: Annotated[str, typer.Argument(help="Id of a run, or its beginning.", metavar="RUN")],
    as_json: Json = False,
) -> None:
    """Show one run, with the way it took."""
    from agent import registry, rendering

    found = wait(registry.one(settings_of(), run))
    print_json(found) if as_json else print_lines(rendering.run(found))
