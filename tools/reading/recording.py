"""Recordings: what was said, segment by segment, with its times."""

from memory.labels import Label, Origin
from memory.places import Place
from tools.reading.base import Block, Reading
from tools.reading.perception import Perception
from tools.senses.base import Recording

LABEL = Label(origins=frozenset({Origin.RECORDING}))


async def read(recording: Recording, name: str, media_type: str, perception: Perception) -> Reading:
    """Return the segments of speech in a decoded recording. Raises `SenseFailedError`."""
    transcript = await perception.listen(recording)
    blocks = tuple(
        Block(
            text=segment.text.strip(),
            place=Place(start_s=round(segment.start_s, 2), end_s=round(segment.end_s, 2)),
            label=LABEL,
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
