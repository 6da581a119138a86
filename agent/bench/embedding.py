"""How fast texts become vectors: the embedded embedder beside sentence-transformers in 32 bits.

Both embed the same texts on the same cores and take turns, so that the machine's other work falls
on both alike.
"""

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.bench import peer, samples
from agent.bench.peer import Peer
from agent.bench.samples import Samples
from agent.embedders.minilm import MiniLmEmbedder
from agent.embedders.minilm_files import tokeniser, weights_file
from agent.errors import AgentError
from agent.settings import Settings

OURS, PEER = "cortical", "sentence_transformers"
_SINGLE = 20
"""Questions that are embedded one at a time."""
_UNIT = 1 if sys.platform == "darwin" else 1024
_VECTORS = "vectors.npy"

Embed = Callable[[Sequence[str]], Awaitable[float]]
"""Embeds texts and returns the seconds that it took."""


async def measure(
    settings: Settings,
    folders: Sequence[Path],
    *,
    count: int,
    rounds: int,
    interpreter: Path | None,
    watch: Callable[[Mapping[str, Any]], None],
) -> dict[str, Any]:
    """Return texts and tokens a second of both kinds of texts, and how near the vectors are."""
    texts = samples.chosen(folders, count)
    tokens = _tokens(texts)
    embedder = MiniLmEmbedder(cache_dir=settings.cache_dir / "embedder")
    began = time.perf_counter()
    ours: dict[str, Any] = {"precision": embedder.precision()}
    ours["load_s"] = time.perf_counter() - began
    report: dict[str, Any] = {"rounds": rounds, "tokens": tokens, OURS: ours, PEER: None}
    if interpreter is None:
        took = await _alternating({OURS: _ours(embedder)}, texts, rounds, watch)
    else:
        async with peer.started(interpreter, "sentences") as other:
            loaded = await other.ask("load")
            report["cosine"] = await _cosines(embedder, other, texts)
            kinds = {OURS: _ours(embedder), PEER: _theirs(other)}
            took = await _alternating(kinds, texts, rounds, watch)
            last = await other.ask("embed", texts=["a"])
        report[PEER] = {
            "versions": dict(other.versions),
            "load_s": loaded.seconds,
            "peak_bytes": last.peak_bytes,
        }
        report["times_as_fast"] = _ratios(took)
    ours["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
    for name, seconds in took.items():
        report[name] |= _figures(seconds, tokens, texts)
    return report


def _tokens(texts: Samples) -> dict[str, int]:
    """Count the tokens that are looked at. Raises AgentError where there are none."""
    if not (texts.documents and texts.questions):
        raise AgentError("The benchmark is void: it needs documents and questions.")
    words = tokeniser(weights_file())
    return {
        name: sum(len(one.ids) for one in words.encode_batch(list(some)))
        for name, some in (("documents", texts.documents), ("questions", texts.questions))
    }


def _ours(embedder: MiniLmEmbedder) -> Embed:
    async def embed(some: Sequence[str]) -> float:
        began = time.perf_counter()
        await embedder.embed(some, role="document")
        return time.perf_counter() - began

    return embed


def _theirs(other: Peer) -> Embed:
    async def embed(some: Sequence[str]) -> float:
        return (await other.ask("embed", texts=list(some))).seconds

    return embed


async def _cosines(embedder: MiniLmEmbedder, other: Peer, texts: Samples) -> dict[str, Any]:
    """Embed all once with both, which warms them up; compare vector by vector."""
    both = [*texts.documents, *texts.questions]
    ours = await embedder.embed(both, role="document")
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / _VECTORS
        await other.ask("embed", texts=both, into=str(into))
        theirs: NDArray[np.float32] = np.load(into)
    cosines = np.sum(ours * theirs, axis=1)
    return {
        "texts": len(both),
        "min": float(cosines.min()),
        "p1": float(np.percentile(cosines, 1)),
        "p50": float(np.median(cosines)),
    }


Took = dict[str, list[float]]
"""Seconds of each round, by what was embedded."""


async def _alternating(
    kinds: Mapping[str, Embed],
    texts: Samples,
    rounds: int,
    watch: Callable[[Mapping[str, Any]], None],
) -> dict[str, Took]:
    """Embed everything with each in turn, in every other round with the last one first."""
    took: dict[str, Took] = {
        name: {"documents": [], "questions": [], "single": []} for name in kinds
    }
    singles = [[question] for question in texts.questions[:_SINGLE]]
    for number in range(rounds):
        watch({"event": "measuring", "text": f"round {number + 1} of {rounds}"})
        for name in sorted(kinds, reverse=bool(number % 2)):
            took[name]["documents"].append(await kinds[name](texts.documents))
            took[name]["questions"].append(await kinds[name](texts.questions))
            took[name]["single"] += [await kinds[name](single) for single in singles]
    return took


def _figures(took: Took, tokens: Mapping[str, int], texts: Samples) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, some in (("documents", texts.documents), ("questions", texts.questions)):
        seconds = statistics.median(took[name])
        figures[name] = {
            "texts_per_s": len(some) / seconds,
            "tokens_per_s": tokens[name] / seconds,
            "s": took[name],
        }
    return {**figures, "ms_per_single_question": 1e3 * statistics.median(took["single"])}


def _ratios(took: Mapping[str, Took]) -> dict[str, float]:
    """Return the median over the rounds of how many times as long the peer took."""
    pairs = {
        name: list(zip(took[PEER][name], took[OURS][name], strict=True))
        for name in ("documents", "questions", "single")
    }
    pairs["together"] = [
        (theirs + more, ours + less)
        for (theirs, ours), (more, less) in zip(pairs["documents"], pairs["questions"], strict=True)
    ]
    return {
        name: statistics.median(theirs / ours for theirs, ours in both)
        for name, both in pairs.items()
    }


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write the figures as a table."""
    yield f"{report['rounds']} rounds, taking turns; medians:"
    for name in (OURS, PEER):
        one = report[name]
        if one is None:
            continue
        documents, questions = one["documents"], one["questions"]
        yield (
            f"  {name.replace('_', '-'):<22} documents {documents['texts_per_s']:6.1f}/s, "
            f"{documents['tokens_per_s']:6.0f} tokens/s; questions "
            f"{questions['texts_per_s']:6.1f}/s, one alone {one['ms_per_single_question']:.1f} ms; "
            f"loaded in {one['load_s']:.1f} s; {one['peak_bytes'] / 2**20:.0f} MiB"
        )
    yield f"cortical multiplies {report[OURS]['precision']}."
    if report[PEER] is None:
        yield f"sentence-transformers were not measured: they are not there. {peer.HOW_TO_GET}"
        return
    times, cosine = report["times_as_fast"], report["cosine"]
    yield (
        f"cortical is {times['together']:.1f} times as fast (documents {times['documents']:.1f}, "
        f"questions {times['questions']:.1f}, one alone {times['single']:.1f})"
    )
    yield (
        f"cosine of both over {cosine['texts']} texts: min {cosine['min']:.4f}, 1st percentile "
        f"{cosine['p1']:.4f}, median {cosine['p50']:.4f}"
    )
