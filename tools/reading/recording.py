"""Recordings: what was said, segment by segment, with its times."""

from memory.documents import Span
from memory.labels import Label, Origin
from memory.places import Place
from tools.reading.base import Block, Reading
from tools.reading.perception import Perception
from tools.senses.base import Recording, Segment, Word

LABEL = Label(origins=frozenset({Origin.RECORDING}))

SPAN_S = 2.0
"""Seconds within which the words of a segment share one place."""


async def read(recording: Recording, name: str, media_type: str, perception: Perception) -> Reading:
    """Return the segments of speech in a decoded recording. Raises `SenseFailedError`."""
    transcript = await perception.listen(recording)
    blocks = tuple(
        Block(
            text=segment.text.strip(),
            place=_place(segment.start_s, segment.end_s),
            label=LABEL,
            spans=_spans(segment),
        )
        for segment in transcript.segments
        if segment.text.strip()
    )
    silent = () if blocks else ("no speech was recognised in it",)
    return Reading(
        title=name,
        kind="recording",
        media_type=media_type,
        blocks=blocks,
        label=LABEL,
        reader=perception.recording_reader,
        flaws=tuple(dict.fromkeys((*recording.flaws, *transcript.flaws, *silent))),
    )


def _place(start_s: float, end_s: float) -> Place:
    return Place(start_s=round(start_s, 2), end_s=round(end_s, 2))


def _spans(segment: Segment) -> tuple[Span, ...]:
    """Return the times of a few words each; none where they are not the words of the text."""
    text, at = segment.text.strip(), 0
    groups: list[list[Word]] = []
    offsets: list[int] = []
    for word in segment.words:
        said = word.text.strip()
        at = text.find(said, at)
        if at < 0:
            return ()
        if groups and word.end_s - groups[-1][0].start_s <= SPAN_S:
            groups[-1].append(word)
        else:
            groups.append([word])
            offsets.append(at if groups[1:] else 0)
        at += len(said)
    return tuple(
        Span(offset=offset, place=_place(group[0].start_s, group[-1].end_s))
        for offset, group in zip(offsets, groups, strict=True)
    )
