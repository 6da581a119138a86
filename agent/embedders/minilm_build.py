"""Chooses the graph of all-MiniLM-L6-v2 for this machine. A program: path of weights in, graph out.

The graph of bytes is taken only if it proves itself here against the one of 32 bits: some
processors have no instruction for products of bytes, and on others such products overflow.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.embedders.minilm_files import TOKENS, session, tokeniser
from agent.embedders.minilm_graph import IDS, VECTOR, Encoder
from agent.embedders.minilm_int8 import Int8Encoder, Ranges

Ids = NDArray[np.int64]

LEAST_COSINE = 0.995
"""Of every text of the proof."""
MOST_TIME = 0.9
"""Share of the time that 32 bits take, at which bytes are worth their loss."""

_FIRST, _LAST = 101, 102
"""Marks around every text."""
_SIGNS, _WORDS = 999, 1996
"""Where signs and letters begin among the word pieces, and where whole words do. Words come in the
order of how often they occur."""
_WORDS_KNOWN = 26_000
_SEED = 7
_ALONE, _SEQUENCES = 140, 40
_REPEATED_EVERY = 3
_RULES = (1008, 1010, 1011, 1012, 1027, 1035)
"""Signs that lines are drawn with: `* , - . = _`."""
_RULE_LENGTHS = (60, 180, TOKENS - 2)

PROOF = (
    "",
    "Who was that?",
    "Invoice 2024-117",
    "How long is the guarantee?",
    "The warranty of the pump is two years from the day of delivery, except for its seals.",
    "Ein Satz mit Umlauten: Über Öl und Ärger spricht man nicht, sagt die Großmutter.",
    "今天的天气非常好。",
    "🎉🎉🎉",
    "a" * 400,
    "inspect " * 200,
    "SELECT name, count(*) FROM runs WHERE state = 'done' GROUP BY 1 ORDER BY 2 DESC LIMIT 10;",
    "def area(radius: float) -> float:\n    return 3.14159 * radius ** 2  # of a disc\n",
    "From: Ann\nTo: Bob\nSubject: Re: keys\n\n> where are they?\nUnder the mat, as always.\n",
    "| year | litres | price |\n| --- | --- | --- |\n| 2021 | 5,310.5 | 1.42 |\n| 2022 | 4,988 |",
    "0x7fff 1e-12 3/8 192.168.0.1 +49 (0)30 1234567 https://example.org/a?b=c#d C:\\temp\\x.log",
    "Boil the potatoes in their skins, peel them while they are hot, and press them at once. Stir "
    "in the butter, then the warm milk little by little, until the mash holds a soft peak. Salt "
    "comes last: potatoes differ, and what tastes right in the pot is too much on the plate. A "
    "grating of nutmeg is customary; onions fried slowly until brown are better.",
    "The committee heard the treasurer's report. Income fell by four per cent because two courses "
    "were cancelled, while heating cost a third more than in the year before. It was resolved, "
    "with one vote against, to raise the members' fee from January, and to ask the town whether "
    "the hall may be used on Thursdays. The next meeting is on the ninth of March at seven.",
    "Light that enters water bends towards the normal, since it travels more slowly there. The "
    "ratio of both speeds is the index of refraction; for water it is 1.33, for window glass about "
    "1.5. Beyond a certain angle no light leaves the denser medium at all, and the surface becomes "
    "a mirror. Fibres that carry telephone calls across oceans rest on nothing else.",
)
"""Texts of all kinds. The calibration has seen none of them."""


def chosen(weights: Path) -> bytes:
    """Return the graph of bytes if it is as good as it must be and faster, else that of 32 bits."""
    exact_graph = Encoder(weights).model()
    exact = session(weights, exact_graph)
    rounded_graph = Int8Encoder(weights, ranges(weights)).model()
    try:
        rounded = session(weights, rounded_graph)
    except Exception:  # noqa: BLE001 - onnxruntime has no narrower; an operator is not there
        return exact_graph
    texts = [np.array(one.ids) for one in tokeniser(weights).encode_batch(list(PROOF))]
    if _least_cosine(exact, rounded, texts) < LEAST_COSINE:
        return exact_graph
    slow = any(_time(rounded, ids) > MOST_TIME * _time(exact, ids) for ids in _extremes(texts))
    return exact_graph if slow else rounded_graph


def ranges(weights: Path) -> Ranges:
    """Return the ranges of what linear layers take, over made-up texts of all lengths."""
    encoder = Encoder(weights)
    running = session(weights, encoder.model(with_inputs=True))
    seen: dict[str, NDArray[np.float32]] = {}
    for ids in made_up_texts():
        taken = running.run(list(encoder.inputs.values()), {IDS: ids})
        for name, rows in zip(encoder.inputs, taken, strict=True):
            largest = np.abs(rows).max(axis=0)
            seen[name] = np.maximum(seen.get(name, 0), largest)
    return seen


def made_up_texts() -> Iterator[Ids]:
    """Yield the same texts at every call: marks alone, single words and signs, and sequences.

    Short texts give the largest numbers, and so does what is said or drawn again and again.
    """
    random = np.random.default_rng(_SEED)
    yield _marked(np.array([], np.int64))
    for piece in _pieces(random, _ALONE):
        yield _marked(np.array([piece]))
    for length in np.geomspace(2, TOKENS - 2, _SEQUENCES).astype(int):
        pieces = _pieces(random, length)
        yield _marked(pieces)
        if length % _REPEATED_EVERY == 0:
            yield _marked(np.full(length, pieces[0]))
    for length in _RULE_LENGTHS:
        for sign in _RULES:
            yield _marked(np.full(length, sign))


def _pieces(random: np.random.Generator, length: int) -> Ids:
    """Return words and signs about as often as they occur."""
    words = _WORDS + (_WORDS_KNOWN * random.random(length) ** 3).astype(np.int64)
    signs = random.integers(_SIGNS, _WORDS, length)
    return np.where(random.random(length) < 1 / 3, signs, words)


def _marked(pieces: Ids) -> Ids:
    return np.concatenate([[_FIRST], pieces, [_LAST]])


def _least_cosine(exact: Any, rounded: Any, texts: Sequence[Ids]) -> float:
    cosines = []
    for ids in texts:
        (one,), (other,) = (each.run([VECTOR], {IDS: ids}) for each in (exact, rounded))
        cosines.append(float(one @ other))
    return min(cosines)


def _extremes(texts: Sequence[Ids]) -> tuple[Ids, Ids]:
    """Return a question and the longest text."""
    return texts[3], max(texts, key=len)


def _time(running: Any, ids: Ids, repeats: int = 7) -> float:
    """Return the least seconds of processor time of a run, whatever else the machine does."""
    took = []
    for _ in range(repeats):
        began = time.thread_time()
        running.run([VECTOR], {IDS: ids})
        took.append(time.thread_time() - began)
    return min(took)


if __name__ == "__main__":
    sys.stdout.buffer.write(chosen(Path(sys.argv[1])))
