"""Doubles of what the program talks to."""

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from graphs.executive import (
    CallPart,
    EndPart,
    EndReason,
    Profile,
    Prompt,
    ReplyPart,
    TextPart,
    ThoughtPart,
    TokenCount,
    Wish,
)

PROFILE = Profile(
    name="scripted", tier="full", context_tokens=16_384, native_tools=True, judgement=True
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptedReply:
    """One answer: words, calls, or both."""

    text: str = ""
    thought: str = ""
    calls: tuple[CallPart, ...] = ()
    reason: EndReason | None = None
    """None: calls if there are any, else a stop."""
    error: Exception | None = None
    """What breaks the stream off after all that."""


Scripted = str | ScriptedReply | Exception | Callable[[Prompt, Wish], str | ScriptedReply]
"""Words, a reply, an error to be raised before a word, or what computes a reply."""


class ScriptedExecutive:
    """An executive that says what it was told beforehand, a word at a time.

    It counts a token for every four characters, and records what it was asked. A script that has
    run out is a fault of the test.
    """

    def __init__(self, script: Iterable[Scripted], *, profile: Profile = PROFILE) -> None:
        self._script = list(script)
        self._profile = profile
        self.asked: list[tuple[Prompt, Wish]] = []

    @property
    def profile(self) -> Profile:
        """What is known about it."""
        return self._profile

    @property
    def left(self) -> int:
        """How many replies of the script were not asked for."""
        return len(self._script)

    async def count(
        self,
        prompt: Prompt,
        wish: Wish,
        *,
        room: int | None = None,  # noqa: ARG002 - the protocol's; counting is free here
    ) -> TokenCount:
        """Return a quarter of the characters."""
        return TokenCount(tokens=_tokens(prompt, wish), exact=True)

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        """Yield the next reply of the script."""
        self.asked.append((prompt, wish))
        if not self._script:
            raise AssertionError(f"the script ran out at request {len(self.asked)}: {prompt}")
        reply = self._reply(self._script.pop(0), prompt, wish)
        if reply.thought:
            yield ThoughtPart(text=reply.thought)
        words = reply.text.split(" ")
        for index, word in enumerate(words if reply.text else ()):
            yield TextPart(text=word if index == len(words) - 1 else f"{word} ")
        for call in reply.calls:
            yield call
        if reply.error is not None:
            raise reply.error
        yield EndPart(
            reason=reply.reason or (EndReason.CALLS if reply.calls else EndReason.STOP),
            prompt_tokens=_tokens(prompt, wish),
            cached_tokens=0,
            answer_tokens=len(words),
            seconds=0.0,
        )

    @staticmethod
    def _reply(scripted: Scripted, prompt: Prompt, wish: Wish) -> ScriptedReply:
        if isinstance(scripted, Exception):
            raise scripted
        if callable(scripted):
            scripted = scripted(prompt, wish)
        return ScriptedReply(text=scripted) if isinstance(scripted, str) else scripted


def _tokens(prompt: Prompt, wish: Wish) -> int:
    texts = [prompt.system, *(str(message.text) for message in prompt.messages)]
    texts += [f"{tool.name}{tool.description}{tool.parameters}" for tool in wish.tools]
    return sum(len(text) // 4 + 1 for text in texts)


class FixedClock:
    """A clock that stands until it is set."""

    def __init__(self, moment: datetime | None = None) -> None:
        self._moment = moment or datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the moment at which it stands."""
        return self._moment

    def advance(self, by: timedelta) -> None:
        """Move it on."""
        self._moment += by
