"""What an operation of a sense takes is what was published of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models import published
from agent.residency import envelopes
from agent.residency.envelopes import MB, Tier, need_bytes, process_bytes
from agent.residency.vram import Load, need
from agent.vision.describing import BATCH, CONTEXT_TOKENS
from tools.senses.base import Operation, Task

HEARD = Operation(task=Task.HEARING, audio_s=300.0)
SEEN = Operation(task=Task.SEGMENTS, pixels=1024**2)


@pytest.mark.parametrize(
    ("variant", "batch", "megabytes"),
    [
        (envelopes.WHISPER_FP16, 1, 4_525),
        (envelopes.WHISPER_FP16, 8, 6_090),
        (envelopes.WHISPER_INT8, 1, 2_926),
        (envelopes.WHISPER_INT8, 8, 4_500),
    ],
)
def test_whisper_takes_what_its_readme_measured(
    variant: envelopes.Variant, batch: int, megabytes: int
) -> None:
    assert process_bytes(variant, replace(HEARD, batch=batch)) / MB == pytest.approx(
        megabytes, rel=0.001
    )


@pytest.mark.parametrize(
    ("variant", "small", "large"),
    [
        (envelopes.SAM2_TINY, 458, 1_158),
        (envelopes.SAM2_BASE, 551, 1_275),
        (envelopes.SAM2_LARGE, 855, 1_626),
    ],
)
def test_sam2_takes_what_was_measured_of_two_sizes(
    variant: envelopes.Variant, small: int, large: int
) -> None:
    assert need_bytes(variant, SEEN) / MB == pytest.approx(small, rel=0.001)
    assert need_bytes(variant, replace(SEEN, pixels=2048**2)) / MB == pytest.approx(
        large, rel=0.001
    )


def test_parakeet_and_kokoro_take_what_was_measured() -> None:
    eleven_minutes = replace(HEARD, audio_s=660.0)
    assert process_bytes(envelopes.PARAKEET_FP32, eleven_minutes) / MB == pytest.approx(
        20_000, rel=0.01
    )
    said = Operation(task=Task.SPEECH, characters=400)
    assert process_bytes(envelopes.KOKORO, said) / MB == pytest.approx(1_123, rel=0.001)


def test_a_model_that_sees_takes_what_the_executives_formula_says_with_the_least_context() -> None:
    known = published.named("qwen3:4b")
    assert known is not None
    taken = need(known.shape(), Load(context_tokens=CONTEXT_TOKENS, micro_batch=BATCH))
    by_formula = envelopes.served_vision("qwen3-vl:4b", taken)
    assert envelopes.VISION.base_bytes == pytest.approx(by_formula.base_bytes, abs=MB)
    assert by_formula.weight_bytes < envelopes.VISION.weight_bytes, "its encoder comes on top"
    assert by_formula.own_process


def test_a_short_recording_fills_no_large_batch() -> None:
    short = replace(HEARD, audio_s=20.0, batch=8)

    assert need_bytes(envelopes.WHISPER_FP16, short) == need_bytes(
        envelopes.WHISPER_FP16, replace(short, batch=1)
    )


def test_the_longest_recording_fits_and_a_longer_one_does_not() -> None:
    capacity = 12_000 * MB
    for variant in (envelopes.PARAKEET_FP32, envelopes.PARAKEET_LOCAL):
        longest = envelopes.largest_audio_s(variant, capacity)
        assert longest is not None
        assert need_bytes(variant, replace(HEARD, audio_s=longest * 0.999)) <= capacity
        assert need_bytes(variant, replace(HEARD, audio_s=longest * 1.01)) > capacity
    assert envelopes.largest_audio_s(envelopes.WHISPER_INT8, capacity) is None
    assert envelopes.largest_audio_s(envelopes.PARAKEET_FP32, 1) == 0


@given(
    variant=st.sampled_from(envelopes.VARIANTS),
    audio_s=st.floats(min_value=0, max_value=7_200),
    pixels=st.integers(min_value=0, max_value=10**8),
    batch=st.integers(min_value=1, max_value=32),
)
def test_more_never_takes_less(
    variant: envelopes.Variant, audio_s: float, pixels: int, batch: int
) -> None:
    less = Operation(task=variant.task, audio_s=audio_s, pixels=pixels, batch=batch)
    more = replace(less, audio_s=audio_s * 2, pixels=pixels * 2, batch=batch + 1)

    assert variant.weight_bytes < need_bytes(variant, less) <= need_bytes(variant, more)


def test_loading_is_bytes_over_bandwidth_and_a_fixed_part() -> None:
    times = [envelopes.load_s(envelopes.WHISPER_FP16, tier) for tier in Tier]

    assert times == sorted(times)
    assert times[0] == pytest.approx(0.124 + 0.02, abs=0.001)
    assert envelopes.load_s(envelopes.KOKORO, Tier.PAGEABLE) == pytest.approx(0.078, abs=0.001)
    assert envelopes.load_s(envelopes.KOKORO, Tier.NVME) == pytest.approx(0.979, abs=0.005)


def test_variants_are_told_apart_and_each_says_what_it_rests_on() -> None:
    names = [one.name for one in envelopes.VARIANTS]

    assert len(set(names)) == len(names)
    assert all(one.source for one in envelopes.VARIANTS)
    assert all(one.task in envelopes.USUAL for one in envelopes.VARIANTS)
    assert envelopes.variant("kokoro-82m") is envelopes.KOKORO
    assert envelopes.variant("ear") is None


def test_smaller_variants_end() -> None:
    seen = envelopes.WHISPER_FP16
    count = 0
    while (lesser := envelopes.smaller(seen, HEARD)) is not None:
        assert need_bytes(lesser, HEARD) < need_bytes(seen, HEARD)
        assert lesser.task == "hearing"
        seen, count = lesser, count + 1
    assert 1 <= count < len(envelopes.VARIANTS)
