"""BM25 by bm25s, Lucene's formula, English stop words, as its documentation has it."""

import json
from typing import Any

PACKAGES = ("bm25s", "PyStemmer")
_HELD: dict[str, Any] = {}


def index(corpus: str, stem: bool) -> int:  # noqa: FBT001 - named in every request
    """Index the title and text of each line of a JSONL file; return how many there are."""
    import bm25s
    import Stemmer

    ids, texts = [], []
    with open(corpus, encoding="utf-8") as lines:  # noqa: PTH123 - a path out of a request
        for line in lines:
            document = json.loads(line)
            ids.append(document["_id"])
            texts.append(f"{document.get('title', '')} {document['text']}".strip())
    _HELD["ids"] = ids
    _HELD["stemmer"] = Stemmer.Stemmer("english") if stem else None
    _HELD["retriever"] = bm25s.BM25(method="lucene")
    _HELD["retriever"].index(_tokens(texts), show_progress=False)
    return len(ids)


def search(queries: list[str], k: int) -> list[list[tuple[str, float]]]:
    """Return for each query up to k pairs of id and score, best first; a score of 0 is no hit."""
    most = min(k, len(_HELD["ids"]))
    found = _HELD["retriever"].retrieve(_tokens(queries), k=most, show_progress=False)
    return [
        [
            (_HELD["ids"][row], float(score))
            for row, score in zip(rows, scores, strict=True)
            if score > 0
        ]
        for rows, scores in zip(found.documents.tolist(), found.scores, strict=True)
    ]


def _tokens(texts: list[str]) -> Any:
    import bm25s

    return bm25s.tokenize(texts, stopwords="en", stemmer=_HELD["stemmer"], show_progress=False)
