"""What a model really does, found out once by asking it.

Everything goes through the `Executive` protocol, so a probe is the same for every adapter. What it
finds decides whether tool calls go by the model's own template or by a schema.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from agent.executives.counting.tokens import lower_bound
from agent.executives.probe import tasks
from graphs.errors import ExecutiveError, ExecutiveUnreachableError, ModelMissingError
from graphs.executive import (
    CallPart,
    EndPart,
    EndReason,
    Executive,
    Prompt,
    TextPart,
    ThoughtPart,
    TokenCount,
    Wish,
)

VERSION = 1
"""Raised whenever a probe asks or judges otherwise, so that what was found before is dropped."""

_CALL_TOKENS = 200
_NEEDLE_TOKENS = 24
_THINKING_TOKENS = 64
_LINES_LIMIT = 20_000

Tell = Callable[[str], None]
"""Takes a line for the person who waits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """How often something was done as it should be."""

    of: int
    valid: int
    """As its types want it."""
    right: int
    """Valid, and what was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What became of a needle at the beginning of a prompt as long as the context allows."""

    counted: int
    """Tokens by our own count."""
    exact: bool
    read: int
    """Tokens that the server says it read; 0 where it does not say."""
    found: bool
    agrees: bool
    """Whether the server's count can be that of the whole prompt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What a probe found. What is None was not asked, or not in time."""

    version: int = VERSION
    digest: str
    model: str
    context_tokens: int
    native: Score | None = None
    """Calls by the model's own template."""
    by_schema: Score | None = None
    """Calls constrained by the union of the tools."""
    at_once: int | None = None
    """Calls in one answer to a request that needs two."""
    schema: Score | None = None
    """Answers by a schema of our own."""
    thoughts_off: bool | None = None
    """Whether it thought aloud though it should not."""
    thoughts_on: bool | None = None
    """Whether it thought aloud when it should."""
    goes_on: bool | None = None
    """Whether it goes on from an answer that has begun, and does not begin again."""
    held: Held | None = None
    left_out: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def native_tools(self) -> bool | None:
        """Whether calls should go by the model's own template; None: that was not found out.

        Each must have been valid, and right at least as often as those by schema.
        """
        if self.native is None:
            return None
        rival = self.by_schema.right if self.by_schema else self.native.of // 2
        return self.native.valid == self.native.of and self.native.right >= rival


async def probe(
    executive: Executive,
    *,
    by_schema: Executive | None = None,
    limit_s: float | None = None,
    tell: Tell = lambda _: None,
) -> Findings:
    """Ask a model what it can do. Raises ExecutiveError if it cannot be asked at all.

    `by_schema` is the same model with its calls constrained, where `executive` has calls of its
    own. What was not asked within the limit, which begins when the model is loaded, is left out.
    """
    native = executive.profile.native_tools
    steps: dict[str, Callable[[], Awaitable[dict[str, object]]]] = {
        "tool calls of its own": lambda: _calls("native", executive),
        "tool calls by schema": lambda: _calls("by_schema", by_schema or executive),
        "several calls at once": lambda: _at_once(executive),
        "answers by schema": lambda: _schema(executive),
        "thinking": lambda: _thinking(executive),
        "going on with an answer": lambda: _begun(executive),
        "context": lambda: _context(executive),
    }
    if not native:
        del steps["tool calls of its own"], steps["several calls at once"]
    elif by_schema is None:
        del steps["tool calls by schema"]
    tell(f"probing {executive.profile.name}, once: {', '.join(steps)}")
    await _hear(executive, tasks.REASONING, Wish(max_tokens=1))
    return await _within(executive, steps, limit_s)


async def _within(
    executive: Executive,
    steps: dict[str, Callable[[], Awaitable[dict[str, object]]]],
    limit_s: float | None,
) -> Findings:
    began = time.monotonic()
    found: dict[str, object] = {}
    left = list(steps)
    try:
        async with asyncio.timeout(limit_s):
            for name, step in steps.items():
                found |= await step()
                left.remove(name)
    except TimeoutError:
        pass
    profile = executive.profile
    known = Findings(
        digest=profile.digest,
        model=profile.name,
        context_tokens=profile.context_tokens,
        left_out=tuple(left),
        seconds=round(time.monotonic() - began, 2),
    )
    return replace(known, **found)  # type: ignore[arg-type]  # by the names of its fields


@dataclass(kw_only=True, slots=True)
class Heard:
    """One answer, as it came."""

    text: str = ""
    thoughts: str = ""
    calls: list[CallPart] = field(default_factory=list)
    end: EndPart | None = None
    failed: str = ""
    """Why there is no end: what the executive said of it."""


async def _hear(executive: Executive, prompt: Prompt, wish: Wish) -> Heard:
    """Ask once. An answer that is none is a finding; a model that is not there is an error."""
    heard = Heard()
    try:
        async with aclosing(executive.stream(prompt, wish)) as parts:
            async for part in parts:
                match part:
                    case TextPart(text=piece):
                        heard.text += piece
                    case ThoughtPart(text=piece):
                        heard.thoughts += piece
                    case CallPart():
                        heard.calls.append(part)
                    case EndPart():
                        heard.end = part
    except (ExecutiveUnreachableError, ModelMissingError):
        raise
    except ExecutiveError as error:
        heard.failed = str(error)
    return heard


async def _calls(name: str, executive: Executive) -> dict[str, object]:
    verdicts = [await _call(executive, request) for request in tasks.REQUESTS]
    return {
        name: Score(
            of=len(verdicts),
            valid=sum(valid for valid, _ in verdicts),
            right=sum(right for _, right in verdicts),
        )
    }


async def _call(executive: Executive, request: tasks.Request) -> tuple[bool, bool]:
    """Return whether the answer is valid, and whether it is right."""
    wish = Wish(tools=tasks.TOOLS, max_tokens=_CALL_TOKENS)
    heard = await _hear(executive, request.prompt, wish)
    typed = [tasks.typed(call) for call in heard.calls]
    valid = heard.end is not None and heard.end.reason is not EndReason.LENGTH and all(typed)
    if not valid:
        return False, False
    if request.tool is None:
        return True, not typed
    right = len(typed) == 1 and heard.calls[0].name == request.tool and request.fits(typed[0])
    return True, right


async def _at_once(executive: Executive) -> dict[str, object]:
    wish = Wish(tools=tasks.TOOLS, max_tokens=_CALL_TOKENS)
    heard = await _hear(executive, tasks.TWO_AT_ONCE.prompt, wish)
    fit = [call for call in heard.calls if call.name == tasks.TWO_AT_ONCE.tool]
    return {"at_once": sum(tasks.typed(call) is not None for call in fit)}


async def _schema(executive: Executive) -> dict[str, object]:
    wish = Wish(schema=tasks.Parcel.model_json_schema(), max_tokens=_CALL_TOKENS)
    valid = right = 0
    for text, weight_kg, fragile in tasks.PARCELS:
        heard = await _hear(executive, tasks.parcel(text), wish)
        try:
            found = tasks.Parcel.model_validate_json(heard.text)
        except ValidationError:
            continue
        valid += 1
        right += (found.weight_kg, found.fragile) == (weight_kg, fragile)
    return {"schema": Score(of=len(tasks.PARCELS), valid=valid, right=right)}


async def _thinking(executive: Executive) -> dict[str, object]:
    off = await _hear(executive, tasks.REASONING, Wish(max_tokens=_THINKING_TOKENS, think=False))
    on = await _hear(executive, tasks.REASONING, Wish(max_tokens=_THINKING_TOKENS, think=True))
    return {
        "thoughts_off": bool(off.thoughts.strip()) or "<think>" in off.text,
        "thoughts_on": bool(on.thoughts.strip()),
    }


async def _begun(executive: Executive) -> dict[str, object]:
    heard = await _hear(executive, tasks.COUNTING, Wish(max_tokens=_NEEDLE_TOKENS))
    words = heard.text.strip(" ,.\n").casefold()
    return {"goes_on": words.startswith(tasks.GOES_ON)}


async def _context(executive: Executive) -> dict[str, object]:
    wish = Wish(max_tokens=_NEEDLE_TOKENS)
    prompt = tasks.haystack(await longest(executive, wish))
    count = await executive.count(prompt, wish)
    heard = await _hear(executive, prompt, wish)
    read = heard.end.prompt_tokens if heard.end else 0
    held = Held(
        counted=count.tokens,
        exact=count.exact,
        read=read,
        found=tasks.NEEDLE in heard.text,
        agrees=agreed(prompt, count, read),
    )
    return {"held": held}


async def longest(executive: Executive, wish: Wish, *, most: int | None = None) -> int:
    """Return how many lines the longest haystack has that fits the context beside its answer.

    `most` is a number of tokens that it is not to exceed, if that is less.
    """
    room = executive.profile.context_tokens - wish.max_tokens
    room = room if most is None else min(room, most)
    low, high = 0, _LINES_LIMIT
    while low < high:
        middle = (low + high + 1) // 2
        if (await executive.count(tasks.haystack(middle), wish)).tokens <= room:
            low = middle
        else:
            high = middle - 1
    return low


def agreed(prompt: Prompt, count: TokenCount, read: int) -> bool:
    """Whether a server that read so many tokens read the whole prompt, by all that is known."""
    if count.exact:
        return read == count.tokens
    return may_be_whole(prompt, read) and read <= count.tokens


def may_be_whole(prompt: Prompt, read: int) -> bool:
    """Whether so many tokens can be the whole prompt."""
    return read >= sum(lower_bound(str(message.text)) for message in prompt.messages)
