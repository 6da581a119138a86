"""What the engine itself takes for a model call, beside the request.

From the beginning of the node until the request leaves, and from the last part of the answer until
the node ends: fetching, fitting, counting, laying out, checking citations. The checkpoint is
written after the node and is told of elsewhere (`overhead`).
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from agent.assembly import Engine
from agent.bench.prefix import library, loop, stocked
from agent.bench.prefix.loop import Inquiry, Plan, Research
from agent.bench.prefix.steered import SteeredExecutive
from agent.bench.timing import percentiles
from agent.errors import AgentError
from agent.settings import Settings
from agent.testing import PROFILE, ScriptedExecutive
from graphs.context import Services
from graphs.executive import EndPart, Executive, Profile, Prompt, ReplyPart, TokenCount, Wish

NODE = "reason"
QUESTIONS, SEARCHES = 5, 5
FEWER_QUESTIONS, FEWER_SEARCHES = 1, 2
"""For the model in process, which has to read all that is found."""
CONTEXT_TOKENS = 8_192


@dataclass(kw_only=True, slots=True)
class Call:
    """One model call within its node; seconds."""

    counting: float = 0.0
    """Within the executive's own `count`: of a tokeniser, or of a bound."""
    fetching: float = 0.0
    """Within queries for the bodies of what is in view."""
    request: float = 0.0
    """From the request to the last part, less what was done with the parts meanwhile."""
    before: float = 0.0
    after: float = 0.0
    processor: float = 0.0
    """What this process computed before and after, on all its threads: what a busy machine makes of
    it by letting it wait is not in it."""
    prompt_tokens: int = 0

    @property
    def own(self) -> float:
        """What the engine took."""
        return self.before + self.after


@dataclass(slots=True)
class Meter:
    """Hears of nodes and requests, and keeps what each took."""

    calls: list[Call] = field(default_factory=list)
    _begun: float = 0.0
    _left: float = 0.0
    _computed: float = 0.0
    _now: Call = field(default_factory=Call)

    def event(self, event: Mapping[str, Any]) -> None:
        """Take what a run tells of."""
        if event.get("node") != NODE:
            return
        if event["event"] == "node_started":
            self._now, self._begun = Call(), time.perf_counter()
            self._computed = time.process_time()
        elif event["event"] == "node_ended" and self._now.request:
            taken = time.perf_counter() - self._begun
            self._now.after = taken - self._now.before - self._now.request
            self._now.processor += time.process_time() - self._computed
            self.calls.append(self._now)
            self._now = Call()  # what other nodes fetch is not the call's

    def left(self) -> None:
        """Note that the request leaves."""
        self._left = time.perf_counter()
        self._now.processor += time.process_time() - self._computed
        self._now.before += self._left - self._begun if not self._now.request else 0.0

    def ended(self, end: EndPart, *, shown: float) -> None:
        """Note the last part; `shown` seconds went into what was done with the parts."""
        self._now.request += time.perf_counter() - self._left - shown
        self._computed = time.process_time()
        self._now.prompt_tokens = max(self._now.prompt_tokens, end.prompt_tokens)

    def counted(self, seconds: float) -> None:
        """Note what a count took."""
        self._now.counting += seconds

    def fetched(self, seconds: float) -> None:
        """Note what a query took."""
        self._now.fetching += seconds


class Metered:
    """An executive whose requests are noted."""

    def __init__(self, inner: Executive, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    @property
    def profile(self) -> Profile:
        """What is known about it."""
        return self._inner.profile

    async def count(self, prompt: Prompt, wish: Wish, *, room: int | None = None) -> TokenCount:
        """Count, and note how long it took."""
        began = time.perf_counter()
        try:
            return await self._inner.count(prompt, wish, room=room)
        finally:
            self._meter.counted(time.perf_counter() - began)

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        """Hand the parts on, and note when the request leaves and ends."""
        shown = 0.0
        self._meter.left()
        async with aclosing(self._inner.stream(prompt, wish)) as parts:
            async for part in parts:
                if isinstance(part, EndPart):
                    self._meter.ended(part, shown=shown)
                given = time.perf_counter()
                yield part
                shown += time.perf_counter() - given


class _Fetched:
    """Artifacts or passages whose queries are noted."""

    def __init__(self, inner: Any, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def noted(*arguments: Any, **more: Any) -> Any:
            began = time.perf_counter()
            try:
                return await method(*arguments, **more)
            finally:
                self._meter.fetched(time.perf_counter() - began)

        return noted


async def measure(settings: Settings) -> dict[str, Any]:
    """Return the engine's milliseconds a call, with a double that answers at once and in process.

    Raises AgentError if nothing was measured.
    """
    shelf = await asyncio.to_thread(library.load, None, QUESTIONS)
    async with stocked.engine(settings, shelf, lambda _: None) as engine:
        planned = await loop.inquiries(
            engine,
            shelf.questions,
            collection=stocked.COLLECTION,
            searches=SEARCHES,
        )
        plan = Plan()
        calls = sum(len(one.searches) for one in planned)
        double = ScriptedExecutive(
            [plan.replied] * calls, profile=replace(PROFILE, context_tokens=CONTEXT_TOKENS)
        )
        steered = SteeredExecutive(context_tokens=CONTEXT_TOKENS, script=plan.written)
        async with aclosing(steered):
            await asyncio.to_thread(steered.warm)
            return {
                "double": await _measured(engine, double, plan, planned),
                "in process": await _measured(engine, steered, plan, _fewer(planned)),
            }


def _fewer(planned: Sequence[Inquiry]) -> list[Inquiry]:
    return [
        replace(one, searches=one.searches[:FEWER_SEARCHES]) for one in planned[:FEWER_QUESTIONS]
    ]


async def _measured(
    engine: Engine, executive: Executive, plan: Plan, planned: Sequence[Inquiry]
) -> dict[str, Any]:
    meter = Meter()
    services = _metered(engine.services, meter)
    research = Research(
        replace(engine, services=services),
        Metered(executive, meter),
        plan,
        collection=stocked.COLLECTION,
    )
    async with aclosing(research):
        for inquiry in planned:
            await research.ask(inquiry, watch=meter.event)
    return figures(meter.calls)


def _metered(services: Services, meter: Meter) -> Services:
    return replace(
        services,
        recollection=_Fetched(services.recollection, meter),
        artifacts=_Fetched(services.artifacts, meter),
    )


def figures(calls: Sequence[Call]) -> dict[str, Any]:
    """Return the figures of calls, and of the half of them with the larger prompts."""
    if not calls:
        raise AgentError("The benchmark is void: no model call was made in the node.")
    ordered = sorted(calls, key=lambda call: call.prompt_tokens)
    return {
        "usual": _half(ordered[: len(ordered) // 2 or 1]),
        "large": _half(ordered[len(ordered) // 2 :]),
    }


def _half(calls: Sequence[Call]) -> dict[str, Any]:
    def told(value: Callable[[Call], float]) -> dict[str, float]:
        return percentiles([value(call) for call in calls])

    return {
        "calls": len(calls),
        "prompt_tokens": max(call.prompt_tokens for call in calls),
        "own_ms": told(lambda call: call.own),
        "processor_ms": told(lambda call: call.processor),
        "before_ms": told(lambda call: call.before),
        "after_ms": told(lambda call: call.after),
        "counting_ms": told(lambda call: call.counting),
        "fetching_ms": told(lambda call: call.fetching),
    }


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write the figures as a table."""
    yield "the engine's own time a model call, beside the request (p50, p95 in ms):"
    for name, halves in report.items():
        for size, one in halves.items():
            own, counting, fetching = one["own_ms"], one["counting_ms"], one["fetching_ms"]
            computed = one["processor_ms"]
            yield (
                f"  {name:<10} {size} prompts, up to {one['prompt_tokens']:,} tokens: "
                f"{own['p50']:.1f}, {own['p95']:.1f} (computing {computed['p50']:.1f}, "
                f"{computed['p95']:.1f}); of which counting {counting['p50']:.1f}, "
                f"{counting['p95']:.1f}, queries {fetching['p50']:.1f}, {fetching['p95']:.1f}, "
                f"behind the answer {one['after_ms']['p50']:.1f}, {one['after_ms']['p95']:.1f}"
            )
