"""A plan keeps to its card, and says what to give up where it cannot."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models import published
from agent.residency import budget, envelopes
from agent.residency.planner import Plan, Wanted, plan
from agent.residency.vram import PROCESS_BYTES, KvType, Load, need

GIB = 1 << 30
QWEN3 = published.MODELS[2].shape()


def card(gib: float, foreign: int | None = None) -> budget.Budget:
    return budget.of_card("a card", int(gib * GIB), foreign_bytes=foreign, measured=False)


def wanted(context: int = 16_384, kv_type: KvType = KvType.F16) -> Wanted:
    return Wanted(
        shape=QWEN3,
        load=Load(context_tokens=context, kv_type=kv_type),
        senses=(envelopes.WHISPER_INT8, envelopes.KOKORO),
        operations=dict(envelopes.USUAL),
    )


def spare(found: Plan, name: str) -> int:
    return next(one.spare_bytes for one in found.beside if one.variant.name == name)


def test_a_card_of_24_holds_the_executive_and_any_two_senses() -> None:
    found = plan(card(24), wanted())

    assert found.budget.exposed_bytes / 2**20 == pytest.approx(24_122, abs=1)
    assert found.headroom_bytes / GIB == pytest.approx(11.3, abs=0.1)
    assert all(left >= 0 for _, _, left in found.pairs)
    assert found.ladder == ()
    assert found.context_alone == found.context_beside == 40_960


def test_a_card_of_16_holds_one_heavy_sense() -> None:
    found = plan(card(16), wanted(kv_type=KvType.Q8_0))

    assert spare(found, "whisper-large-v3-fp16") > 0
    assert any(left < 0 for _, _, left in found.pairs)
    assert found.heaviest is not None
    assert found.heaviest.variant is envelopes.WHISPER_INT8
    assert found.context_beside is not None
    assert found.context_beside <= (found.context_alone or 0)


def test_a_card_of_12_gives_up_a_wide_cache_and_then_hears_on_the_cpu() -> None:
    found = plan(card(12), wanted())

    assert [step.action for step in found.ladder] == [
        "a cache of q8_0",
        "hearing on the CPU, and all of the context",
    ]
    assert [step.fits for step in found.ladder] == [False, True]


def test_a_smaller_variant_comes_before_anything_else_is_given_up() -> None:
    heavy = replace(wanted(), senses=(envelopes.WHISPER_FP16,))
    found = plan(card(16), heavy)

    assert found.ladder[0].action.endswith("in its place")
    assert found.ladder[0].fits
    assert len(found.ladder) == 1


def test_a_card_that_holds_nothing_says_so_step_by_step() -> None:
    found = plan(card(6), wanted())

    assert found.headroom_bytes < 0
    assert found.context_alone is None
    assert found.ladder
    assert not any(step.fits for step in found.ladder)


def test_two_senses_of_the_worker_share_a_context_and_a_server_has_its_own() -> None:
    found = plan(card(24), wanted())
    pairs = {frozenset((one, other)): left for one, other, left in found.pairs}
    by_name = {one.variant.name: one for one in found.beside}

    both = by_name["kokoro-82m"].bytes + by_name["sam2.1-t"].bytes
    assert pairs[frozenset(("kokoro-82m", "sam2.1-t"))] == (
        found.headroom_bytes - both - PROCESS_BYTES
    )
    both = by_name["kokoro-82m"].bytes + by_name["qwen3-vl:4b"].bytes
    assert pairs[frozenset(("kokoro-82m", "qwen3-vl:4b"))] == (
        found.headroom_bytes - both - 2 * PROCESS_BYTES
    )


@given(
    gib=st.floats(min_value=2, max_value=48),
    context=st.integers(min_value=256, max_value=40_960),
    kv_type=st.sampled_from(KvType),
)
def test_what_a_plan_says_fits_does(gib: float, context: int, kv_type: KvType) -> None:
    asked = wanted(context, kv_type)
    found = plan(card(gib), asked)
    capacity = found.budget.capacity_bytes

    assert found.headroom_bytes == capacity - need(QWEN3, asked.load).total
    heaviest = found.heaviest
    assert heaviest is not None
    taken = heaviest.bytes + heaviest.process_bytes
    for tokens, beside in ((found.context_alone, 0), (found.context_beside, taken)):
        if tokens is not None:
            load = replace(asked.load, context_tokens=tokens)
            assert need(QWEN3, load).total + beside <= capacity
    assert bool(found.ladder) == (found.headroom_bytes < taken) or not found.ladder
    assert all(not step.fits for step in found.ladder[:-1])


def test_unified_memory_lends_the_gpu_a_share() -> None:
    small = budget.of_unified("a laptop", 16 * GIB, foreign_bytes=None)
    large = budget.of_unified("a desktop", 64 * GIB, foreign_bytes=None)

    assert small.exposed_bytes / 1e6 == pytest.approx(11_453, abs=1), "as llama.cpp prints it"
    assert large.exposed_bytes == 48 * GIB
    assert small.kind is budget.Kind.UNIFIED


def test_what_others_use_is_taken_off_and_never_below_nothing() -> None:
    assert card(24, foreign=0).capacity_bytes == card(24).exposed_bytes
    assert card(24).foreign_bytes / GIB == pytest.approx(0.8)
    assert card(4, foreign=8 * GIB).capacity_bytes == 0
    measured = budget.of_card("real", 24 * GIB, foreign_bytes=0, measured=True)
    assert measured.exposed_bytes == 24 * GIB


def test_a_plan_is_made_in_far_less_than_a_second() -> None:
    begun = time.perf_counter()
    plan(card(16), wanted(context=12_345))
    assert time.perf_counter() - begun < 1
