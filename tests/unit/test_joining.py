import math
from dataclasses import replace

from tools.senses import joining
from tools.senses.base import Segment, Word
from tools.senses.models.base import Heard, Voice


def segment(text: str, start_s: float, end_s: float, speaker: str | None = None) -> Segment:
    word = Word(text=text, start_s=start_s, end_s=end_s, speaker=speaker, probability=0.5)
    return Segment(text=text, start_s=start_s, end_s=end_s, words=(word,), speaker=speaker)


def heard(*segments: Segment, language: str = "en", **more: object) -> Heard:
    return replace(Heard(segments=segments, language=language), **more)  # type: ignore[arg-type]


def voice(speaker: str, angle: float) -> Voice:
    return Voice(speaker=speaker, features=(3 * math.cos(angle), 3 * math.sin(angle)))


def test_times_are_those_of_the_recording() -> None:
    told = joining.joined(
        [(0.0, heard(segment("one", 1, 2))), (600.5, heard(segment("two", 1, 2)))]
    )
    assert told.segments == (segment("one", 1, 2), segment("two", 601.5, 602.5))


def test_the_language_is_the_one_that_most_was_said_in() -> None:
    parts = [
        (0.0, heard(segment("ja", 0, 1), language="de")),
        (5.0, heard(segment("yes", 0, 9), language="en")),
        (9.0, heard(language="fr")),
    ]
    assert joining.joined(parts).language == "en"
    assert joining.joined(parts[2:]).language == "fr"
    assert joining.joined([]).language == "und"


def test_a_flaw_of_several_pieces_is_said_once() -> None:
    told = joining.joined([(0.0, heard(flaws=("a", "b"))), (5.0, heard(flaws=("b", "c")))])
    assert told.flaws == ("a", "b", "c")


def test_a_voice_that_comes_back_keeps_its_name() -> None:
    first = heard(
        segment("one", 0, 1, "SPEAKER_01"),
        segment("two", 1, 2, "SPEAKER_00"),
        voices=(voice("SPEAKER_00", 0.0), voice("SPEAKER_01", 2.0)),
    )
    second = heard(
        segment("three", 0, 1, "SPEAKER_00"),
        segment("four", 1, 2, "SPEAKER_01"),
        segment("five", 2, 3, "SPEAKER_02"),
        voices=(voice("SPEAKER_00", 0.1), voice("SPEAKER_01", -2.0), voice("SPEAKER_02", 2.1)),
    )
    told = joining.joined([(0.0, first), (10.0, second)])
    names = [one.speaker for one in told.segments]
    assert names == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_01", "SPEAKER_02", "SPEAKER_00"]
    assert [one.words[0].speaker for one in told.segments] == names
    assert [one.speaker for one in told.voices] == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"]


def test_two_voices_of_a_piece_are_never_one_and_the_nearest_wins() -> None:
    first = heard(segment("one", 0, 1, "A"), voices=(voice("A", 0.0),))
    second = heard(
        segment("two", 0, 1, "A"),
        segment("three", 1, 2, "B"),
        voices=(voice("A", 0.3), voice("B", 0.1)),
    )
    told = joining.joined([(0.0, first), (10.0, second)])
    assert [one.speaker for one in told.segments] == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_00"]


def test_a_voice_without_a_direction_is_a_new_one() -> None:
    blank = [Voice(speaker="A", features=features) for features in ((0.0, 0.0), (math.nan, 1.0))]
    parts = [
        (float(at), heard(segment("a", 0, 1, "A"), voices=(one,))) for at, one in enumerate(blank)
    ]
    told = joining.joined([*parts, (9.0, heard(segment("b", 0, 1, "Z")))])
    assert [one.speaker for one in told.segments] == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"]


def test_who_said_nothing_has_no_name() -> None:
    told = joining.joined([(0.0, heard(segment("one", 0, 1)))])
    assert told.segments[0].speaker is None
    assert told.voices == ()
