"""A trace shown to a person: as a picture, as a table, as it is."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import UsageError
from agent.residency import reading
from agent.residency.books import JsonObject
from agent.residency.check import Report, Walk, check
from agent.residency.process.journal import traces
from agent.residency.timeline import history, picture, table
from agent.residency.timeline.axes import Clock
from agent.residency.timeline.window import Wish

if TYPE_CHECKING:
    from memory.card_traces import StoredTrace


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A trace that can be read more than once."""

    name: str
    lines: Callable[[], Iterable[JsonObject]]
    lost: str | None = None
    """Why its end is not there and will not come."""


def judged(source: Source) -> Report:
    """Judge a trace. Raises TraceError, also where its end is lost."""
    if source.lost is not None:
        raise reading.TraceError(
            f"Not all of {source.name} is there: {source.lost}. `cortical residency trace` shows "
            "what is."
        )
    return check(source.lines(), name=source.name)


def of_file(path: Path) -> Source:
    """Return a trace in a file."""
    return Source(name=str(path), lines=lambda: reading.lines_of(path))


def of_database(trace: "StoredTrace", transitions: Sequence[JsonObject]) -> Source:
    """Return a trace that the database holds.

    Raises TraceError if nothing of it was there to be copied.
    """
    name = f"life {trace.epoch} of the card {trace.card} (database)"
    head = trace.head
    if head is None:
        raise reading.TraceError(f"Nothing is known of {name}: {trace.lost}.")

    def lines() -> Iterator[JsonObject]:
        yield head
        yield from transitions
        if trace.ended_n is not None:
            yield {"end": trace.ended_n}
        elif trace.cut_line is not None:
            yield {reading.CUT: trace.cut_line}

    return Source(name=name, lines=lines, lost=trace.lost)


def newest(folder: Path) -> Path:
    """Return the newest trace of a card's directory. Raises UsageError if there is none."""
    found = traces(folder)
    if not found:
        raise UsageError(
            f"There is no trace in {folder}: no arbiter has run for this card yet. Name a file, or "
            "let a sense work first."
        )
    return found[-1]


def drawn(source: Source, wish: Wish) -> str:
    """Return the picture of a part of a trace, as SVG. Raises TraceError and UsageError."""
    told = history.read(source.lines(), name=source.name)
    clock = Clock(told.begins, told.head.get("began"), None)
    return picture.draw(told, wish.window(told.begins, told.ends, clock))


def told(source: Source, wish: Wish) -> Iterator[str]:
    """Write the transitions of a part of a trace in words. Raises TraceError and UsageError."""
    clock, transitions = _part(source, wish)
    yield from table.lines(transitions, clock)


def plain(source: Source, wish: Wish) -> Iterator[str]:
    """Return the transitions of a part of a trace as lines of JSON. Raises as `told`."""
    _, transitions = _part(source, wish)
    yield from (json.dumps(one) for one in transitions)


def _part(source: Source, wish: Wish) -> tuple[Clock, Iterator[JsonObject]]:
    """Read the trace once to know where it begins and ends, and once for what is asked for."""
    begins = ends = None
    walk = Walk(source.name)
    for line in walk.through(source.lines()):
        begins, ends = line["t"] if begins is None else begins, line["t"]
    if begins is None or ends is None:
        raise reading.TraceError(f"{source.name} holds no transition.")
    clock = Clock(begins, walk.head.get("began"), None)
    window = wish.window(begins, ends, clock)
    return clock, (
        line
        for line in source.lines()
        if "event" in line and window.begins <= line["t"] <= window.ends
    )
