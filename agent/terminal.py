"""Progress and questions on a terminal; plain lines where there is none."""

import shlex
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from agent.rendering import harmless

CLEAR_LINE = "\r\x1b[2K"


class Progress:
    """Shows events of a run as they come: on standard error, and on `words` those of an answer.

    Words are shown only where `words` is a terminal, thinking only where `out` is one: what is read
    by a program holds what was checked, and nothing else.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        quiet: bool,
        words: TextIO | None = None,
        thoughts: bool = False,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = out
        self._timer = timer
        self._next_s = 0.0
        self._live = out.isatty()
        self._quiet = quiet and not self._live
        self._open = False
        self._words = words if words is not None and words.isatty() else None
        self._thoughts = thoughts and self._live
        self._flow: TextIO | None = None
        self._flowed = ""
        self._at_start = True
        self.said = ""
        """Words of the answer that stand on the terminal."""
        self.paused = False
        """The run was stopped, and goes on when it is asked to."""

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._break()
        self._close()

    def event(self, event: Mapping[str, Any]) -> None:
        """Show one event."""
        match event:
            case {"event": "text" | "begun", "text": text}:
                self._say(text)
            case {"event": "thought", "text": text}:
                self._think(text)
            case _:
                self._told(event)

    def _told(self, event: Mapping[str, Any]) -> None:
        if event["event"] in _ANEW and not event.get("goes_on"):
            self.said = ""
        stopped = event["event"] == "paused"
        self.paused = self.paused or stopped
        if (self._quiet and not stopped) or self._too_soon(event):
            return
        line = _line(event)
        if line is None:
            return
        self._break()
        if self._live and event["event"] in _PASSING:
            self._out.write(f"{CLEAR_LINE}{line[:100]}")
            self._open = True
        elif event["event"] not in _PASSING or not self._live:
            self._close()
            self._out.write(f"{line}\n")
        self._out.flush()

    def _say(self, text: str) -> None:
        if self._words is not None:
            self.said += text
            self._flowing("words", self._words, text, harmless(text))

    def _think(self, text: str) -> None:
        if self._thoughts:
            self._flowing("thoughts", self._out, text, f"{_DIM}{harmless(text)}{_PLAIN}")

    def _flowing(self, kind: str, where: TextIO, text: str, shown: str) -> None:
        """Write a piece behind the one before; thinking and words stand on lines of their own."""
        if not text:
            return
        if self._flowed != kind:
            self._break()
        self._close()
        self._out.flush()
        where.write(shown)
        where.flush()
        self._flow, self._flowed, self._at_start = where, kind, text.endswith("\n")

    def _break(self) -> None:
        """End the line that words or thoughts stand on."""
        if self._flow is not None and not self._at_start:
            self._flow.write("\n")
            self._flow.flush()
        self._flow, self._flowed = None, ""

    def _too_soon(self, event: Mapping[str, Any]) -> bool:
        """Return whether an event is one of thousands and another has only just been shown."""
        if event["event"] not in _FREQUENT:
            return False
        now_s = self._timer()
        last = event["event"] == "ingesting" and event["done"] == event["total"]
        if now_s < self._next_s and not last:
            return True
        self._next_s = now_s + (_LIVE_S if self._live else _PLAIN_S)
        return False

    def _close(self) -> None:
        if self._open:
            self._out.write(CLEAR_LINE)
            self._open = False


_DIM, _PLAIN = "\x1b[2m", "\x1b[22m"
_ANEW = frozenset({"calling", "repairing", "asked_again"})
"""Events behind which an answer begins anew."""
_PASSING = frozenset(
    {"node_started", "ingesting", "embedding", "asking", "measuring", "stopping", "pulling"}
)
"""Events that the next one replaces on a terminal."""
_FREQUENT = frozenset({"ingesting", "embedding", "measuring", "pulling"})
_LIVE_S = 0.1
_PLAIN_S = 1.0
"""Between two lines of what is frequent."""


def _line(event: Mapping[str, Any]) -> str | None:
    words = _WORDS.get(event["event"])
    line = None if words is None else words(event)
    return None if line is None else harmless(" ".join(line.split()))


def _paused(event: Mapping[str, Any]) -> str:
    thread = shlex.quote(event["thread_id"])
    if event["graph"] == "assistant":
        return f"Stopped; what was done is kept. To go on: cortical ask --thread {thread}"
    return f"Stopped; what was done is kept. To go on: the same command, with --thread {thread}"


def _ingesting(event: Mapping[str, Any]) -> str:
    passages = event.get("passages")
    embedded = f", {event['embedded']}/{passages} passages embedded" if passages else ""
    left = _left(event.get("left_s")) if event["done"] < event["total"] else ""
    return (
        f"{event['done']}/{event['total']} files{_rate(event.get('files_s'))}"
        f"{left}{embedded}: {event['name']}"
    )


def _rate(per_s: float | None) -> str:
    return "" if per_s is None else f", {per_s:.3g}/s"


def _bytes_rate(per_s: float | None) -> str:
    return "" if per_s is None else f", {per_s / 1e6:.3g} MB/s"


def _left(seconds: float | None) -> str:
    """Say how long something will take, no finer than anybody can know."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f", {max(1, round(seconds))} s left"
    if seconds < 3600:
        return f", {round(seconds / 60)} min left"
    return f", {seconds / 3600:.1f} h left"


_WORDS: dict[str, Callable[[Mapping[str, Any]], str | None]] = {
    "tiers": lambda event: event["text"],
    "continuing": lambda event: f"continuing run {event['run_id'][:8]}, which was cut off",
    "stopping": lambda _: "… stopping; Ctrl-C again ends at once",
    "paused": _paused,
    "cancelled": lambda _: "Ended by `cortical runs cancel`; what was done is kept.",
    "node_started": lambda event: f"… {event['node']}",
    "calling": lambda event: f"tool {event['tool']} {_arguments(event['arguments'])}",
    "called": lambda event: None if event["ok"] else f"tool {event['tool']}: {event['text']}",
    "model_failed": lambda event: f"the model gave no words: {event['reason']}",
    "condensing": lambda event: f"condensing {event['messages']} earlier messages",
    "left_out": lambda event: (
        f"{event['count']} of {event['of']} {event['what']} left out: "
        f"{event.get('why', 'the context is full')}"
    ),
    "call_refused": lambda event: f"call of {event['tool']} not made: {event['why']}",
    "call_asked_again": lambda event: f"asked again for the call of {event['tool']}",
    "call_given_up": lambda event: f"went on without the call of {event['tool']}",
    "asked_again": lambda event: None if event["goes_on"] else f"asked again: {event['reason']}",
    "notice": lambda event: event["text"],
    "repairing": lambda event: f"{event['sentences']} sentences without a source; asked again",
    "ingesting": _ingesting,
    "asking": lambda event: event["text"],
    "probing": lambda event: event["text"],
    "waiting": lambda event: event["text"],
    "pulling_step": lambda event: event["text"],
    "pulling": lambda event: (
        f"{event['done_bytes'] / 1e9:.2f} of {event['total_bytes'] / 1e9:.2f} GB"
        f"{_bytes_rate(event['bytes_s'])}{_left(event['left_s'])}: {event['model']}"
    ),
    "measuring": lambda event: event["text"],
    "embedding": lambda event: (
        f"{event['done']}/{event['total']} passages embedded"
        f"{_rate(event.get('passages_s'))}{_left(event.get('left_s'))}"
    ),
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
    return {"type": "approve"} if agreed("Do it?") else {"type": "reject"}


def agreed(question: str) -> bool:
    """Ask the person at the terminal; anything but yes is a no."""
    sys.stderr.write(f"{harmless(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in _YES


_YES = ("y", "yes", "j", "ja")
