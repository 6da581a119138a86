"""What programs and the arbiter say to each other: a line of JSON for each message.

A program says what to `do`, the arbiter what `is`. The program begins:

    {"do": "hello", "version": 1, "holds": [{token, variant, place, working_bytes, weights_bytes}],
     "turns": [NAME, …]}
    {"is": "hello", "version": 1, "pid": …, "epoch": …, "heartbeat_s": …, "lost": [TOKEN, …]}

`holds` and `turns` are what it had from an arbiter that is gone; `lost` are those of them that the
new one could not take up. Names of asks and turns are the program's own.

| do | with | answered by |
| --- | --- | --- |
| ask | ask, choices, priority, deadline_s, limit_s | granted, refused or withdrawn |
| cancel | ask | withdrawn, if it still waited |
| release | token | |
| renew | | |
| turn | turn, priority, deadline_s | admitted, refused, withdrawn; free: no executive is kept |
| end | turn | |
| hint | choice, for_s | |
| suspect | reason: what a call showed of the executive | |
| status | | status |
| pause | work (wait, cpu) | done |
| resume | | done |

Unasked come `revoked` and `closed` with a token, `turn_revoked` with a turn, `closing` when the
arbiter ends in order, and `error` before it hangs up on who does not keep to this. A program that
hangs up gives up all that it waits for and holds.
"""

import json
from typing import Any, Literal

from agent.residency.arbiter.events import Choice, Priority, Running
from agent.residency.errors import MessageError
from memory.characters import storable

VERSION = 1
LINE_BYTES = 1 << 16
"""Longest message."""
MOST_CHOICES = 16
_MOST_BYTES = 1 << 50
_MOST_S = 7 * 86_400.0

Message = dict[str, Any]


def encode(message: Message) -> bytes:
    """Return a message as its line."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def text(message: Message, name: str) -> str:
    """Return a field that has to be a name of 1 to 200 characters, such as a trace can hold."""
    value = message.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 200 or storable(value) != value:
        raise MessageError(f"{name!r} has to be a short text, not {value!r:.60}.")
    return value


def whole(message: Message, name: str, most: int = _MOST_BYTES) -> int:
    """Return a field that has to be a whole number, not below 0."""
    value = message.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise MessageError(f"{name!r} has to be a whole number up to {most}, not {value!r:.60}.")
    return value


def seconds(message: Message, name: str) -> float | None:
    """Return a field of seconds; None where it is absent."""
    value = message.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _MOST_S:
        raise MessageError(f"{name!r} has to be seconds, not {value!r:.60}.")
    return float(value)


def priority(message: Message) -> Priority:
    """Return who waits."""
    value = message.get("priority", "job")
    if value == "person":
        return Priority.PERSON
    if value == "job":
        return Priority.JOB
    raise MessageError(f"'priority' has to be person or job, not {value!r:.60}.")


def place(message: Message) -> Literal["cuda", "cpu"]:
    """Return where an operation runs."""
    value = message.get("place", "cuda")
    if value == "cuda":
        return "cuda"
    if value == "cpu":
        return "cpu"
    raise MessageError(f"'place' has to be cuda or cpu, not {value!r:.60}.")


def choice(told: Any) -> Choice:
    """Return one rung of a ladder."""
    if not isinstance(told, dict):
        raise MessageError(f"A choice has to be an object, not {told!r:.60}.")
    return Choice(
        variant=text(told, "variant"),
        place=place(told),
        weights_bytes=whole(told, "weights_bytes"),
        working_bytes=whole(told, "working_bytes"),
        reload_s=seconds(told, "reload_s") or 0.0,
    )


def choices(message: Message) -> tuple[Choice, ...]:
    """Return a ladder."""
    told = message.get("choices")
    if not isinstance(told, list) or not 0 < len(told) <= MOST_CHOICES:
        raise MessageError(f"'choices' has to be a list of 1 to {MOST_CHOICES}.")
    return tuple(choice(one) for one in told)


def told_choice(one: Choice) -> Message:
    """Return a rung as a message holds it."""
    return {
        "variant": one.variant,
        "place": one.place,
        "weights_bytes": one.weights_bytes,
        "working_bytes": one.working_bytes,
        "reload_s": one.reload_s,
    }


def held(told: Any, holder: str) -> tuple[Running, int]:
    """Return an operation that runs under an earlier arbiter's lease, and its weights' bytes."""
    if not isinstance(told, dict):
        raise MessageError(f"What is held has to be an object, not {told!r:.60}.")
    running = Running(
        token=whole(told, "token", 1 << 62),
        holder=holder,
        variant=text(told, "variant"),
        place=place(told),
        working_bytes=whole(told, "working_bytes"),
    )
    return running, whole(told, "weights_bytes")
