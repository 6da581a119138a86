"""The same questions asked of bm25s, and of an exact search with all-MiniLM-L6-v2."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.bench import peer as peer_process
from agent.bench.retrieval.beir import Judged
from agent.recorder import Watch

DEPTH = 100
_BATCH = 256
_TIMEOUT_S = 1_800.0

Rankings = dict[str, dict[str, Sequence[str]]]


async def rankings(judged: Judged, interpreter: Path, watch: Watch) -> Rankings:
    """Return by peer and question the ids of documents, best first. Raises PeerError."""
    return {
        "bm25s": await _lexical(judged, interpreter),
        "exact_minilm": await _exact(judged, interpreter, watch),
    }


async def _lexical(judged: Judged, interpreter: Path) -> dict[str, Sequence[str]]:
    async with peer_process.started(interpreter, "lexical") as peer:
        await peer.ask("index", corpus=str(judged.corpus), stem=True, timeout_s=_TIMEOUT_S)
        texts = [text for _, text in judged.questions]
        found = await peer.ask("search", queries=texts, k=DEPTH, timeout_s=_TIMEOUT_S)
    return {
        key: [one[0] for one in hits]
        for (key, _), hits in zip(judged.questions, found.value, strict=True)
    }


async def _exact(judged: Judged, interpreter: Path, watch: Watch) -> dict[str, Sequence[str]]:
    """Compare every question with every document, each of which is one text."""
    documents = [f"{title} {text}".strip() for _, title, text in judged.documents]
    questions = [text for _, text in judged.questions]
    with tempfile.TemporaryDirectory(prefix="cortical-bench-") as folder:
        into = str(Path(folder) / "vectors.npy")
        async with peer_process.started(interpreter, "sentences") as peer:
            await peer.ask("load", timeout_s=_TIMEOUT_S)

            async def embedded(texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
                rows = []
                for start in range(0, len(texts), _BATCH):
                    batch = texts[start : start + _BATCH]
                    await peer.ask("embed", texts=batch, into=into, timeout_s=_TIMEOUT_S)
                    rows.append(np.load(into))
                    watch({"event": "embedding", "done": start + len(batch), "total": len(texts)})
                return np.concatenate(rows)

            cosines = await embedded(questions) @ (await embedded(documents)).T
    ids = [key for key, _, _ in judged.documents]
    return {
        key: [ids[at] for at in np.argsort(-row, kind="stable")[:DEPTH]]
        for (key, _), row in zip(judged.questions, cosines, strict=True)
    }
