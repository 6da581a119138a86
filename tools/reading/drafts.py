"""A document on its way to a reading: its texts, and the pictures in it that are still to be seen.

Texts are taken out in a thread, pictures are looked at afterwards, each where it stands.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

from memory.labels import Label, Origin
from memory.places import Place
from tools.archives import Archive, ArchiveError
from tools.reading import picture
from tools.reading.base import UNREAD, Block, Reading, SenseFailedError, UnreadableError
from tools.reading.outline import Outline
from tools.reading.perception import Perception
from tools.senses import original
from tools.senses.errors import MediaError, SenseError
from tools.senses.media import decode_image

LABEL = Label(origins=frozenset({Origin.DOCUMENT}))

PICTURES = 100
"""That are looked at in one document; each takes a second or two."""

PICTURES_BYTES = 64 * 2**20
"""Of those pictures together, as they are packed."""

_UNTITLED = re.compile(
    r"(untitled|(word |microsoft word )?document\d*|(power ?point )?presentation\d*"
    r"|.*\.(docx?|odt|pptx?|odp|xlsx?|ods))?",
    re.IGNORECASE,
)
"""What programs write where nobody gave a title."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A picture in a document."""

    before: int
    """Blocks of the draft that stand before it."""
    place: Place
    """Its part is the picture's name in the document."""
    data: bytes


@dataclass(kw_only=True, slots=True)
class Draft:
    """What was taken out of a document so far."""

    archive: Archive
    kind: str
    outline: Outline = field(default_factory=lambda: Outline(label=LABEL))
    figures: list[Figure] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    title: str = ""
    """As the document's own properties give it."""
    author: str = ""
    made_at: datetime | None = None
    _asides: list[Block] = field(default_factory=list)
    _seen: set[str | bytes] = field(default_factory=set)
    _bytes: int = 0
    _left_out: int = 0

    def figure(self, part: str, place: Place) -> None:
        """Take a picture that stands here; one that was seen before is not looked at again."""
        if part in self._seen:
            return
        self._seen.add(part)
        if len(self.figures) >= PICTURES or self._bytes >= PICTURES_BYTES:
            self._left_out += 1
            return
        try:
            data = self.archive.read(part)
        except ArchiveError as error:
            self.flaws.append(f"picture {part}: {error}")
            return
        digest = sha256(data).digest()
        if digest in self._seen:
            return
        self._seen.add(digest)
        self._bytes += len(data)
        here = self.outline.placed(replace(place, part=part))
        self.figures.append(Figure(before=self.outline.settled(), place=here, data=data))

    def aside(self, what: str, text: str, place: Place) -> None:
        """Take what was noted beside the text here; it stands at the end, by its own headings.

        Where it was noted it would tear the passage apart.
        """
        if any(map(str.isalnum, text)):
            here = self.outline.placed(replace(place, heading=(what,)))
            self._asides.append(Block(text=text, place=here, label=LABEL))

    def closed(self) -> tuple[Block, ...]:
        """Return all blocks but those of pictures, and say what was left out."""
        if self._left_out:
            self.flaws.append(
                f"{self._left_out} more pictures were not looked at: {PICTURES} of at most "
                f"{PICTURES_BYTES} bytes in all are"
            )
        return self.outline.closed() + tuple(self._asides)


async def finished(
    draft: Draft, name: str, media_type: str, reader: str, perception: Perception
) -> Reading:
    """Look at the pictures of a draft, and return all that was read."""
    texts = draft.closed()
    blocks: list[Block] = []
    readers = {reader: None}
    at = 0
    for figure in draft.figures:
        blocks += texts[at : figure.before]
        at = figure.before
        blocks += await _looked(figure, draft, readers, perception)
    blocks += texts[at:]
    if draft.flaws and not blocks and perception.picture_reader not in readers:
        fault = SenseFailedError if UNREAD in readers else UnreadableError
        raise fault(f"{name} holds nothing that could be read: {draft.flaws[0]}")
    return Reading(
        title=titled(draft.title, draft.outline.title or name),
        kind=draft.kind,
        media_type=media_type,
        blocks=tuple(blocks),
        label=LABEL,
        reader=" + ".join(readers),
        author=draft.author,
        made_at=draft.made_at,
        flaws=tuple(draft.flaws),
    )


def titled(given: str | None, otherwise: str) -> str:
    """Return the title that a document has by its properties, unless no person gave it."""
    own = " ".join((given or "").split())
    return otherwise if _UNTITLED.fullmatch(own) else own


async def _looked(
    figure: Figure, draft: Draft, readers: dict[str, None], perception: Perception
) -> list[Block]:
    """Return the rows of text in a picture; what goes wrong costs the picture."""
    part = figure.place.part or ""
    try:
        decoded = await decode_image(figure.data, part)
        if min(decoded.pixels.shape[:2]) < picture.SMALLEST_PIXELS:
            return []
        sighting = await perception.look(decoded.pixels)
    except MediaError as error:
        draft.flaws.append(f"picture {part}: {error}")
        return []
    except (SenseError, SenseFailedError) as error:
        draft.flaws.append(f"picture {part}: {error}")
        readers[UNREAD] = None
        return []
    readers[perception.picture_reader] = None
    draft.flaws += (f"picture {part}: {flaw}" for flaw in (*decoded.flaws, *sighting.flaws))
    label = LABEL.join(picture.LABEL)
    return list(picture.blocks_of(original.sighting(sighting, decoded), figure.place, label))


@contextmanager
def translated(name: str, what: str) -> Iterator[None]:
    """Turn all that taking a broken file apart may raise into `UnreadableError`."""
    try:
        yield
    except UnreadableError:
        raise
    except ArchiveError as error:
        raise UnreadableError(f"{name} is {what} that cannot be read: {error}") from error
    except Exception as error:  # the libraries have no errors of their own
        fault = f"{type(error).__name__}: {error}"[:200]
        raise UnreadableError(
            f"{name} is {what} that is broken ({fault}). "
            "Open it in a program that repairs it and save it anew, or copy it anew."
        ) from error


def in_utc(moment: datetime | None) -> datetime | None:
    """Return a moment with its zone; documents give theirs in UTC and do not say so."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)
