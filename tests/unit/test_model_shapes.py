"""What a file or a server tells of a model becomes the shape that its need is computed from."""

from typing import Any

from agent.executives.gguf.ggml import Tensor, file_type, rounded
from agent.executives.gguf.header import embedded_model, read_contents
from agent.models.shapes import incomplete, shape_of, trained_tokens
from agent.residency.vram import KvType, Load, need

QWEN3: dict[str, Any] = {
    "general.architecture": "qwen3",
    "qwen3.block_count": 40,
    "qwen3.context_length": 40_960,
    "qwen3.embedding_length": 5_120,
    "qwen3.attention.head_count": 40,
    "qwen3.attention.head_count_kv": 8,
    "qwen3.attention.key_length": 128,
    "qwen3.attention.value_length": 128,
}
TENSORS = {
    "token_embd.weight": Tensor(kind="Q4_K", dimensions=(5_120, 151_936)),
    "output.weight": Tensor(kind="Q6_K", dimensions=(5_120, 151_936)),
}


def test_a_model_is_told_by_the_keys_of_its_architecture() -> None:
    shape = shape_of(QWEN3, TENSORS, 9_000_000_000)

    assert shape is not None
    assert shape.kv_heads == (8,) * 40
    assert (shape.heads, shape.key_length, shape.vocabulary) == (40, 128, 151_936)
    assert shape.embedding_bytes == 437_575_680
    assert not shape.tied
    assert shape.exact


def test_lengths_of_heads_that_are_not_told_follow_from_the_embedding() -> None:
    facts = {key: value for key, value in QWEN3.items() if "_length" not in key.split(".")[-1]}
    facts |= {"qwen3.context_length": 4_096, "qwen3.embedding_length": 5_120}
    shape = shape_of(facts, TENSORS, 1)

    assert shape is not None
    assert (shape.key_length, shape.value_length) == (128, 128)


def test_a_list_gives_each_layer_its_own_heads() -> None:
    shape = shape_of(
        {**QWEN3, "qwen3.attention.head_count_kv": [8, 0] * 20}, TENSORS, 9_000_000_000
    )

    assert shape is not None
    assert sum(shape.kv_heads) == 160


def test_a_list_that_came_empty_is_asked_for_again_and_never_guessed() -> None:
    facts = {**QWEN3, "qwen3.attention.head_count_kv": []}

    assert incomplete(facts)
    assert shape_of(facts, TENSORS, 1) is None
    assert not incomplete(QWEN3)


def test_without_an_output_layer_the_embedding_serves_as_one() -> None:
    shape = shape_of(QWEN3, {"token_embd.weight": TENSORS["token_embd.weight"]}, 1_000_000_000)

    assert shape is not None
    assert shape.tied
    assert need(shape, Load(context_tokens=4_096)).weights == 1_000_000_000


def test_without_tensors_the_weights_are_bounded_by_the_file() -> None:
    shape = shape_of({**QWEN3, "qwen3.vocab_size": 151_936}, {}, 9_000_000_000)

    assert shape is not None
    assert not shape.exact
    assert need(shape, Load(context_tokens=4_096)).weights == 9_000_000_000


def test_facts_that_tell_no_layers_give_no_shape() -> None:
    assert shape_of({"general.architecture": "qwen3"}, TENSORS, 1) is None
    assert shape_of({}, {}, 1) is None
    assert trained_tokens(QWEN3) == 40_960


def test_the_embedded_model_is_told_by_its_file() -> None:
    contents = read_contents(embedded_model())
    shape = shape_of(contents.facts, contents.tensors, contents.size_bytes)

    assert shape is not None
    assert shape.kv_heads == (3,) * 30
    assert shape.tied
    found = need(shape, Load(context_tokens=4_096, kv_type=KvType.F16))
    assert found.cache == 30 * 3 * 2 * 64 * 4_096 * 2
    assert sum(t.size_bytes or 0 for t in contents.tensors.values()) < contents.size_bytes
    assert file_type(contents.facts["general.file_type"]) == "Q4_1"


def test_sizes_of_tensors_are_those_of_their_blocks() -> None:
    assert Tensor(kind="Q8_0", dimensions=(32, 2)).size_bytes == 68
    assert Tensor(kind="F16", dimensions=(10,)).size_bytes == 20
    assert Tensor(kind="type 99", dimensions=(10,)).size_bytes is None
    assert (rounded(14_768_307_200), rounded(134_515_008), rounded(0)) == ("14.8B", "135M", "")
