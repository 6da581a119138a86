"""The trace: each transition of the arbiter as a line of JSON.

The first line says `{"trace": 1, "limits": {…}}`, and whose trace it is, where it is one of a real
arbiter: `card`, `epoch`, `host`, `began` (`at`: wall clock in ISO 8601, `t`: the same moment on the
arbiter's clock). The last line of an orderly end is `{"end": n}`. Every other line is a transition:

    n         its number, from 1, without gaps
    t         seconds of the arbiter's monotonic clock
    actor     the holder that it came from or concerns, where there is one
    lease     the token that it concerns, where there is one
    event     what happened, with its `kind` and the fields of `arbiter.events`
    effects   what is done about it, each with its `kind` and the fields of `arbiter.effects`
    before    bytes: reserved, in flight, unconfirmed, foreign, used (as measured; null: never)
    after     the same, with the effects taken into account
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from agent.residency.arbiter.decide import decide
from agent.residency.arbiter.effects import Effect
from agent.residency.arbiter.events import Event
from agent.residency.arbiter.limits import Limits
from agent.residency.arbiter.state import CardState, Place
from agent.residency.reading import VERSION

Decide = Callable[[CardState, Event], tuple[CardState, tuple[Effect, ...]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """The same moment on two clocks."""

    at: str
    """Wall clock, ISO 8601 with its offset."""
    t: float
    """The arbiter's clock, in seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Whose trace it is. No two traces have the same."""

    card: str
    """Key of the card, as its directory is called."""
    epoch: int
    host: str
    began: Moment


class Recorder:
    """Decides, and hands each transition on as a line that JSON can hold."""

    def __init__(
        self,
        limits: Limits,
        write: Callable[[dict[str, Any]], None],
        *,
        origin: Origin | None = None,
        decide: Decide = decide,
    ) -> None:
        self.state = CardState(limits=limits)
        self._decide = decide
        self._write = write
        self._count = 0
        self._before = balance(self.state)
        told = {} if origin is None else plain(origin)
        write({"trace": VERSION, **told, "limits": plain(limits)})

    def __call__(self, event: Event) -> tuple[Effect, ...]:
        """Decide on an event, write the line, return what is to be done."""
        self.state, effects = self._decide(self.state, event)
        self._count += 1
        after = balance(self.state)
        told = plain(event)
        line: dict[str, Any] = {"n": self._count, "t": self.state.now}
        if (actor := told.get("holder")) is not None:
            line["actor"] = actor
        if (lease := told.get("token")) is not None:
            line["lease"] = lease
        line |= {
            "event": told,
            "effects": [plain(effect) for effect in effects],
            "before": self._before,
            "after": after,
        }
        self._before = after
        self._write(line)
        return effects

    def close(self) -> None:
        """Write the last line."""
        self._write({"end": self._count})


def balance(state: CardState) -> dict[str, int | None]:
    """Return the bytes of a state as the trace shows them."""
    reserved = state.limits.context_bytes
    in_flight = 0
    executive = state.executive
    if executive.place is not None:
        size = state.limits.profiles[executive.profile].bytes
        if executive.place is Place.LOADING:
            in_flight += size
        else:
            reserved += size
    for residence in state.residences.values():
        if residence.place is Place.LOADING:
            in_flight += residence.weights_bytes
        else:
            reserved += residence.weights_bytes
    reserved += sum(lease.working_bytes for lease in state.leases.values())
    in_flight += sum(ask.placed.working_bytes for ask in state.asks.values() if ask.placed)
    return {
        "reserved": reserved,
        "in_flight": in_flight,
        "unconfirmed": state.residue_bytes + sum(size for size, _ in state.freed),
        "foreign": state.reading.foreign_bytes if state.reading else None,
        "used": state.reading.used_bytes if state.reading else None,
    }


def plain(value: Any) -> dict[str, Any]:
    """Return an event, an effect or another record as JSON holds it; events have a `kind`."""
    kind = type(value)
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(field.name for field in fields(kind))
    told: dict[str, Any] = {}
    if issubclass(kind, Event | Effect):
        told["kind"] = kind.__name__
    for name in names:
        told[name] = _plain_value(getattr(value, name))
    return told


_NAMES: dict[type, tuple[str, ...]] = {}


def _plain_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain_value(one) for one in value]
    return plain(value) if is_dataclass(value) else value


def lines(transitions: list[dict[str, Any]]) -> Iterator[str]:
    """Return transitions as lines of JSON."""
    for one in transitions:
        yield json.dumps(one, separators=(",", ":"), ensure_ascii=False)
