"""What was heard in the pieces of a recording, put together. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from memory.language import UNKNOWN
from tools.senses.base import Segment
from tools.senses.models.base import Heard, Voice

SAME_VOICE = 0.7045654963945799
"""Distance of two directions of length 1 below which they are one person's voice: from where the
clustering of pyannote's pipeline 3.1 takes two for two."""


@dataclass
class _Known:
    """Voices of all pieces so far."""

    voices: list[Voice] = field(default_factory=list)

    def names(self, voices: Sequence[Voice], speakers: Iterable[str]) -> dict[str, str]:
        """Return the name in the recording for each name in a piece, and remember new ones."""
        found = _matched(self.voices, voices)
        features = {one.speaker: one.features for one in voices}
        for speaker in speakers:
            if speaker not in found:
                name = f"SPEAKER_{len(self.voices):02d}"
                found[speaker] = name
                self.voices.append(Voice(speaker=name, features=features.get(speaker, ())))
        return found


def joined(parts: Iterable[tuple[float, Heard]]) -> Heard:
    """Return what was heard in pieces that begin at so many seconds, as of one recording.

    The language is the one that most was said in. A voice that comes back in a later piece keeps
    its name.
    """
    segments: list[Segment] = []
    flaws: dict[str, None] = {}
    said_s: dict[str, float] = {}
    known = _Known()
    for start_s, heard in parts:
        names = known.names(heard.voices, _speakers(heard.segments))
        segments.extend(_moved(segment, start_s, names) for segment in heard.segments)
        here_s = sum(one.end_s - one.start_s for one in heard.segments)
        said_s[heard.language] = said_s.get(heard.language, 0.0) + here_s
        flaws.update(dict.fromkeys(heard.flaws))
    return Heard(
        segments=tuple(segments),
        language=max(said_s, key=lambda one: said_s[one], default=UNKNOWN),
        flaws=tuple(flaws),
        voices=tuple(known.voices),
    )


def _speakers(segments: Sequence[Segment]) -> dict[str, None]:
    """Return who speaks, in the order in which they begin."""
    said: list[str | None] = []
    for segment in segments:
        said.extend((segment.speaker, *(word.speaker for word in segment.words)))
    return dict.fromkeys(one for one in said if one is not None)


def _moved(segment: Segment, by_s: float, names: Mapping[str, str]) -> Segment:
    return replace(
        segment,
        start_s=round(segment.start_s + by_s, 3),
        end_s=round(segment.end_s + by_s, 3),
        speaker=names.get(segment.speaker or ""),
        words=tuple(
            replace(
                word,
                start_s=round(word.start_s + by_s, 3),
                end_s=round(word.end_s + by_s, 3),
                speaker=names.get(word.speaker or ""),
            )
            for word in segment.words
        ),
    )


def _matched(known: Sequence[Voice], voices: Sequence[Voice]) -> dict[str, str]:
    """Return for each voice the known one that it is, the surest first; each is taken once."""
    pairs = sorted(
        (_distance(one, other), other.speaker, one.speaker) for one in known for other in voices
    )
    found: dict[str, str] = {}
    for distance, speaker, name in pairs:
        if distance < SAME_VOICE and speaker not in found and name not in found.values():
            found[speaker] = name
    return found


def _distance(one: Voice, other: Voice) -> float:
    left, right = _direction(one.features), _direction(other.features)
    if len(left) != len(right) or not len(left):
        return np.inf
    return float(np.linalg.norm(left - right))


def _direction(features: Sequence[float]) -> NDArray[np.float64]:
    """Return features of length 1; none where they have no direction."""
    given = np.asarray(features, np.float64)
    length = float(np.linalg.norm(given)) if np.isfinite(given).all() else 0.0
    return given / length if length > 0 else given[:0]
