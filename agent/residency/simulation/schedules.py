"""Many random schedules on all cores, and what they came to in words."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from typing import Any

from agent.residency.simulation import runs

CHUNK = 200


def measure(count: int, *, first: int, watch: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Play so many schedules from a seed on."""
    began = time.perf_counter()
    total = runs.Sum()
    processes = min(os.cpu_count() or 1, -(-count // CHUNK))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(runs.many, *chunk) for chunk in _chunks(first, count)]
        for done in as_completed(waiting):
            total.add(done.result())
            watch({"event": "measuring", "text": f"{total.schedules}/{count} schedules"})
    took_s = time.perf_counter() - began
    return {
        **asdict(total),
        "rules": dict(total.rules),
        "good": total.good,
        "took_s": took_s,
        "processes": processes,
    }


def _chunks(first: int, count: int) -> Iterator[tuple[int, int]]:
    for begin in range(first, first + count, CHUNK):
        yield begin, min(CHUNK, first + count - begin)


def lines(report: dict[str, Any]) -> list[str]:
    """Return what schedules came to, for a person."""
    unexcused = report["out_of_memory"] - report["excused"]
    told = [
        f"{report['schedules']:,} schedules, {report['transitions']:,} transitions, "
        f"{report['asks']:,} asks: {report['granted']:,} granted, {report['refused']:,} refused; "
        f"{report['took_s']:.0f} s on {report['processes']} cores",
        f"not proved by the checker     {report['unproved']}",
        f"executive changed in a turn   {report['reloads_in_turn']}",
        f"evicted while in use          {report['evicted_in_use']}",
        f"out of memory                 {unexcused}, and {report['excused']} after another program "
        "took more than the safety between two measurements",
        f"jobs that never ended         {report['unfinished']}",
        f"longest wait                  {report['longest_wait_s']:.1f} s; "
        f"passed at most {report['most_passed']} times",
    ]
    told += [f"rule {rule!r} broken {count} times" for rule, count in report["rules"].items()]
    if report["seeds"]:
        told.append(f"first seeds with something wrong: {', '.join(map(str, report['seeds']))}")
    return told
