"""One answer of the executive, gathered from its stream while it is shown.

A fault of a stream is mended once, here and nowhere else: an answer in words goes on from where it
stood, one that has a shape is asked for whole. What that does not mend is raised, or returned with
the end `EndReason.LENGTH`.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from graphs.errors import (
    BrokenStreamError,
    EmptyAnswerError,
    ExecutiveError,
    PromptTooLongError,
)
from graphs.executive import (
    CallPart,
    EndPart,
    EndReason,
    Executive,
    Prompt,
    TextPart,
    ThoughtPart,
    Wish,
)
from graphs.seam import Seam

Emit = Callable[[dict[str, Any]], None]

_OTHER_WORDS = 0.3
"""Temperature of a second try that is to differ from the first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A whole answer."""

    text: str
    """What was written now: without `Prompt.begun`."""
    calls: tuple[CallPart, ...]
    end: EndPart
    """How it ended; its figures are those of both tries, where there were two."""


async def ask(
    executive: Executive,
    prompt: Prompt,
    wish: Wish,
    emit: Emit,
) -> Reply:
    """Ask, and at most once more, handing each piece of text to `emit` as it is written.

    A second try is told as `asked_again` with its reason, what each try took as `usage`, and what
    a server did that it should not have as `notice`.
    """
    first = await _tried(executive, _trimmed(prompt), wish, emit, stands=prompt.begun)
    again = _again(first, prompt, wish, shaped=wish.shaped(executive.profile))
    if again is None:
        return _reply(first)
    emit({"event": "asked_again", "reason": again.reason, "goes_on": again.goes_on})
    trimmed = _trimmed(again.prompt)
    second = await _tried(executive, trimmed, again.wish, emit, stands=again.prompt.begun)
    return _joined(first, second, goes_on=again.goes_on)


def _trimmed(prompt: Prompt) -> Prompt:
    """Take the blank off the end of what stands: a model writes it with the word behind it."""
    return replace(prompt, begun=prompt.begun.rstrip())


@dataclass(kw_only=True, slots=True)
class _Try:
    """What one stream gave."""

    text: str = ""
    calls: list[CallPart] = field(default_factory=list)
    pieces: int = 0
    first_s: float | None = None
    """How long the first piece took to come."""
    end: EndPart | None = None
    error: ExecutiveError | None = None


async def _tried(
    executive: Executive, prompt: Prompt, wish: Wish, emit: Emit, *, stands: str
) -> _Try:
    """Gather one stream; an error of the executive is kept beside what came before it."""
    found = _Try()
    seam = Seam(stands)
    began = time.monotonic()
    try:
        async with aclosing(executive.stream(prompt, wish)) as parts:
            async for part in parts:
                if found.first_s is None:
                    found.first_s = time.monotonic() - began
                match part:
                    case TextPart(text=piece):
                        found.pieces += 1
                        found.text += _shown(seam.add(piece), wish, emit)
                    case ThoughtPart(text=piece):
                        found.pieces += 1
                        emit({"event": "thought", "text": piece})
                    case CallPart():
                        found.calls.append(part)
                    case EndPart():
                        found.end = part
        assert found.end is not None, "a stream that ends well ends with an EndPart"
    except ExecutiveError as error:
        found.error = error
    found.text += _shown(seam.rest(), wish, emit)
    await _account(executive, prompt, wish, emit, found)
    return found


def _shown(piece: str, wish: Wish, emit: Emit) -> str:
    if piece and wish.schema is None:
        emit({"event": "text", "text": piece})
    return piece


async def _account(
    executive: Executive, prompt: Prompt, wish: Wish, emit: Emit, found: _Try
) -> None:
    """Tell what a try took; one that broke off told no figures, so its prompt is counted."""
    if found.end is not None:
        emit(
            {
                "event": "usage",
                "prompt_tokens": found.end.prompt_tokens,
                "cached_tokens": found.end.cached_tokens,
                "answer_tokens": found.end.answer_tokens,
                "seconds": found.end.seconds,
                "first_s": found.first_s,
            }
        )
        for notice in found.end.notices:
            emit({"event": "notice", "text": notice})
    elif found.pieces or isinstance(found.error, BrokenStreamError | EmptyAnswerError):
        with suppress(ExecutiveError):
            emit(
                {
                    "event": "usage",
                    "prompt_tokens": (await executive.count(prompt, wish)).tokens,
                    "cached_tokens": 0,
                    "answer_tokens": found.pieces,
                    "estimated": True,
                }
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Again:
    """A second try."""

    reason: str
    prompt: Prompt
    wish: Wish
    goes_on: bool = False
    """It goes on from what the first try said; otherwise the answer is asked for whole."""


def _again(first: _Try, prompt: Prompt, wish: Wish, *, shaped: bool) -> _Again | None:
    """Return how a fault may be mended; None where there is none. Raises what cannot be."""
    match first.error:
        case None:
            assert first.end is not None, "without an error there is an end"
            return _lengthened(first, first.end, prompt, wish, shaped=shaped)
        case BrokenStreamError() if shaped or not first.text.strip():
            return _Again(reason=str(first.error), prompt=prompt, wish=wish)
        case BrokenStreamError():
            return _going_on(str(first.error), first, prompt, wish)
        case EmptyAnswerError():
            other = replace(wish, seed=wish.seed + 1, temperature=_OTHER_WORDS)
            plain = replace(wish, think=False) if wish.think else other
            return _Again(reason=str(first.error), prompt=prompt, wish=plain)
        case _:
            raise first.error


def _lengthened(
    first: _Try, end: EndPart, prompt: Prompt, wish: Wish, *, shaped: bool
) -> _Again | None:
    """Return the second try of an answer that was cut by its length."""
    said = bool(first.text.strip())
    if end.reason is not EndReason.LENGTH or (wish.may_be_cut and (said or shaped)):
        return None
    reason = f"The answer was cut after {end.answer_tokens} tokens."
    if shaped or not said:
        roomier = replace(wish, max_tokens=2 * wish.max_tokens, think=False)
        return _Again(reason=reason, prompt=prompt, wish=roomier)
    return _going_on(reason, first, prompt, wish)


def _going_on(reason: str, first: _Try, prompt: Prompt, wish: Wish) -> _Again:
    begun = replace(prompt, begun=prompt.begun + first.text)
    return _Again(reason=reason, prompt=begun, wish=replace(wish, think=False), goes_on=True)


def _joined(first: _Try, second: _Try, *, goes_on: bool) -> Reply:
    """Return what two tries gave. Raises what the second could not mend."""
    if second.error is None:
        return _reply(first, second) if goes_on else _reply(second, figures=[first])
    if goes_on and first.end is not None:
        return _reply(first, second)
    # That a continuation does not fit is no news; what broke the answer off is.
    too_long = isinstance(second.error, PromptTooLongError)
    raise first.error if too_long and first.error is not None else second.error


def _reply(*tries: _Try, figures: Sequence[_Try] = ()) -> Reply:
    """Return an answer made of tries that follow each other."""
    last = [one.end for one in tries if one.end is not None][-1]
    ends = [one.end for one in (*figures, *tries) if one.end is not None]
    end = EndPart(
        reason=last.reason,
        prompt_tokens=sum(one.prompt_tokens for one in ends),
        cached_tokens=sum(one.cached_tokens for one in ends),
        answer_tokens=sum(one.answer_tokens for one in ends),
        seconds=sum(one.seconds for one in ends),
        notices=tuple(notice for one in ends for notice in one.notices),
    )
    # Calls of an answer that was cut may be cut themselves.
    calls = tries[-1].calls if end.reason is EndReason.CALLS else ()
    return Reply(text="".join(one.text for one in tries), calls=tuple(calls), end=end)


def silent(emit: Emit) -> Emit:
    """Pass on what a reply costs, not its words: they are a draft that may not hold."""

    def passed(event: dict[str, Any]) -> None:
        if event["event"] in ("usage", "notice", "asked_again"):
            emit(event)

    return passed
