"""A conversation in words for a person: a few lines for each event. Pure."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Event = Mapping[str, Any]


def lines(event: Event) -> Iterator[str]:
    """Yield what is shown of an event; of most of them nothing."""
    words = _WORDS.get(event["event"])
    if words is not None:
        yield from words(event)


def _listening(event: Event) -> Iterator[str]:
    key = "press the space bar before and after you speak" if event["push_to_talk"] else "speak"
    yield (
        f"Listening; {key}. Ctrl-C ends it. Microphone: {event['microphone']}. "
        f"Loudspeaker: {event['loudspeaker']}."
    )
    yield from (f"note: {event['microphone']}: {flaw}" for flaw in event["flaws"])


def _utterance(event: Event) -> Iterator[str]:
    if event["cut"]:
        yield (
            f"note: only the first {event['seconds']:.0f} s of what you say are taken. Pause, or "
            "set talk.longest_s."
        )


def _heard(event: Event) -> Iterator[str]:
    if event["text"].strip():
        yield f"you: {event['text']}"


def _answer(event: Event) -> Iterator[str]:
    if event.get("error"):
        yield f"note: no answer: {event['error']}"
    if event.get("problem") and (event["text"] is None or event["waiting"]):
        yield f"note: {event['problem']}"
    elif event.get("waiting"):
        yield f"note: decide with: cortical ask --thread {shlex.quote(event['thread_id'])}"
    for one in event.get("citations", ()):
        where = f", {one['where']}" if one["where"] else ""
        yield f"  [{one['number']}] {one['title']}{where}"


_WORDS: dict[str, Callable[[Event], Iterator[str]]] = {
    "listening": _listening,
    "utterance": _utterance,
    "heard": _heard,
    "said": lambda event: iter([f"cortical: {event['text']}"]),
    "interrupted": lambda event: iter(["(interrupted)"] if event["heard"] is not None else []),
    "answer": _answer,
    "failed": lambda event: iter([f"note: {event['text']}"]),
}
