"""Commands on the card as it is now: who has it, and taking it for oneself."""

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import Json
from agent.cli.output import print_json, print_lines
from agent.cli.work import settings_of, wait

if TYPE_CHECKING:
    from agent.residency.opening import Place

_TOP_S = 1.0


def status(as_json: Json = False) -> None:
    """Say who has the card: the executive, what lies on it, leases, who waits."""
    from agent.residency.process import status as telling

    told = wait(place().status())
    if as_json:
        print_json(told)
    elif told is None:
        print_lines([_NOBODY])
    else:
        print_lines(telling.lines(told))


def pause(
    work: Annotated[
        str | None,
        typer.Option("--work", help="What becomes of work: wait or cpu.", metavar="wait|cpu"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take the card for yourself: the executive leaves, work waits or goes to the CPU."""
    from agent.errors import UsageError
    from agent.residency.arbiter.events import WhilePaused

    try:
        wished = WhilePaused(work or settings_of().residency.paused_work)
    except ValueError as error:
        raise UsageError(f"--work {work!r} is neither wait nor cpu.") from error
    told = wait(place().pause(wished))
    if as_json:
        print_json(told)
        return
    busy = len(told["leases"])
    print_lines(
        [
            f"Paused: work {'waits' if wished is WhilePaused.WAIT else 'goes to the CPU'}.",
            *([f"{busy} operations still run; the card is free when they end."] if busy else []),
        ]
    )


def resume(as_json: Json = False) -> None:
    """Give the card back."""
    told = wait(place().resume())
    print_json(told) if as_json else print_lines(["The card is lent out again."])


def top(
    times: Annotated[
        int | None, typer.Option("--times", min=1, help="Show it so often, then end.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the card live, until Ctrl-C; elsewhere than on a terminal, once a second in lines."""
    from rich.console import Console

    live = sys.stdout.isatty() and not as_json
    shown = 0
    while times is None or shown < times:
        if shown:
            time.sleep(_TOP_S)
        if live:
            Console().clear()
        status(as_json)
        sys.stdout.flush()
        shown += 1


_NOBODY = "No arbiter runs: nothing is on the card by us. The next operation starts one."


def place() -> "Place":
    """Return where this machine's arbiter is. Raises UsageError where no card is used."""
    from agent.errors import UsageError
    from agent.residency.opening import place_of

    place = place_of(settings_of())
    if place is None:
        raise UsageError(
            "This machine has no card that cortical uses, so nothing lends it out. The setting "
            'residency.card = "simulated:24GiB" shows how it goes.'
        )
    return place
