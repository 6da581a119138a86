"""MiniLM in bytes is as near to 32 bits as it must be, and is taken only where it proves to be."""

import asyncio
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.bench import samples
from agent.embedders import minilm, minilm_build, minilm_int8
from agent.embedders.minilm import MiniLmEmbedder
from agent.embedders.minilm_files import session, tokeniser, weights_file
from agent.embedders.minilm_graph import IDS, Encoder

DATA = Path(__file__).parents[3] / "shared" / "data" / "retrieval"
FOLDERS = sorted(path for path in DATA.glob("*") if (path / "corpus.jsonl").is_file())
BAR = 0.995

HARDLY_TEXT = [
    "",
    *string.ascii_lowercase,
    *string.punctuation,
    *(str(number) for number in range(20)),
    *"yes no why who now then good fair hope seriously provided yourselves wonderful".split(),
    "Who was that?",
    "Where are you?",
    "I do not know.",
    "... " * 60,
    "inspect " * 300,
    "-" * 500,
    "=== " * 80,
    "| " * 200,
    "the " * 200,
    "今天的天气非常好。",
    "🎉🎉🎉",
]


@pytest.fixture(scope="module")
def embedder(embedder_cache: Path) -> MiniLmEmbedder:
    return MiniLmEmbedder(cache_dir=embedder_cache)


@pytest.fixture(scope="module")
def exact() -> Any:
    path = weights_file()
    return session(path, Encoder(path).model())


async def least_cosine(embedder: MiniLmEmbedder, exact: Any, texts: list[str]) -> float:
    vectors = await embedder.embed(texts, role="document")
    words = tokeniser(weights_file())

    def expected(text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = exact.run(None, {IDS: np.array(words.encode(text).ids)})[0]
        return vector

    return float(min(expected(text) @ vector for text, vector in zip(texts, vectors, strict=True)))


async def test_real_texts_lie_within_the_bar_of_their_exact_vectors(
    embedder: MiniLmEmbedder, exact: Any, amount: Callable[[int, int], int]
) -> None:
    count = amount(20, 600)
    own = samples.chosen((), count)
    assert len(own.documents) == len(own.questions) == count
    assert await least_cosine(embedder, exact, [*own.documents, *own.questions]) >= BAR


async def test_texts_that_hardly_say_anything_lie_within_the_bar(
    embedder: MiniLmEmbedder, exact: Any
) -> None:
    assert await least_cosine(embedder, exact, HARDLY_TEXT) >= BAR


@pytest.mark.shared
@pytest.mark.skipif(not FOLDERS, reason="the public data does not lie beside the checkout")
async def test_texts_of_others_lie_within_the_bar(
    embedder: MiniLmEmbedder, exact: Any, amount: Callable[[int, int], int]
) -> None:
    count = amount(40, 1_000)
    folders = FOLDERS[: amount(1, len(FOLDERS))]
    theirs = await asyncio.to_thread(samples.chosen, folders, count)
    texts = [*theirs.documents, *theirs.questions]
    assert len(texts) == 2 * count
    assert await least_cosine(embedder, exact, texts) >= BAR


def test_the_calibration_is_the_same_at_every_call() -> None:
    once, again = list(minilm_build.made_up_texts()), list(minilm_build.made_up_texts())
    assert len(once) > 100
    assert all(np.array_equal(one, other) for one, other in zip(once, again, strict=True))


@pytest.fixture(scope="module")
def ranges() -> minilm_int8.Ranges:
    return minilm_build.ranges(weights_file())


def precision(graph: bytes) -> str:
    name: str = session(weights_file(), graph).get_modelmeta().graph_name
    return name.rpartition("-")[2]


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        pytest.param(minilm_build, "LEAST_COSINE", 1.01, id="worse"),
        pytest.param(minilm_build, "MOST_TIME", 0.0, id="slower"),
        pytest.param(minilm_int8, "CONTRIBUTED", "not.there", id="an operator is not there"),
    ],
)
def test_a_machine_on_which_bytes_do_not_prove_themselves_takes_32_bits(
    monkeypatch: pytest.MonkeyPatch,
    ranges: minilm_int8.Ranges,
    module: Any,
    name: str,
    value: Any,
) -> None:
    monkeypatch.setattr(minilm_build, "ranges", lambda weights: ranges)
    monkeypatch.setattr(module, name, value)
    assert precision(minilm_build.chosen(weights_file())) == "fp32"


def test_what_overflows_on_this_machine_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, ranges: minilm_int8.Ranges
) -> None:
    monkeypatch.setattr(minilm_build, "ranges", lambda weights: ranges)
    whole = minilm_int8.Int8Encoder._product

    def saturated(self: Any, rounded: Any, name: str, matrix: Any, bias: str = "") -> str:
        return whole(self, rounded, name, np.clip(matrix, -0.05, 0.05), bias)

    monkeypatch.setattr(minilm_int8.Int8Encoder, "_product", saturated)
    assert precision(minilm_build.chosen(weights_file())) == "fp32"


def test_a_graph_is_not_taken_over_by_another_processor_or_onnxruntime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setattr(minilm, "_built", lambda weights: Encoder(weights).model())
    assert MiniLmEmbedder(cache_dir=cache).precision() == "fp32"
    monkeypatch.setattr(minilm, "version", lambda package: "another")
    MiniLmEmbedder(cache_dir=cache).precision()
    monkeypatch.setattr(np, "show_config", lambda mode: {"SIMD Extensions": {"found": ["OLD"]}})
    MiniLmEmbedder(cache_dir=cache).precision()
    MiniLmEmbedder(cache_dir=cache).precision()

    assert len(list(cache.iterdir())) == 3


async def test_many_askers_at_once_get_what_each_alone_would(embedder: MiniLmEmbedder) -> None:
    own = samples.chosen((), 12)
    texts = [*own.documents, *own.questions]
    alone = [await embedder.embed([text], role="document") for text in texts]
    together = await asyncio.gather(
        *(embedder.embed(texts[turn:] + texts[:turn], role="document") for turn in range(6))
    )

    for turn, vectors in enumerate(together):
        assert np.array_equal(vectors, np.concatenate(alone[turn:] + alone[:turn]))


def test_what_it_multiplies_is_told(embedder: MiniLmEmbedder) -> None:
    assert embedder.precision() in ("int8", "fp32")
