"""Progress and questions on a terminal; plain lines where there is none."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from agent.rendering import harmless

CLEAR_LINE = "\r\x1b[2K"


class Progress:
    """Shows events of a run as they come, on standard error."""

    def __init__(self, out: TextIO, *, quiet: bool) -> None:
        self._out = out
        self._live = out.isatty()
        self._quiet = quiet and not self._live
        self._open = False

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def event(self, event: Mapping[str, Any]) -> None:
        """Show one event."""
        if self._quiet:
            return
        line = _line(event)
        if line is None:
            return
        if self._live and event["event"] in _PASSING:
            self._out.write(f"{CLEAR_LINE}{line[:100]}")
            self._open = True
        elif event["event"] not in _PASSING or not self._live:
            self._close()
            self._out.write(f"{line}\n")
        self._out.flush()

    def _close(self) -> None:
        if self._open:
            self._out.write(CLEAR_LINE)
            self._open = False


_PASSING = frozenset({"node_started", "ingesting", "embedding", "asking"})
"""Events that the next one replaces on a terminal."""


def _line(event: Mapping[str, Any]) -> str | None:
    words = _WORDS.get(event["event"])
    line = None if words is None else words(event)
    return None if line is None else harmless(" ".join(line.split()))


_WORDS: dict[str, Callable[[Mapping[str, Any]], str | None]] = {
    "tiers": lambda event: event["text"],
    "continuing": lambda event: f"continuing run {event['run_id'][:8]}, which was cut off",
    "node_started": lambda event: f"… {event['node']}",
    "calling": lambda event: f"tool {event['tool']} {_arguments(event['arguments'])}",
    "called": lambda event: None if event["ok"] else f"tool {event['tool']}: {event['text']}",
    "model_failed": lambda event: f"the model gave no words: {event['reason']}",
    "left_out": lambda event: (
        f"{event['count']} of {event['of']} {event['what']} left out: "
        f"{event.get('why', 'the context is full')}"
    ),
    "repairing": lambda event: f"{event['sentences']} sentences without a source; asked again",
    "ingesting": lambda event: f"{event['done']}/{event['total']} {event['name']}",
    "asking": lambda event: event["text"],
    "embedding": lambda event: f"{event['done']}/{event['total']} passages embedded",
}


def _arguments(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def decide(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the person at the terminal about one act; anything but yes is a rejection."""
    action = payload["action_requests"][0]
    sys.stderr.write(f"\n{harmless(payload['description'])}\n")
    for name, value in action["args"].items():
        # Each line is set in, so that no value can look like the question below it.
        lines = harmless(str(value)).split("\n")
        sys.stderr.write(f"  {harmless(name)}: " + "\n      ".join(lines) + "\n")
    sys.stderr.write("Do it? [y/N] ")
    sys.stderr.flush()
    agreed = sys.stdin.readline().strip().casefold() in ("y", "yes", "j", "ja")
    return {"type": "approve"} if agreed else {"type": "reject"}
