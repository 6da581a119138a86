"""How long a grant that fits takes over the socket, with several programs that ask at once."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from agent.errors import AgentError
from agent.residency import check
from agent.residency.daemon import launch
from agent.residency.testing import OwnArbiter, own_arbiter
from memory.sizing import usable_cores

GOAL_P99_MS = 2.0
HOLD_S, PAUSE_S = 0.002, 0.02
_LIMIT_S = 300.0


def measure(*, programs: int, asks: int) -> dict[str, Any]:
    """Return the figures of an arbiter of its own on a simulated card.

    Raises AgentError if nothing was measured, or if the trace does not prove that all was right.
    """
    load_before = os.getloadavg()[0]
    with own_arbiter() as arbiter:
        launch.ensure(arbiter.files, arbiter.config)
        pid = asyncio.run(arbiter.pid())
        waits = sorted(wait for one in _asked(arbiter, programs, asks) for wait in one)
        if len(waits) < programs * asks:
            raise AgentError(
                f"The benchmark is void: {len(waits)} of {programs * asks} asks were granted."
            )
        computed_s = _processor_s(pid)
        launch.end(arbiter.files, pid)
        (report,) = arbiter.traces()
    if report.verdict is not check.Verdict.PROVED:
        raise AgentError("The benchmark is void: " + "; ".join(check.lines(report)))
    return {
        "programs": programs,
        "asks": len(waits),
        "p50_ms": _at(waits, 0.5),
        "p90_ms": _at(waits, 0.9),
        "p99_ms": _at(waits, 0.99),
        "most_ms": waits[-1] * 1e3,
        "arbiter_ms_an_ask": computed_s / len(waits) * 1e3,
        "goal_p99_ms": GOAL_P99_MS,
        "reached": _at(waits, 0.99) < GOAL_P99_MS,
        "cores": usable_cores(),
        "load_before": load_before,
        "transitions": report.tally.steps,
        "trace": report.verdict,
    }


def _asked(arbiter: OwnArbiter, programs: int, asks: int) -> Iterator[list[float]]:
    told = {
        "config": arbiter.config.text(),
        "asks": asks,
        "hold_s": HOLD_S,
        "pause_s": PAUSE_S,
    }
    running = []
    for number in range(programs):
        program = subprocess.Popen(
            [sys.executable, "-P", "-m", "agent.bench.arbiter.program"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(program)
        assert program.stdin is not None, "it is a pipe"
        program.stdin.write(json.dumps({**told, "number": number}))
        program.stdin.close()
        program.stdin = None
    for program in running:
        out, _ = program.communicate(timeout=_LIMIT_S)
        yield json.loads(out) if program.returncode == 0 else []


def _processor_s(pid: int) -> float:
    """Return what a process has computed."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - no file of ours
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _at(waits: list[float], share: float) -> float:
    return waits[min(len(waits) - 1, int(len(waits) * share))] * 1e3


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write the figures."""
    yield (
        f"{report['asks']} grants that fit, asked for by {report['programs']} programs at once: "
        f"p50 {report['p50_ms']:.2f} ms, p90 {report['p90_ms']:.2f}, p99 {report['p99_ms']:.2f}, "
        f"longest {report['most_ms']:.1f}"
    )
    yield (
        f"  the arbiter computed {report['arbiter_ms_an_ask']:.2f} ms for each; "
        f"{report['cores']} cores, load {report['load_before']:.1f} before"
    )
    yield f"  goal: p99 below {report['goal_p99_ms']:g} ms on an idle machine: " + (
        "reached" if report["reached"] else "not reached here"
    )
    yield f"  trace of {report['transitions']} transitions: {report['trace']}"
