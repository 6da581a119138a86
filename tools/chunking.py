"""From a reading to the passages that memory keeps."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, groupby

from memory.documents import NewChunk
from memory.places import Place
from tools.reading.base import Block, Reading
from tools.sections import Section
from tools.sentences import sentences

TOKENS_LIMIT = 230
"""Of the embedder's 256, with room for what `tools.tokens.tokens_bound` underestimates."""

RECORDING_S = 30.0
"""Seconds of a recording that one passage holds at most, unless one segment is longer."""

TOKEN_LETTERS = 16
"""A token is taken for so many letters at most, so that blanks do not make a passage endless."""

CONTEXT_LETTERS = 1_000

Tokens = Callable[[str], int]


def chunks(reading: Reading, tokens: Tokens, limit: int = TOKENS_LIMIT) -> tuple[NewChunk, ...]:
    """Return the passages of a reading, in order, each within the limit with its context.

    A passage never runs over a change of attachment, page or heading, nor into a quotation. Whole
    blocks are joined by newlines up to the limit; one that is longer is cut behind a line, else a
    sentence, else a word.
    Two texts joined may count at most the sum of their tokens, and one more inside a word.
    """
    made: list[NewChunk] = []
    for _, blocks in groupby(reading.blocks, key=_section):
        section = Section.of(blocks)
        context = _context(reading, section.blocks[0], tokens, limit // 3)
        room = limit - tokens(context)
        packed = _packed(list(_units(section, tokens, room)), room)
        made += filter(None, (section.chunk(start, end, context) for start, end in packed))
    return tuple(made)


def _section(block: Block) -> tuple[str | None, int | None, tuple[str, ...], bool]:
    return block.place.part, block.place.page, block.headings, block.quoted


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """A stretch of a section that is not cut."""

    start: int
    end: int
    tokens: int
    place: Place


def _units(section: Section, tokens: Tokens, room: int) -> Iterator[Unit]:
    for block, start in zip(section.blocks, section.starts, strict=True):
        for begin, end, count in _cut(section.text, start, start + len(block.text), tokens, room):
            yield Unit(start=begin, end=end, tokens=count, place=block.place)


def _cut(
    text: str, start: int, end: int, tokens: Tokens, room: int, level: int = 0
) -> Iterator[tuple[int, int, int]]:
    """Yield the stretches between two offsets with their tokens, each within the room."""
    # What is longer is not counted: it is over the limit, or mostly blanks.
    if (least := (end - start) // TOKEN_LETTERS) <= room:
        count = max(tokens(text[start:end]), least)
        if count <= room:
            yield start, end, count
            return
    if level == len(_CUTTERS):
        # A byte-level vocabulary takes up to four tokens for a character.
        size = max(room // 4, 1)
        for at in range(start, end, size):
            stop = min(at + size, end)
            yield at, stop, max(tokens(text[at:stop]), size // TOKEN_LETTERS) + 1
        return
    for begin, stop in _CUTTERS[level](text, start, end):
        yield from _cut(text, begin, stop, tokens, room, level + 1)


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        at = text.find("\n", start, end)
        stop = end if at < 0 else at + 1
        yield start, stop
        start = stop


def _words(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _WORD.finditer(text, start, end):
        yield match.span()


_WORD = re.compile(r"\s*\S+\s*|\s+")
_CUTTERS = (_lines, sentences, _words)


def _packed(units: list[Unit], room: int) -> Iterator[tuple[int, int]]:
    """Yield the offsets of passages: as many units each as there is room for."""
    packs: list[list[Unit]] = []
    held = 0
    for unit in units:
        if packs and held + unit.tokens <= room and _near(packs[-1][0].place, unit.place):
            packs[-1].append(unit)
            held += unit.tokens
        else:
            packs.append([unit])
            held = unit.tokens
    if len(packs) > 1 and held < room // 4 and _near(packs[-2][0].place, units[-1].place):
        packs[-2:] = _evened(packs[-2] + packs[-1])
    for pack in packs:
        yield pack[0].start, pack[-1].end


def _near(first: Place, last: Place) -> bool:
    """Return whether two places of a section are close enough in time for one passage."""
    return first.start_s is None or last.end_s is None or last.end_s - first.start_s <= RECORDING_S


def _evened(units: list[Unit]) -> list[list[Unit]]:
    """Cut units in two where the halves are nearest in size, so that no small end is left over."""
    counts = list(accumulate(unit.tokens for unit in units))
    at = min(range(1, len(units)), key=lambda i: max(counts[i - 1], counts[-1] - counts[i - 1]))
    return [units[:at], units[at:]]


def _context(reading: Reading, first: Block, tokens: Tokens, room: int) -> str:
    """Return what is searched with a passage: title, author, attachment and headings."""
    said = bool(first.headings) and first.headings[0] in reading.title
    headings = first.headings[1:] if said else first.headings
    parts = (reading.title, reading.author, first.place.part or "", " > ".join(headings))
    text = "\n".join(part for part in parts if part)[:CONTEXT_LETTERS]
    while text and tokens(text) > room:
        text = text[: len(text) * 3 // 4].rstrip()
    return text
