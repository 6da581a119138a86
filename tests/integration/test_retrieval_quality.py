"""The words' leg on public judged questions: a guard against a silent loss of quality."""

import json
import math
from pathlib import Path

import pytest

from memory.database import Pool
from memory.documents import Hit, NewChunk, NewDocument
from memory.lexicon import CHARACTERS_LIMIT
from memory.places import Place
from memory.search import Searcher
from memory.store import DocumentStore
from memory.testing import DOCUMENT_LABEL, HashingEmbedder

RETRIEVAL = Path(__file__).parents[2].parent / "shared" / "data" / "retrieval"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not RETRIEVAL.is_dir(), reason="the public data is not beside the checkout"),
]


@pytest.mark.parametrize(("name", "wanted"), [("anthropic_docs", 0.735), ("cranfield", 0.364)])
async def test_the_words_alone_rank_as_well_as_was_measured(
    pool: Pool, name: str, wanted: float
) -> None:
    store, searcher = DocumentStore(pool), Searcher(pool, HashingEmbedder())
    source_id = await store.source(name, name)
    lines = (RETRIEVAL / name / "corpus.jsonl").read_text("utf-8").splitlines()
    for start in range(0, len(lines), 100):
        chunks = [chunk for line in lines[start : start + 100] for chunk in pieces(line)]
        await store.put(source_id, document(str(start), chunks))
    gains = judgements(name)
    lines = (RETRIEVAL / name / "queries.jsonl").read_text("utf-8").splitlines()
    questions = {row["_id"]: row["text"] for row in map(json.loads, lines)}
    scores = [
        ndcg(ranked(await searcher.candidates(questions[key])), of_this)
        for key, of_this in gains.items()
    ]
    assert len(scores) >= 100
    assert sum(scores) / len(scores) >= wanted - 0.02


def pieces(line: str) -> list[NewChunk]:
    """Return a document as few passages, none longer than can be indexed."""
    row = json.loads(line)
    size = CHARACTERS_LIMIT - len(row["title"]) - 1
    starts = range(0, max(1, len(row["text"])), size)
    texts = [row["text"][start : start + size] for start in starts]
    return [
        NewChunk(
            text=text, context=row["title"], place=Place(part=row["_id"]), label=DOCUMENT_LABEL
        )
        for text in texts
    ]


def document(uri: str, chunks: list[NewChunk]) -> NewDocument:
    return NewDocument(
        uri=uri,
        title=uri,
        kind="text",
        media_type="text/plain",
        content_hash=uri.encode(),
        reader="test 1",
        language="en",
        modified_at=None,
        label=DOCUMENT_LABEL,
        chunks=tuple(chunks),
    )


def judgements(name: str) -> dict[str, dict[str, float]]:
    gains: dict[str, dict[str, float]] = {}
    for line in (RETRIEVAL / name / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
        question, found, gain = line.split("\t")
        if float(gain) > 0:
            gains.setdefault(question, {})[found] = float(gain)
    return gains


def ranked(hits: list[Hit]) -> list[str]:
    """Return the documents by their best passage's words."""
    by_words = sorted(hits, key=lambda hit: -hit.lexical)
    return list(dict.fromkeys(hit.chunk.place.part or "" for hit in by_words))


def ndcg(found: list[str], gains: dict[str, float], depth: int = 10) -> float:
    best = sorted(gains.values(), reverse=True)
    return discounted([gains.get(key, 0.0) for key in found[:depth]]) / discounted(best[:depth])


def discounted(gains: list[float]) -> float:
    return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains))
