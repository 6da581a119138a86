"""What a file or a server tells of a model becomes the shape that its need is computed from."""

from typing import Any

import pytest

from agent.executives.gguf.ggml import Tensor, file_type, rounded
from agent.executives.gguf.header import embedded_model, read_contents
from agent.models.shapes import incomplete, shape_of, trained_tokens
from agent.models.windows import PATTERN, WINDOW, windowed_layers
from agent.residency.vram import KvType, Load, need

QWEN3: dict[str, Any] = {
    "general.architecture": "qwen3",
    "qwen3.block_count": 40,
    "qwen3.context_length": 40_960,
    "qwen3.embedding_length": 5_120,
    "qwen3.feed_forward_length": 17_408,
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
    assert [layer.kv_heads for layer in shape.layers] == [8] * 40
    assert (shape.layers[0].heads, shape.layers[0].key_length) == (40, 128)
    assert (shape.layers[0].feed_forward, shape.vocabulary) == (17_408, 151_936)
    assert shape.embedding_bytes == 437_575_680
    assert not shape.tied
    assert shape.exact


def test_lengths_of_heads_that_are_not_told_follow_from_the_embedding() -> None:
    facts = {key: value for key, value in QWEN3.items() if "_length" not in key.split(".")[-1]}
    facts |= {"qwen3.context_length": 4_096, "qwen3.embedding_length": 5_120}
    shape = shape_of(facts, TENSORS, 1)

    assert shape is not None
    assert (shape.layers[0].key_length, shape.layers[0].value_length) == (128, 128)
    assert not shape.exact, "the width of the gate is not told"


def test_a_list_gives_each_layer_its_own_heads() -> None:
    shape = shape_of(
        {**QWEN3, "qwen3.attention.head_count_kv": [8, 0] * 20}, TENSORS, 9_000_000_000
    )

    assert shape is not None
    assert sum(layer.kv_heads for layer in shape.layers) == 160


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
    assert [layer.kv_heads for layer in shape.layers] == [3] * 30
    assert shape.exact
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


def moe(**more: Any) -> dict[str, Any]:
    experts = {"expert_count": 128, "expert_used_count": 8, "expert_feed_forward_length": 768}
    facts = {key.replace("qwen3.", "qwen3moe."): value for key, value in QWEN3.items()}
    facts |= {f"qwen3moe.{key}": value for key, value in {**experts, **more}.items()}
    return {**facts, "general.architecture": "qwen3moe"}


def test_experts_are_told_with_their_own_width_and_the_first_layers_may_have_none() -> None:
    shape = shape_of(moe(leading_dense_block_count=1), TENSORS, 1)

    assert shape is not None
    dense, sparse = shape.layers[0], shape.layers[1]
    assert (dense.experts, dense.feed_forward) == (0, 17_408)
    assert (sparse.experts, sparse.experts_used, sparse.feed_forward) == (128, 8, 768)


def test_fused_matrices_are_seen_in_the_list_of_tensors() -> None:
    fused = {"blk.0.attn_qkv.weight": Tensor(kind="Q5_K", dimensions=(5_120, 7_680))}
    shape = shape_of(QWEN3, {**TENSORS, **fused}, 1)

    assert shape is not None
    assert shape.layers[0].fused_attention
    assert shape.layers[0].fused_gate
    assert not shape.layers[1].fused_attention


def test_an_architecture_that_was_never_compared_is_not_called_exact() -> None:
    facts = {key.replace("qwen3.", "novel."): value for key, value in QWEN3.items()}
    shape = shape_of({**facts, "general.architecture": "novel"}, TENSORS, 9_000_000_000)

    assert shape is not None
    assert not shape.exact


@pytest.mark.parametrize(
    ("architecture", "told", "windowed"),
    [
        ("gemma2", {}, [True, False, True, False, True, False]),
        ("gpt-oss", {}, [True, False, True, False, True, False]),
        ("gemma3", {}, [True, True, True, True, True, False]),
        ("phi3", {}, [False] * 6),
        ("llama", {}, [False] * 6),
        ("gemma4", {PATTERN: [1, 1, 0, 1, 1, 0]}, [True, True, False, True, True, False]),
        ("gemma3", {PATTERN: 3}, [True, True, False, True, True, False]),
    ],
)
def test_windows_are_where_the_file_or_the_architecture_puts_them(
    architecture: str, told: dict[str, Any], windowed: list[bool]
) -> None:
    found = windowed_layers(architecture, {WINDOW: 1_024, **told}.get, 6)

    assert list(found) == windowed
    assert windowed_layers(architecture, lambda _: None, 6) == (False,) * 6


def test_latent_keys_are_kept_without_values() -> None:
    facts = {**QWEN3, "qwen3.attention.key_length_mla": 192, "qwen3.attention.key_length": 576}
    shape = shape_of(facts, TENSORS, 1)

    assert shape is not None
    assert (shape.layers[0].key_length, shape.layers[0].value_length) == (576, 0)
