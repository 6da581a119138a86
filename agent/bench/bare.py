"""A turn of the assistant with nothing behind it: no database, no memory, no senses.

The graph, the policy and the choke point are the real ones; what they would store goes into
dictionaries. What a turn does not need is missing: to use it is a fault.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from langchain_core.runnables import RunnableConfig

from agent.testing import FixedClock
from graphs import assistant
from graphs.context import FENCE_KEY, Limits, Services
from graphs.executive import Executive
from memory.artifacts import Artifact
from memory.documents import Chunk, Hit
from memory.effects import Effect, EffectState, Entry
from tools.base import Tool
from tools.executor import Executor
from tools.policy import ANSWER
from tools.registry import Toolbox

STEPS_LIMIT = 100


class _Nothing:
    """A memory that holds nothing."""

    async def search(self, text: str, *, k: int, collections: Sequence[str]) -> list[Hit]:  # noqa: ARG002 - a protocol's signature
        return []

    async def chunks(self, ids: Sequence[int]) -> list[Chunk]:  # noqa: ARG002 - see above
        return []


class _Artifacts:
    def __init__(self) -> None:
        self._stored: dict[str, Artifact] = {}

    async def put(self, artifact: Artifact, *, thread_id: str, run_id: str, now: datetime) -> None:  # noqa: ARG002 - a protocol's signature
        self._stored.setdefault(artifact.id, artifact)

    async def get(self, ids: Sequence[str]) -> Mapping[str, Artifact]:
        return {one: self._stored[one] for one in ids if one in self._stored}


class _Ledger:
    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    async def intend(self, effect: Effect, **_: Any) -> Entry:
        known = self._entries.get(effect.key)
        if known is not None:
            return replace(known, fresh=False)
        fresh = Entry(state=EffectState.INTENDED, receipt=None, fresh=True)
        self._entries[effect.key] = fresh
        return fresh

    async def end(
        self,
        key: str,
        state: EffectState,
        receipt: str | None,
        *,
        now: datetime,  # noqa: ARG002 - see above
    ) -> None:
        self._entries[key] = Entry(state=state, receipt=receipt, fresh=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Turned:
    """What a turn came to."""

    answer: str
    tasks: list[dict[str, Any]]
    events: list[dict[str, Any]] = field(default_factory=list)


async def turn(
    executive: Executive,
    tools: Sequence[Tool[Any]],
    question: str,
    *,
    limits: Limits | None = None,
) -> Turned:
    """Run one turn of the real graph and return its answer, its calls and its events."""
    missing: Any = None
    services = Services(
        executive=executive,
        executor=Executor(Toolbox(tools), _Ledger(), timeout_s=30.0),
        recollection=_Nothing(),
        embedder=missing,
        shelf=missing,
        reader=missing,
        synthesizer=missing,
        residency=missing,
        artifacts=_Artifacts(),
        clock=FixedClock(),
        language=lambda _: "en",
        purpose=ANSWER,
        collection="default",
        limits=limits or Limits(),
    )
    number = str(uuid.uuid4())
    config: RunnableConfig = {
        "configurable": {"thread_id": number, "run_id": number, FENCE_KEY: 1},
        "recursion_limit": STEPS_LIMIT,
    }
    events: list[dict[str, Any]] = []
    values: dict[str, Any] = {}
    graph = assistant.build(services).compile()
    given = cast(Any, {"question": question, "messages": []})
    async for mode, part in graph.astream(given, config, stream_mode=["custom", "values"]):
        if mode == "custom":
            events.append(cast(dict[str, Any], part))
        else:
            values = cast(dict[str, Any], part)
    answer = values.get("answer") or {}
    return Turned(answer=answer.get("text", ""), tasks=values.get("tasks", []), events=events)
