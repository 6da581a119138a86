"""What the graphs ask of the model that reasons."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from langchain_core.messages import AnyMessage

from tools.base import ToolSpec

JsonSchema = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """What is known about an executive. It does not change while the program runs."""

    name: str
    """Model and server, such as `qwen3:14b (Ollama 0.33.0)`."""
    tier: str
    """`embedded` or `full`."""
    context_tokens: int
    """Context that is really loaded; prompt and answer share it."""
    native_tools: bool
    """Whether tool calls come by the model's own template; otherwise by schema."""
    judgement: bool
    """Whether its choices may be relied on. The embedded model's may not: the engine then picks
    tools and evidence itself and leaves only the wording to the model."""
    digest: str = ""
    """What its weights are known by, so that what was learned of them can be kept; empty where
    nothing tells."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """What the executive is shown, in the order that keeps its beginning the same."""

    system: str
    messages: tuple[AnyMessage, ...]
    begun: str = ""
    """The beginning of the answer that stands already, in words: the model goes on from it, and
    what it adds is what comes; it does not think again. Not for an answer that has a shape."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """How an answer is to be given."""

    tools: Sequence[ToolSpec] = ()
    must_call: bool = False
    """The answer is a call of one of the tools, not words. Asked of a model without judgement,
    any wish with tools is meant so."""
    may_call: bool = True
    """False: the answer is words. The tools are shown all the same, so that the prompt's beginning
    stays what it was; a server that cannot forbid a call may still give one."""
    schema: JsonSchema | None = None
    """The answer is one JSON text that this schema accepts."""
    max_tokens: int = 1024
    temperature: float = 0.0
    seed: int = 0
    think: bool = False
    stop: Sequence[str] = ()
    may_be_cut: bool = False
    """An answer that reaches `max_tokens` is not asked for again: its beginning is enough, or there
    is another way without it."""

    def shaped(self, profile: Profile) -> bool:
        """Whether the answer has a shape, so that no part of it is of use without the rest."""
        if self.schema is not None or self.must_call:
            return True
        return bool(self.tools) and not profile.judgement


def goes_on(prompt: Prompt, wish: Wish, profile: Profile) -> bool:
    """Whether the answer goes on from words that stand already.

    Raises ValueError where the answer is to have a shape: it cannot be made of a part.
    """
    if prompt.begun and wish.shaped(profile):
        raise ValueError("an answer that has a shape is asked for whole: leave `begun` empty")
    return bool(prompt.begun)


class EndReason(StrEnum):
    """Why a stream ended. Only these are ends; anything else raises."""

    STOP = "stop"  # the model finished
    LENGTH = "length"  # max_tokens or the context was reached
    CALLS = "calls"  # the model finished by calling tools


@dataclass(frozen=True, kw_only=True, slots=True)
class TextPart:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ThoughtPart:
    """A piece of thinking aloud; shown at most, never stored."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CallPart:
    """One tool call, whole. Its arguments are not validated yet."""

    id: str
    name: str
    arguments: dict[str, Any]
    fault: str = ""
    """Why the call cannot be read. It is never run; the reason goes back to the model."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EndPart:
    """The last part of every stream that ended well."""

    reason: EndReason
    prompt_tokens: int
    """Tokens of the prompt, those found in the cache included."""
    cached_tokens: int
    """Tokens of the prompt that were not evaluated again; 0 where the server does not tell."""
    answer_tokens: int
    seconds: float
    notices: tuple[str, ...] = ()
    """What the server did that it should not have, each a sentence: it loaded the model anew, it
    holds a smaller context than it was asked for. The answer itself is whole."""


ReplyPart = TextPart | ThoughtPart | CallPart | EndPart


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenCount:
    """Size of a prompt."""

    tokens: int
    exact: bool
    """False: an upper bound."""


class Executive(Protocol):
    """The model that reasons."""

    @property
    def profile(self) -> Profile:
        """What is known about it."""
        ...

    async def count(self, prompt: Prompt, wish: Wish, *, room: int | None = None) -> TokenCount:
        """Return how many tokens the prompt takes with its tools, before it is sent.

        An upper bound that is within `room` may be returned in place of the exact number: it tells
        that the prompt fits, and costs less.
        """
        ...

    def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        """Yield the answer as it is written; the last part is the one `EndPart`.

        Closing the generator cancels the call. Raises an `graphs.errors.ExecutiveError`: the prompt
        is longer than the context, the stream broke off, the answer was empty, the server or the
        model is not there.
        """
        ...
