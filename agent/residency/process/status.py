"""What an arbiter tells of itself, and how a person reads it."""

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from agent.residency.arbiter.state import CardState
from agent.residency.trace import balance

if TYPE_CHECKING:
    from agent.residency.process.server import Server


def told(server: "Server") -> dict[str, Any]:
    """Return all that is known, as JSON holds it. Times are seconds from now, sizes bytes."""
    arbiter, state = server.arbiter, server.arbiter.state
    reading = state.reading
    return {
        "card": {
            "name": server.card.name,
            "total_bytes": state.limits.capacity_bytes,
            "used_bytes": reading.used_bytes if reading else None,
            "foreign_bytes": reading.foreign_bytes if reading else None,
            "safety_bytes": state.limits.safety_bytes,
            "context_bytes": state.limits.context_bytes,
            **{name: balance(state)[name] for name in ("reserved", "in_flight", "unconfirmed")},
        },
        "executive": _executive(state),
        "executive_flaw": server.keeper.flaw,
        "residents": [
            {
                "variant": one.variant,
                "bytes": one.weights_bytes,
                "place": one.place,
                "in_use": any(lease.variant == one.variant for lease in state.leases.values()),
            }
            for one in state.residences.values()
        ],
        "leases": [
            {
                "token": one.token,
                "holder": one.holder,
                "variant": one.variant,
                "place": one.place,
                "bytes": one.working_bytes,
                "ends_in_s": max(0.0, one.expires_at - state.now),
                "revoked": one.revoked_at is not None,
            }
            for one in state.leases.values()
        ],
        "waiting": [
            {
                "holder": one.holder,
                "wishes": [choice.variant for choice in one.choices],
                "priority": one.priority.name.lower(),
                "waited_s": max(0.0, state.now - one.asked_at),
                "loading": one.placed is not None,
            }
            for one in state.asks.values()
        ],
        "turns": [
            {"holder": one.holder, "begun": one.ends_at is not None, "place": one.place}
            for one in state.turns.values()
        ],
        "senses": {"pid": server.worker.pid, "state": state.worker},
        "paused": state.paused,
        "arbiter": {
            "pid": os.getpid(),
            "epoch": arbiter.epoch,
            "programs": len(server.holders),
            "trace": None if server.journal.path is None else str(server.journal.path),
            "trace_flaw": server.journal.flaw,
        },
    }


def _executive(state: CardState) -> dict[str, Any] | None:
    if not state.limits.profiles:
        return None
    one = state.executive
    profile = state.limits.profiles[one.profile]
    return {
        "profile": profile.name,
        "bytes": profile.bytes,
        "place": one.place,
        "drifted": one.drifted,
        "failures": one.failures,
    }


def lines(status: Mapping[str, Any]) -> Iterator[str]:
    """Write a status for a person."""
    card, arbiter = status["card"], status["arbiter"]
    yield (
        f"{card['name']}: {size(card['used_bytes'])} of {size(card['total_bytes'])} used, "
        f"{size(card['foreign_bytes'])} by other programs"
    )
    if status["paused"]:
        yield f"paused by the owner: work {_PAUSED[status['paused']]}"
    yield from _executive_lines(status["executive"], status["executive_flaw"])
    yield from _table(
        "on the card",
        (
            (one["variant"], size(one["bytes"]), one["place"], "in use" if one["in_use"] else "")
            for one in status["residents"]
        ),
    )
    yield from _table(
        "leases",
        (
            (
                str(one["token"]),
                one["variant"],
                one["place"],
                size(one["bytes"]),
                f"process {one['holder'].partition('.')[0]}",
                "revoked" if one["revoked"] else f"{one['ends_in_s']:.0f} s left",
            )
            for one in status["leases"]
        ),
    )
    yield from _table(
        "waiting",
        (
            (
                ", else ".join(one["wishes"]),
                f"process {one['holder'].partition('.')[0]}",
                one["priority"],
                f"{one['waited_s']:.1f} s",
                "being loaded" if one["loading"] else "",
            )
            for one in status["waiting"]
        ),
    )
    begun = sum(one["begun"] for one in status["turns"])
    if status["turns"]:
        yield f"turns: {begun} in progress, {len(status['turns']) - begun} waiting"
    count = arbiter["programs"]
    programs = f"{count} program" if count == 1 else f"{count} programs"
    if status["senses"]["pid"] is not None:
        yield f"senses: process {status['senses']['pid']}, {status['senses']['state']}"
    yield f"arbiter: process {arbiter['pid']}, {programs}, {_trace(arbiter)}"


_PAUSED = {"wait": "waits", "cpu": "goes to the CPU"}


def _trace(arbiter: Mapping[str, Any]) -> str:
    if arbiter["trace_flaw"]:
        return f"no trace: {arbiter['trace_flaw']}"
    return f"trace {arbiter['trace']}"


def _executive_lines(executive: Mapping[str, Any] | None, flaw: str | None) -> Iterator[str]:
    if executive is None:
        yield f"executive: none is kept here{f' ({flaw})' if flaw else ''}"
        return
    place = executive["place"] or "not loaded"
    if executive["drifted"]:
        place += ", not as it was loaded: put right after the turn"
    elif executive["failures"]:
        place += f", did not load {executive['failures']} times"
    if flaw is not None:
        place += f" ({flaw})"
    yield f"executive: {executive['profile']}, {size(executive['bytes'])}, {place}"


def _table(name: str, rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    there = list(rows)
    if not there:
        yield f"{name}: nothing" if name == "on the card" else f"{name}: none"
        return
    yield f"{name}:"
    widths = [max(len(cell) for cell in column) for column in zip(*there, strict=True)]
    for row in there:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells).rstrip()}"


def size(count: int | None) -> str:
    """Return bytes as a person reads them."""
    if count is None:
        return "unknown"
    return f"{count / (1 << 30):.2f} GiB" if count >= 1 << 28 else f"{count / (1 << 20):.0f} MiB"
