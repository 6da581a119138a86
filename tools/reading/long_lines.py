"""Lines too long to be anybody's: one-line JSON, minified scripts, encoded data.

They are cut behind what ends a value or a statement, so that a passage begins with one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONG_LETTERS = 2_000
"""Of a line that is cut; a paragraph of prose on one line is shorter."""
PIECE_LETTERS = 400
"""Of a piece: about a passage of JSON."""
WORD_LETTERS = 10_000
"""Of a word that is read: what is longer is encoded data, and only its beginning is kept."""

_ENDS = ("},", "],", "};", ";", "}", "],", ",", ". ", " ")
"""Behind which a line is cut, the best first."""
_END = re.compile(r"[\s,;}]")


@dataclass(kw_only=True, slots=True)
class Cut:
    """The pieces of a long line."""

    pieces: list[str]
    left_out: int
    """Letters in words that are data."""


def cut(line: str) -> Cut:
    """Cut a line into pieces, each with a letter or a digit. Takes time in proportion to it."""
    made = Cut(pieces=[], left_out=0)
    for start, end in _stretches(line, made):
        piece = line[start:end].strip()
        if any(map(str.isalnum, piece)):
            made.pieces.append(piece)
    return made


def _stretches(line: str, made: Cut) -> Iterator[tuple[int, int]]:
    start, unbroken = 0, 0
    while start < len(line):
        if (end := _behind(line, start)) is not None:
            unbroken = 0
        else:
            end = min(start + PIECE_LETTERS, len(line))
            unbroken += end - start
        yield start, end
        start = end
        if unbroken >= WORD_LETTERS:
            stop = _END.search(line, start)
            start = len(line) if stop is None else stop.start()
            made.left_out += start - end
            unbroken = 0


def _behind(line: str, start: int) -> int | None:
    """Return where a piece that starts at an offset best ends, None within a word."""
    least, most = start + PIECE_LETTERS // 4, start + PIECE_LETTERS
    if most >= len(line):
        return len(line)
    for end in _ENDS:
        if (at := line.rfind(end, least, most)) >= 0:
            return at + len(end)
    return None
