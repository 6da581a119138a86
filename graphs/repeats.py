"""Calls that were made before, and rounds that brought nothing new. Pure."""

import hashlib
import json
from collections.abc import Callable, Sequence

from graphs.state import Task

Acts = Callable[[Task], bool]
"""Whether a task's tool changes anything."""


def fingerprint(text: str, *, ok: bool) -> str:
    """Return what two results have in common if they are the same."""
    return hashlib.sha256(f"{ok}\n{text}".encode()).hexdigest()


def _call(task: Task) -> str:
    """Return what tasks have in common that are the same call, also where it is not valid."""
    return task["digest"] or json.dumps([task["name"], task["arguments"]], sort_keys=True)


def standing(task: Task, tasks: Sequence[Task], acts: Acts) -> Task | None:
    """Return the earlier task whose result stands for this one; None: it has to be made.

    A call that only reads is made again where something was done since; one that acts is not, and
    one that a person declined or is not valid is answered anew.
    """
    if not task["digest"] or task["decision"] == "reject":
        return None
    before = list(tasks[: tasks.index(task)])
    made = [
        index
        for index, one in enumerate(before)
        if one["digest"] == task["digest"] and one["decision"] != "reject"
    ]
    changed = [index for index, one in enumerate(before) if one["ok"] and acts(one)]
    since = 0 if acts(task) or not changed else changed[-1]
    return next((before[index] for index in made if index >= since), None)


def unchanged_since(task: Task, result: str, tasks: Sequence[Task]) -> int | None:
    """Return the first of the rounds at the end in which this call gave the same result."""
    before = [one for one in tasks[: tasks.index(task)] if _call(one) == _call(task)]
    since = None
    for one in reversed(before):
        if one.get("result") != result:
            break
        since = one["round"]
    return since


def idle_rounds(tasks: Sequence[Task]) -> int:
    """Return how many of the last rounds brought no call and no result that was not there before.

    So circles of any length are found: a, a, a as well as a, b, c, a, b, c.
    """
    known: set[tuple[str, str | None]] = set()
    idle = 0
    for number in sorted({task["round"] for task in tasks}):
        brought = {(_call(task), task.get("result")) for task in tasks if task["round"] == number}
        idle = 0 if brought - known else idle + 1
        known |= brought
    return idle
