"""One answer of the executive, gathered from its stream while it is shown."""

import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from graphs.executive import (
    CallPart,
    EndPart,
    Executive,
    Prompt,
    TextPart,
    ThoughtPart,
    Wish,
)

Emit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A whole answer."""

    text: str
    calls: tuple[CallPart, ...]
    end: EndPart


async def ask(
    executive: Executive,
    prompt: Prompt,
    wish: Wish,
    emit: Emit,
) -> Reply:
    """Ask once, handing each piece of text to `emit` as it is written."""
    text: list[str] = []
    calls: list[CallPart] = []
    end: EndPart | None = None
    first_s: float | None = None
    began = time.monotonic()
    async with aclosing(executive.stream(prompt, wish)) as parts:
        async for part in parts:
            if first_s is None:
                first_s = time.monotonic() - began
            match part:
                case TextPart(text=piece):
                    text.append(piece)
                    if wish.schema is None:
                        emit({"event": "text", "text": piece})
                case ThoughtPart(text=piece):
                    emit({"event": "thought", "text": piece})
                case CallPart():
                    calls.append(part)
                case EndPart():
                    end = part
    assert end is not None, "a stream that ends well ends with an EndPart"
    emit(
        {
            "event": "usage",
            "prompt_tokens": end.prompt_tokens,
            "cached_tokens": end.cached_tokens,
            "answer_tokens": end.answer_tokens,
            "seconds": end.seconds,
            "first_s": first_s,
        }
    )
    return Reply(text="".join(text), calls=tuple(calls), end=end)


def silent(emit: Emit) -> Emit:
    """Pass on what a reply costs, not its words: they are a draft that may not hold."""

    def passed(event: dict[str, Any]) -> None:
        if event["event"] == "usage":
            emit(event)

    return passed
