"""What nodes work with: the collaborators, and the step that they are part of.

Collaborators are bound when a graph is built, not passed with each invocation: LangGraph does not
checkpoint a context, so one that is passed is missing after a resume or a fork from a server.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from graphs.executive import Executive
from memory.artifacts import Artifact
from memory.documents import Chunk, Hit
from memory.embedding import Embedder
from tools.base import Clock
from tools.executor import Executor
from tools.policy import Purpose
from tools.reading.base import FILE_BYTES_LIMIT, FileReader, Reading
from tools.senses.base import Residency, Synthesizer


class Recollection(Protocol):
    """Search, and passages by their number."""

    async def search(self, text: str, *, k: int, collections: Sequence[str]) -> list[Hit]:
        """Return the best passages, best first."""
        ...

    async def chunks(self, ids: Sequence[int]) -> list[Chunk]:
        """Return the passages in this order; those that are gone are left out."""
        ...


class Shelf(Protocol):
    """Where a handed-over file is put so that it can be searched and cited."""

    async def keep(self, reading: Reading, *, data: bytes, uri: str, collection: str) -> list[int]:
        """Store the reading and return the ids of its chunks, in order."""
        ...


class Artifacts(Protocol):
    """Bodies by id. The same id is stored once, so that a node that runs again changes nothing."""

    async def put(self, artifact: Artifact, *, thread_id: str, run_id: str, now: datetime) -> None:
        """Store it, unless the id is known."""
        ...

    async def get(self, ids: Sequence[str]) -> Mapping[str, Artifact]:
        """Return those that are known."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How much one turn may take."""

    rounds: int = 6
    """Times that the executive is asked."""
    tokens: int = 200_000
    """Tokens that it reads and writes in all."""
    seconds: float = 1_800.0
    """Time that the turn is worked on; a person's thinking does not count."""
    same_calls: int = 3
    """Times that the same calls may be wished for while their results stay the same: the second
    time the executive is told so, at the last it gets no tools any more."""
    calls_per_round: int = 4
    calls_per_answer: int = 16
    """An answer with more calls than this is refused as a whole."""
    tools_shown: int = 8
    """Tools that the executive is told of, if there are more."""
    passages: int = 8
    answer_tokens: int = 700
    thought_tokens: int = 2_048
    """Tokens of thinking before an answer, where thinking is on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """The collaborators of a graph, wired in one place."""

    executive: Executive
    executor: Executor
    recollection: Recollection
    embedder: Embedder
    shelf: Shelf
    reader: FileReader
    synthesizer: Synthesizer
    residency: Residency
    artifacts: Artifacts
    clock: Clock
    language: Callable[[str], str]
    """Tells the language of a text as ISO 639-1 code, or `und`."""
    file_bytes_limit: int = FILE_BYTES_LIMIT
    """Files that are larger are not read."""
    purpose: Purpose
    collection: str
    """Where recall looks if the input names no other."""
    limits: Limits
    think: bool = False
    """Whether an executive that can is to think before it answers in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One node at work."""

    services: Services
    run_id: str
    thread_id: str
    token: int
    """Fence token of the runner."""
    emit: Callable[[dict[str, Any]], None]
    """Hands an event to whoever watches the run."""
    taken_up: datetime | None = None
    """When this process took the run up; None where nobody tells."""


FENCE_KEY = "cortical_fence"
"""Where a run's config carries the fence token."""
TAKEN_UP_KEY = "cortical_taken_up"
"""Where it carries the moment at which this process took the run up, in ISO 8601."""


class Node(Protocol):
    """A node as LangGraph calls it."""

    async def __call__(self, state: Any, config: RunnableConfig) -> dict[str, Any]:
        """Return the update of the state."""
        ...


def bound(function: Callable[[Any, Step], Awaitable[dict[str, Any]]], services: Services) -> Node:
    """Give a node its collaborators: `async (state, step) -> update` becomes a LangGraph node."""

    async def node(state: Any, config: RunnableConfig) -> dict[str, Any]:
        run = config["configurable"]
        taken_up = run.get(TAKEN_UP_KEY)
        step = Step(
            services=services,
            run_id=str(run["run_id"]),
            thread_id=str(run["thread_id"]),
            token=run[FENCE_KEY],
            emit=get_stream_writer(),
            taken_up=None if taken_up is None else datetime.fromisoformat(taken_up),
        )
        return await function(state, step)

    return node


async def stored(step: Step, artifact: Artifact) -> str:
    """Store a body for the step's run and return its id."""
    await step.services.artifacts.put(
        artifact, thread_id=step.thread_id, run_id=step.run_id, now=step.services.clock.now()
    )
    return artifact.id
