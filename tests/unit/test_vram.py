"""What a model takes of a card follows from its shape and from how it is loaded."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.models import published
from agent.residency import decoder, vram
from agent.residency.decoder import Generation, Layer
from agent.residency.vram import (
    PROCESS_BYTES,
    KvType,
    Load,
    Shape,
    cache_bytes,
    cells,
    compute_bytes,
    largest_context,
    need,
)

MIB = 1 << 20
GIB = 1 << 30


def embedding(vocabulary: int, length: int, *, bits: float) -> int:
    return int(vocabulary * length * bits / 8)


QWEN3_LAYER = Layer(heads=40, kv_heads=8, key_length=128, value_length=128, feed_forward=17_408)
PHI4_LAYER = Layer(
    heads=40,
    kv_heads=10,
    key_length=128,
    value_length=128,
    feed_forward=17_920,
    fused_attention=True,
    fused_gate=True,
)
QWEN3_Q8 = Shape(
    weight_bytes=int((14_177.36 + 788.24) * MIB),
    embedding_bytes=embedding(151_936, 5_120, bits=8.5),
    tied=False,
    layers=(QWEN3_LAYER,) * 40,
    embedding_length=5_120,
    vocabulary=151_936,
    trained_tokens=40_960,
)
QWEN3_Q4 = replace(
    QWEN3_Q8, weight_bytes=8_579 * MIB, embedding_bytes=embedding(151_936, 5_120, bits=4.5)
)
QWEN3_Q5 = replace(QWEN3_Q4, weight_bytes=int(9.29 * GIB) + QWEN3_Q4.embedding_bytes)
PHI4 = replace(
    QWEN3_Q4,
    weight_bytes=int((8_354.71 + 275.62) * MIB),
    embedding_bytes=embedding(100_352, 5_120, bits=4.5),
    layers=(PHI4_LAYER,) * 40,
    vocabulary=100_352,
    trained_tokens=16_384,
)


def test_the_embedding_of_qwen3_at_four_bits_is_exact() -> None:
    assert QWEN3_Q4.embedding_bytes / MIB == pytest.approx(417.30, abs=0.005)


@pytest.mark.parametrize(
    ("shape", "tokens", "kv_type", "cache", "served", "total"),
    [
        (QWEN3_Q4, 16_384, KvType.F16, 2.50, 10.77, 11.22),
        (QWEN3_Q4, 16_384, KvType.Q8_0, 1.33, 9.60, 10.04),
        (QWEN3_Q4, 8_192, KvType.Q8_0, 0.66, 8.93, 9.38),
        (QWEN3_Q4, 32_768, KvType.F16, 5.00, 13.27, 13.72),
        (QWEN3_Q4, 32_768, KvType.Q8_0, 2.66, 10.93, 11.37),
        (QWEN3_Q5, 16_384, KvType.F16, 2.50, 12.09, 12.54),
        (QWEN3_Q5, 16_384, KvType.Q8_0, 1.33, 10.92, 11.36),
        (PHI4, 16_384, KvType.F16, 3.13, 11.49, 11.93),
        (PHI4, 16_384, KvType.Q8_0, 1.66, 10.02, 10.47),
    ],
)
def test_the_table_of_figures_is_reproduced(
    shape: Shape, tokens: int, kv_type: KvType, cache: float, served: float, total: float
) -> None:
    build = Generation.B2500
    found = need(shape, Load(context_tokens=tokens, kv_type=kv_type, builds=(build,)))

    assert found.cache / GIB == pytest.approx(cache, abs=0.006)
    assert found.served / GIB == pytest.approx(served, abs=0.015)
    assert found.total / GIB == pytest.approx(total, abs=0.015)


@pytest.mark.parametrize(
    ("shape", "kv_type", "kib"),
    [
        (QWEN3_Q4, KvType.F16, 160),
        (QWEN3_Q4, KvType.Q8_0, 85),
        (QWEN3_Q4, KvType.Q4_0, 45),
        (PHI4, KvType.F16, 200),
        (PHI4, KvType.Q8_0, 106.25),
    ],
)
def test_the_cache_of_one_token_is_exact(shape: Shape, kv_type: KvType, kib: float) -> None:
    assert cache_bytes(shape, Load(context_tokens=256, kv_type=kv_type)) == 256 * kib * 1024


def test_a_context_is_rounded_up_as_llama_cpp_rounds_it() -> None:
    assert cache_bytes(PHI4, Load(context_tokens=257)) == cache_bytes(
        PHI4, Load(context_tokens=512)
    )


def test_an_embedding_that_is_also_the_output_layer_lies_on_the_card() -> None:
    tied = replace(QWEN3_Q4, tied=True)
    load = Load(context_tokens=4_096)

    assert need(tied, load).weights == QWEN3_Q4.weight_bytes
    assert need(QWEN3_Q4, load).weights == QWEN3_Q4.weight_bytes - QWEN3_Q4.embedding_bytes


def test_layers_without_attention_take_no_cache() -> None:
    recurrent = replace(QWEN3_LAYER, kv_heads=0)
    hybrid = replace(QWEN3_Q4, layers=(QWEN3_LAYER, *(recurrent,) * 3) * 10)
    load = Load(context_tokens=16_384)

    assert cache_bytes(hybrid, load) * 4 == cache_bytes(QWEN3_Q4, load)


def test_recurrent_states_are_kept_for_each_request_whatever_the_context() -> None:
    hybrid = replace(QWEN3_Q4, state_bytes=150 * MIB)
    load = Load(context_tokens=4_096, parallel=2)

    assert cache_bytes(hybrid, load) == cache_bytes(QWEN3_Q4, load) + 300 * MIB


def test_a_windowed_layer_keeps_its_window_and_one_batch() -> None:
    windowed = replace(QWEN3_LAYER, windowed=True)
    shape = replace(QWEN3_Q4, layers=(windowed, QWEN3_LAYER) * 20, sliding_window=1_024)
    load = Load(context_tokens=16_384)

    assert cells(shape, load, windowed) == 1_024 + 512
    assert cells(shape, load, QWEN3_LAYER) == 16_384
    assert cells(shape, replace(load, context_tokens=512), windowed) == 512
    assert cells(shape, replace(load, micro_batch=2_000), windowed) == 3_072
    assert cells(shape, replace(load, parallel=4, shared_cache=True), windowed) == 4 * 1_024 + 512
    assert cells(shape, replace(load, whole_window=True), windowed) == 16_384
    assert cache_bytes(shape, load) * 32 == cache_bytes(QWEN3_Q4, load) * (16 + 1.5)


def test_a_longer_context_and_a_larger_batch_need_a_larger_buffer_without_flash_attention() -> None:
    load = Load(context_tokens=8_192, flash_attention=False, builds=(Generation.B11500,))
    scores = 4 * 512 * 8_192 * 40

    assert scores < compute_bytes(QWEN3_Q4, load) < scores * 1.2
    assert compute_bytes(QWEN3_Q4, replace(load, micro_batch=1_024)) > 2 * scores
    assert compute_bytes(QWEN3_Q4, replace(load, flash_attention=True)) < scores / 2


def test_where_the_build_is_not_known_the_larger_buffer_counts() -> None:
    load = Load(context_tokens=16_384)
    each = [
        compute_bytes(QWEN3_Q4, replace(load, builds=(one,)))
        for one in (Generation.B5900, Generation.B11500)
    ]

    assert compute_bytes(QWEN3_Q4, load) == max(each)
    assert each[1] < each[0], "a newer build keeps no logits for a whole batch"


def test_requests_at_once_have_a_context_each() -> None:
    one = Load(context_tokens=4_096)
    assert cache_bytes(PHI4, replace(one, parallel=3)) == 3 * cache_bytes(PHI4, one)
    shared = replace(one, parallel=3, shared_cache=True)
    assert cache_bytes(PHI4, shared) == cache_bytes(PHI4, one)


@given(
    capacity=st.integers(min_value=1 * GIB, max_value=30 * GIB),
    kv_type=st.sampled_from(KvType),
    shape=st.sampled_from([QWEN3_Q4, QWEN3_Q8, PHI4]),
)
def test_the_largest_context_fits_and_one_step_more_does_not(
    capacity: int, kv_type: KvType, shape: Shape
) -> None:
    load = Load(context_tokens=1, kv_type=kv_type)
    found = largest_context(shape, capacity, load)

    if found is None:
        assert need(shape, load).total > capacity
        return
    assert need(shape, replace(load, context_tokens=found)).total <= capacity
    assert found <= shape.trained_tokens
    if found < shape.trained_tokens:
        assert need(shape, replace(load, context_tokens=found + 1)).total > capacity


def test_what_is_not_known_is_said_to_be_a_bound() -> None:
    assert QWEN3_Q4.exact
    assert not replace(QWEN3_Q4, embedding_bytes=0).exact
    assert not replace(QWEN3_Q4, known=False).exact
    assert PROCESS_BYTES == 457 * MIB


@given(
    model=st.sampled_from(published.MODELS),
    context=st.sampled_from([512, 4_096, 16_384, 100_000]),
    micro_batch=st.sampled_from([128, 512, 2_048]),
    flash_attention=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_the_builds_that_bound_a_server_bound_those_between_them(
    model: published.Published, context: int, micro_batch: int, flash_attention: bool
) -> None:
    load = Load(context_tokens=context, micro_batch=micro_batch, flash_attention=flash_attention)
    between = compute_bytes(model.shape(), replace(load, builds=(Generation.B10900,)))

    assert between <= compute_bytes(model.shape(), load)


@given(
    model=st.sampled_from(published.MODELS),
    context=st.sampled_from([512, 1_000, 4_096, 16_384, 100_000]),
    micro_batch=st.sampled_from([128, 512, 2_048]),
    flash_attention=st.booleans(),
    parallel=st.integers(min_value=1, max_value=4),
    build=st.sampled_from(Generation),
)
@settings(max_examples=40, deadline=None)
def test_a_few_layers_need_the_buffer_of_all(
    model: published.Published,
    context: int,
    micro_batch: int,
    flash_attention: bool,
    parallel: int,
    build: Generation,
) -> None:
    shape = model.shape()
    load = Load(
        context_tokens=context,
        micro_batch=micro_batch,
        flash_attention=flash_attention,
        parallel=parallel,
        builds=(build,),
    )
    batch = vram._batch(shape, load, build)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoder, "_representative", lambda layers: layers)
        every = decoder.buffer_bytes(
            shape.layers,
            embedding=shape.embedding_length,
            vocabulary=shape.vocabulary,
            batch=batch,
        )
    assert compute_bytes(shape, load) == every
