"""The scale benchmark compares search with an exhaustive one that is right."""

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.bench.scale import exhaustive, live, narrowings, searching
from agent.bench.scale.known import KnownEmbedder
from agent.bench.scale.material import Domain
from agent.bench.scale.remix import Remixer
from memory.arrivals import Arrival
from memory.database import Pool
from memory.embedding_models import Model, register
from memory.loading import load
from memory.search import Searcher
from memory.store import DocumentStore
from memory.testing import HashingEmbedder, text_document

WORDS = [f"word{number}" for number in range(400)]
CHUNKS = 1_500


def sentence(rng: np.random.Generator) -> str:
    chosen = np.minimum(rng.zipf(1.4, 16), len(WORDS)) - 1
    return " ".join(WORDS[number] for number in chosen)


async def material(embedder: HashingEmbedder) -> tuple[Remixer, dict[str, NDArray[np.float32]]]:
    rng = np.random.default_rng(3)
    domains = [
        Domain(
            name=name,
            texts=tuple(tuple(sentence(rng) for _ in range(6)) for _ in range(60)),
            questions=tuple(sentence(rng) for _ in range(20)),
        )
        for name in ("one", "two")
    ]
    vectors = [
        await embedder.embed([" ".join(text) for text in one.texts], role="query")
        for one in domains
    ]
    asked = [question for one in domains for question in one.questions]
    known = dict(zip(asked, await embedder.embed(asked, role="query"), strict=True))
    return Remixer(domains=domains, vectors=vectors, seed=5), known


@pytest.fixture
async def filled(pool: Pool) -> tuple[Remixer, KnownEmbedder, Model, list[exhaustive.Question]]:
    embedder = HashingEmbedder()
    remixer, known = await material(embedder)
    model = await register(pool, embedder)
    store = DocumentStore(pool)
    sources = {name: await store.source(name, name) for name in ("main", "small", "large")}
    coming = (
        Arrival(source_id=sources[one.collection], document=one.document, vectors=one.vectors)
        for one in remixer.documents(CHUNKS)
    )
    await load(pool, coming, expected=CHUNKS, embedder=embedder)
    asked = await exhaustive.questions(pool, list(known), np.array([*known.values()]))
    return remixer, KnownEmbedder(model.name, model.dimensions, known), model, asked


Filled = tuple[Remixer, KnownEmbedder, Model, list[exhaustive.Question]]


async def test_both_scores_are_those_of_search_for_every_passage_found(
    pool: Pool, filled: Filled
) -> None:
    _, known, model, asked = filled
    all_ = await exhaustive.read(pool, model, asked)
    assert len(all_.ids) == CHUNKS

    for question in asked[:10]:
        hits = await Searcher(pool, known).candidates(question.text)
        where = np.searchsorted(all_.ids, [hit.chunk.id for hit in hits])
        words = all_.lexical(question.terms)
        (cosines,) = all_.cosines(question.vector[None])
        fused = all_.fused(words, cosines, len(question.terms))
        assert np.allclose(words[where], [hit.lexical for hit in hits], atol=1e-5)
        assert np.allclose(cosines[where], [hit.cosine or 0 for hit in hits], atol=1e-4)
        assert np.allclose(fused[where], [hit.score for hit in hits], atol=1e-4)
        assert len(hits) > 100


async def test_what_the_best_lack_is_told(pool: Pool, filled: Filled) -> None:
    _, _, model, asked = filled
    all_ = await exhaustive.read(pool, model, asked)
    best = all_.answers(asked[:1], (), 10)[0].fused
    ids, scores = best.ids.tolist(), best.scores.tolist()
    assert best.share(ids, scores) == 1
    assert best.share(ids[:5], scores[:5]) == 0.5
    assert best.share([-1] * 10, [0.0] * 10) == 0
    assert sorted(scores, reverse=True) == scores


async def test_all_figures_come_out_and_every_filter_gives_its_rows(
    pool: Pool, filled: Filled
) -> None:
    remixer, known, model, asked = filled
    all_ = await exhaustive.read(pool, model, asked)
    searcher = Searcher(pool, known)
    wide = await narrowings.of(pool, all_)
    wanted = all_.answers(asked, [one.within for one in wide], searching.K)

    fused = await searching.fused(searcher, asked, wanted)
    vector = await searching.vector_leg(pool, model, asked, wanted)
    filters = await searching.filtered(searcher, wide, asked, wanted)
    told = await live.measure(
        DocumentStore(pool),
        model,
        Remixer(domains=remixer.domains, vectors=remixer.vectors, seed=9),
    )

    assert fused["overlap@10"] > 0.9
    assert fused["short_rows"] == 0
    assert vector["recall@10"] == 1
    assert {one["filter"] for one in filters} >= {"kind pdf", "uri /50"}
    assert all(one["short_rows"] == 0 for one in filters)
    assert told["chunks_per_s"] > 0
    assert (await exhaustive.read(pool, model, asked)).ids.tolist() == all_.ids.tolist()


async def test_what_a_broken_off_measurement_left_is_cleared(pool: Pool) -> None:
    store = DocumentStore(pool)
    source = await store.source("live", "bench:live")
    await store.put_many(source, [text_document("left", "Nobody knows the vector of this.")])
    await live.clear(store)
    assert await store.documents("live") == []
