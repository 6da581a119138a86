"""The scale benchmark from beginning to end: a store is made, loaded, measured and dropped."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent import assembly
from agent.bench import place
from agent.bench.process import peak_bytes
from agent.bench.scale import (
    exhaustive,
    facts,
    live,
    material,
    narrowings,
    peers,
    remix,
    searching,
)
from agent.bench.scale.embedded import vectors_of
from agent.bench.scale.exhaustive import Answer, Exhaustive, Floats, Question
from agent.bench.scale.known import KnownEmbedder
from agent.bench.scale.material import Domain
from agent.bench.scale.remix import COLLECTIONS, Remixer
from agent.bench.scale.searching import Narrowing
from agent.errors import AgentError
from agent.recorder import Watch
from agent.settings import Settings
from memory import loading
from memory.arrivals import Arrival
from memory.database import Pool, open_pool
from memory.embedding import Embedder
from memory.embedding_models import Model, register
from memory.search import Searcher
from memory.store import DocumentStore

DATABASE = "cortical_bench_scale"
SEED = 1
_UNSEEN_SEED = 2
QUESTIONS = 240
_SOURCES = ("main", *(name for name, _ in COLLECTIONS))


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What is to be measured."""

    chunks: int
    texts: tuple[Path, ...] = ()
    dsn: str | None = None
    reuse: bool = False
    keep: bool = False
    peer: Path | None = None
    """Interpreter that has the peers; none: they are left out."""


async def measure(settings: Settings, wish: Wish, *, watch: Watch) -> dict[str, Any]:
    """Return all figures. The database is the benchmark's own; AgentError if nothing was found."""
    began = time.perf_counter()
    domains = material.gather(wish.texts, seed=SEED)
    if not domains:
        raise AgentError(
            "The benchmark is void: there are no texts to mix. Name some with --texts."
        )
    embedder = await assembly.chosen_embedder(settings, "embedded")
    questions, remixer = await _embedded(domains, embedder, settings.cache_dir, watch)
    prepared_s = time.perf_counter() - began
    dsn = wish.dsn or await assembly.database_url(settings)
    async with (
        place.lent(dsn, DATABASE, reuse=wish.reuse, keep=wish.keep) as url,
        open_pool(url) as pool,
    ):
        model = await register(pool, embedder)
        await live.clear(DocumentStore(pool))
        load = await _load(pool, remixer, wish.chunks, embedder, watch)
        known = KnownEmbedder(model.name, model.dimensions, questions)
        report = await _searches(pool, known, model, questions, watch)
        watch({"event": "measuring", "text": "what comes and goes"})
        unseen = Remixer(domains=domains, vectors=remixer.vectors, seed=_UNSEEN_SEED)
        report["live"] = await live.measure(DocumentStore(pool), model, unseen)
        sizes, machine = await facts.sizes(pool), await facts.machine(pool)
        if wish.peer is not None:
            watch({"event": "measuring", "text": "peers"})
            report["peers"] = await _peers(dsn, wish.peer, wish.chunks, remixer, questions)
    return {
        "chunks": wish.chunks,
        "made": _made(domains),
        "machine": machine,
        "prepared_s": round(prepared_s, 1),
        "load": load,
        "bytes": sizes,
        **report,
        "peak_bytes": peak_bytes(),
    }


async def _embedded(
    domains: Sequence[Domain], embedder: Embedder, cache: Path, watch: Watch
) -> tuple[dict[str, Floats], Remixer]:
    """Return the vectors of the questions by text, and the maker of the corpus."""
    rows: list[Floats] = []
    questions: dict[str, Floats] = {}
    for domain in domains:

        def progress(done: int, total: int, name: str = domain.name) -> None:
            watch({"event": "measuring", "text": f"vectors of {name}: {done}/{total} texts, once"})

        texts = [" ".join(text) for text in domain.texts]
        rows.append(
            await vectors_of(texts, embedder, role="document", cache=cache, on_progress=progress)
        )
        asked = await vectors_of(
            domain.questions, embedder, role="query", cache=cache, on_progress=progress
        )
        questions.update(zip(domain.questions, asked, strict=True))
    return questions, Remixer(domains=domains, vectors=rows, seed=SEED)


async def _load(
    pool: Pool, remixer: Remixer, chunks: int, embedder: Embedder, watch: Watch
) -> dict[str, Any]:
    """Load what is not there yet. What takes the mixing of texts is told apart."""
    store = DocumentStore(pool)
    sources = {name: await store.source(name, f"bench:{name}") for name in _SOURCES}
    mixing = 0.0

    def arrivals() -> Iterator[Arrival]:
        nonlocal mixing
        documents = remixer.documents(chunks)
        while True:
            began = time.perf_counter()
            one = next(documents, None)
            mixing += time.perf_counter() - began
            if one is None:
                return
            yield Arrival(
                source_id=sources[one.collection], document=one.document, vectors=one.vectors
            )

    def progress(loaded: loading.Loaded) -> None:
        watch({"event": "measuring", "text": f"{loaded.passages}/{chunks} passages loaded"})

    began = time.perf_counter()
    done = await loading.load(
        pool, arrivals(), expected=chunks, embedder=embedder, on_progress=progress
    )
    whole = time.perf_counter() - began
    return {
        "chunks": done.passages,
        "documents": done.documents,
        "seconds": round(whole, 1),
        "of_which": {name: round(seconds, 1) for name, seconds in done.seconds.items()},
        "mixing_s": round(mixing, 1),
    }


async def _searches(
    pool: Pool, known: KnownEmbedder, model: Model, questions: Mapping[str, Floats], watch: Watch
) -> dict[str, Any]:
    texts = _chosen(list(questions))
    asked = await exhaustive.questions(pool, texts, np.array([questions[text] for text in texts]))
    watch({"event": "measuring", "text": "reading all passages, to compare with"})
    all_ = await exhaustive.read(pool, model, asked)
    filters = await narrowings.of(pool, all_)
    wanted = await asyncio.to_thread(_wanted, all_, asked, filters)
    searcher = Searcher(pool, known)
    unread = Searcher(pool, KnownEmbedder(known.model, known.dimensions, {}))
    watch({"event": "measuring", "text": f"{len(asked)} questions"})
    report: dict[str, Any] = {
        "questions": len(asked),
        "passages": len(all_.ids),
        "fused": await searching.fused(searcher, asked, wanted),
        "vector": await searching.vector_leg(pool, model, asked, wanted),
        "lexical": await searching.lexical_leg(unread, asked, wanted),
        "filters": await searching.filtered(searcher, filters, asked, wanted),
    }
    if not report["fused"]["overlap@10"]:
        raise AgentError("The benchmark is void: search found nothing of what it should.")
    return report


async def _peers(
    dsn: str, interpreter: Path, chunks: int, remixer: Remixer, questions: Mapping[str, Floats]
) -> dict[str, Any]:
    few = remixer.documents(min(chunks, peers.PASSAGES))
    asked = [questions[text] for text in _chosen(list(questions))]
    return await peers.measure(dsn, interpreter, few, asked)


def _wanted(
    all_: Exhaustive, asked: Sequence[Question], filters: Sequence[Narrowing]
) -> list[Answer]:
    withins = [one.within for one in filters]
    few = all_.answers(asked[: searching.FILTERED], withins, searching.K)
    return few + all_.answers(asked[searching.FILTERED :], (), searching.K)


def _chosen(texts: Sequence[str]) -> list[str]:
    order = np.random.default_rng(SEED).permutation(len(texts))[:QUESTIONS]
    return [texts[index] for index in order]


def _made(domains: Sequence[Domain]) -> dict[str, Any]:
    return {
        "how": " ".join((remix.__doc__ or "").split()),
        "texts": {domain.name: len(domain.texts) for domain in domains},
        "seed": SEED,
        "zipf": remix.ZIPF,
        "noise": remix.NOISE,
    }
