import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tools.senses import cutting
from tools.senses.base import SAMPLE_RATE_HZ
from tools.senses.pauses import LEVEL_S


def sound(*stretches: tuple[float, float]) -> NDArray[np.float32]:
    """Noise of stretches given by their seconds and level, from 0 to 1."""
    random = np.random.default_rng(0)
    return np.concatenate(
        [
            random.uniform(-level, level, round(seconds * SAMPLE_RATE_HZ)).astype(np.float32)
            for seconds, level in stretches
        ]
    )


STRETCHES = st.lists(
    st.tuples(st.floats(0.0, 8.0), st.sampled_from([0.0, 1e-3, 0.3])), min_size=1, max_size=12
)


@settings(deadline=None, max_examples=60)
@given(STRETCHES, st.floats(0.06, 20.0))
def test_pieces_are_the_whole_recording_and_none_is_too_long(
    stretches: list[tuple[float, float]], longest_s: float
) -> None:
    samples = sound(*stretches)
    pieces = cutting.pieces(samples, longest_s)
    assert [one.start for one in pieces] == [0, *(one.end for one in pieces)][: len(pieces)]
    assert (pieces[-1].end if pieces else 0) == len(samples)
    assert all(0 < one.end - one.start <= longest_s * SAMPLE_RATE_HZ + 1 for one in pieces)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(1.0, 4.0), st.floats(0.1, 1.0)), min_size=3, max_size=20),
    st.floats(10.0, 20.0),
)
def test_cuts_lie_in_pauses_where_there_are_any(
    spoken: list[tuple[float, float]], longest_s: float
) -> None:
    samples = sound(*(part for said, pause in spoken for part in ((said, 0.3), (pause, 0.0))))
    for one in cutting.pieces(samples, longest_s)[:-1]:
        assert not samples[one.end - 160 : one.end + 160].any()


def test_a_cut_lies_in_the_middle_of_the_longest_pause_of_the_second_half() -> None:
    samples = sound((2, 0.3), (2, 0), (3, 0.3), (0.3, 0), (1, 0.3), (0.9, 0), (9, 0.3))
    first, *_ = cutting.pieces(samples, 10.0)
    assert first.end / SAMPLE_RATE_HZ == pytest.approx(8.75, abs=2 * LEVEL_S)


def test_without_a_pause_it_is_cut_where_it_is_quietest() -> None:
    samples = sound((7, 0.3), (1, 0.1), (10, 0.3))
    first, _ = cutting.pieces(samples, 12.0)
    assert 7.0 <= first.end / SAMPLE_RATE_HZ <= 8.0


def test_no_recording_has_no_pieces() -> None:
    assert cutting.pieces(np.zeros(0, np.float32), 10.0) == []


@pytest.mark.parametrize("longest_s", [0.0, -1.0, 0.05])
def test_a_length_that_is_none_is_refused(longest_s: float) -> None:
    with pytest.raises(ValueError, match=r"give 0\.06 or more"):
        cutting.pieces(np.zeros(10, np.float32), longest_s)
