from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import uuid4

import pytest

from agent.clock import SystemClock
from agent.turns import Turns
from graphs import assistant
from graphs.context import Limits, Services
from graphs.executive import Executive
from memory.artifact_store import ArtifactStore
from memory.database import Pool
from memory.ledger import EffectLedger
from memory.recollection import Recollection
from memory.runs import RunRegistry
from memory.search import Searcher
from memory.store import DocumentStore
from memory.testing import HashingEmbedder
from memory.threads import Threads
from tools.base import Tool
from tools.executor import Executor
from tools.policy import ANSWER
from tools.reading.testing import PlainReader
from tools.registry import Toolbox


@pytest.fixture
def store(pool: Pool) -> DocumentStore:
    return DocumentStore(pool)


@pytest.fixture
def reader() -> PlainReader:
    return PlainReader()


@pytest.fixture
def turns_of(pool: Pool) -> Callable[..., Turns]:
    """Make what runs the assistant's graph, with real memory and this executive."""

    def made(
        executive: Executive,
        tools: Sequence[Tool[Any]] = (),
        others: Mapping[str, Any] | None = None,
        **limits: Any,
    ) -> Turns:
        embedder = HashingEmbedder()
        given: dict[str, Any] = {
            **dict.fromkeys(field.name for field in fields(Services)),
            "executive": executive,
            "executor": Executor(Toolbox(tools), EffectLedger(pool), timeout_s=5),
            "recollection": Recollection(Searcher(pool, embedder), DocumentStore(pool)),
            "embedder": embedder,
            "artifacts": ArtifactStore(pool),
            "clock": SystemClock(),
            "purpose": ANSWER,
            "collection": "default",
            "limits": Limits(**limits),
            "think": False,
            **(others or {}),
        }
        services = Services(**given)
        return Turns(
            pool=pool,
            registry=RunRegistry(pool),
            threads=Threads(pool),
            graphs={"assistant": lambda: assistant.build(services)},
            clock=services.clock,
            new_id=lambda: str(uuid4()),
        )

    return made
