"""What the benchmark of voices counts."""

import numpy as np
import pytest

from agent.bench.voice.material import NOISES, STEP_S, Stream, noisy, stream
from agent.bench.voice.scoring import Score
from tools.senses.base import SAMPLE_RATE_HZ

FRAME_S = 0.1


def spoken(pattern: str) -> Stream:
    """A tenth of a second for each letter: `#` speech, `.` silence."""
    labels = np.repeat([letter == "#" for letter in pattern], round(FRAME_S / STEP_S))
    return Stream(sound=np.zeros(0, np.float32), spoken=labels)


def scored(there: str, found: str) -> dict[str, object]:
    score = Score()
    score.add([0.9 if letter == "#" else 0.1 for letter in found], FRAME_S, spoken(there))
    return score.told()


TWO = "....######............######............"


def test_a_detector_that_hears_what_is_there_misses_nothing() -> None:
    told = scored(TWO, TWO)
    assert (told["miss"], told["false_alarm"], told["found"], told["extra"]) == (0.0, 0.0, 1.0, 0)
    assert told["ended_s"] == {"p50": 0.0, "p95": 0.0}
    assert told["began_s"] == {"p50": 0.3, "p95": 0.3}


def test_one_that_never_hears_and_one_that_always_does_find_nothing() -> None:
    deaf = scored(TWO, "." * len(TWO))
    assert (deaf["miss"], deaf["false_alarm"], deaf["found"]) == (1.0, 0.0, 0.0)
    always = scored(TWO, "#" * len(TWO))
    assert (always["miss"], always["false_alarm"], always["found"]) == (0.0, 1.0, 0.0)


def test_what_nobody_said_and_what_falls_apart_is_extra() -> None:
    assert scored("." * 40, "....######..............................")["extra"] == 1
    apart = scored("....##################............", "....####.........####.............")
    assert (apart["found"], apart["extra"]) == (0.0, 1)


def test_where_nothing_is_there_there_is_no_share() -> None:
    assert scored("." * 40, "." * 40)["miss"] is None


@pytest.mark.parametrize("noise", NOISES)
def test_speech_lies_above_the_noise_by_what_is_told(noise: str) -> None:
    rng = np.random.default_rng(7)
    tone = np.sin(np.arange(SAMPLE_RATE_HZ) / 5).astype(np.float32)
    clean = stream([tone, tone], rng)
    assert len(clean.utterances) == 2
    sound = noisy(clean, NOISES[noise](len(clean.sound), rng), 6)
    rest = sound - clean.sound
    snr_db = 10 * np.log10(np.mean(np.square(tone)) / np.mean(np.square(rest)))
    assert snr_db == pytest.approx(6, abs=0.5)
