"""What a warm turn of the assistant takes besides model and senses.

The executive and the embedder answer at once; memory is the real one.
"""

import statistics
import time
import uuid

from agent.bench.lent import Lent
from agent.bench.statements import TALLY
from agent.clock import SystemClock
from agent.errors import AgentError
from agent.residency.host import HostResidency
from agent.testing import ScriptedExecutive
from agent.turns import Turns
from graphs import assistant
from graphs.context import Limits, Services
from memory import language
from memory.artifact_store import ArtifactStore
from memory.database import Pool
from memory.ledger import EffectLedger
from memory.recollection import Recollection
from memory.runs import RunRegistry
from memory.search import Searcher
from memory.store import DocumentStore
from memory.testing import HashingEmbedder, text_document
from memory.threads import Threads
from tools import recall
from tools.executor import Executor
from tools.policy import ANSWER
from tools.reading.perception import Perception
from tools.reading.reader import ContentReader
from tools.registry import Toolbox
from tools.shelf import Shelf

FACT = "The water filter is cleaned every six weeks."
REPLY = "The water filter is cleaned every six weeks [1]."


async def measure(pool: Pool, threads: Lent, *, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of a turn, and of those that went into SQL."""
    collection = f"bench:{uuid.uuid4()}"
    store, embedder = DocumentStore(pool), HashingEmbedder()
    source = await store.source(collection, "bench:")
    try:
        await store.put(source, text_document("bench:fact", FACT))
        turns = _turns(pool, store, embedder, collection, rounds)
        return await _measured(turns, threads, rounds)
    finally:
        await store.forget(source)


async def _measured(turns: Turns, threads: Lent, rounds: int) -> dict[str, float]:
    took: list[float] = []
    in_sql: list[float] = []
    for _ in range(rounds + 1):
        before, began = TALLY.seconds, time.perf_counter()
        outcome = await turns.run(
            "assistant",
            thread_id=threads.new(),
            values={"question": "How often is the water filter cleaned?"},
            watch=lambda _: None,
        )
        took.append(time.perf_counter() - began)
        in_sql.append(TALLY.seconds - before)
        if not outcome.output["answer"]["citations"]:
            raise AgentError("The benchmark is void: a turn ended without a citation.")
    return {"ms": 1e3 * statistics.median(took[1:]), "sql_ms": 1e3 * statistics.median(in_sql[1:])}


def _turns(
    pool: Pool, store: DocumentStore, embedder: HashingEmbedder, collection: str, rounds: int
) -> Turns:
    from agent.assembly import senses

    searcher, clock, residency = Searcher(pool, embedder), SystemClock(), HostResidency()
    able = senses(residency)
    services = Services(
        executive=ScriptedExecutive([REPLY] * (rounds + 1)),
        executor=Executor(Toolbox([recall.recall(searcher)]), EffectLedger(pool), timeout_s=60),
        recollection=Recollection(searcher, store),
        embedder=embedder,
        shelf=Shelf(store, embedder, clock),
        reader=ContentReader(Perception(senses=able, residency=residency)),
        synthesizer=able.speech,
        residency=residency,
        artifacts=ArtifactStore(pool),
        clock=clock,
        language=language.detect,
        file_bytes_limit=2**20,
        purpose=ANSWER,
        collection=collection,
        limits=Limits(),
    )
    return Turns(
        pool=pool,
        registry=RunRegistry(pool),
        threads=Threads(pool),
        graphs={"assistant": lambda: assistant.build(services)},
        clock=clock,
        new_id=lambda: str(uuid.uuid4()),
    )
