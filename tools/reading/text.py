"""Plain text, CSV, JSON, logs: whatever is read line by line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from memory.labels import Label, Origin
from memory.places import Place
from tools.reading import long_lines
from tools.reading.base import Block, Reading
from tools.reading.decoding import decode

READER = "text/2"
LABEL = Label(origins=frozenset({Origin.DOCUMENT}))

BYTES_READ = 12 * 2**20
"""Of a text, from its beginning: six thousand pages. The rest is named as a flaw."""
DATA_LETTERS_READ = 2 * 2**20
"""In lines too long to be anybody's: data repeats itself."""

_SHORT_LETTERS = 40
"""Of a paragraph that shares a block with its neighbours: a line of a list, a word."""
_BLOCK_LETTERS = 200
_TABLES = frozenset({"text/csv", "text/tsv"})
_HEADER_LETTERS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Paragraph:
    """Lines between two blank ones."""

    text: str
    line: int
    """Of its first line, counted from 1."""
    last_line: int


def paragraphs(text: str, line: int = 1) -> Iterator[Paragraph]:
    """Yield the paragraphs of a text whose first line has a number; indents stay."""
    held: list[str] = []
    for number, content in enumerate(text.split("\n"), start=line):
        if content.strip():
            held.append(content.rstrip())
        elif held:
            yield _paragraph(held, number - 1)
            held = []
    if held:
        yield _paragraph(held, number)


def _paragraph(lines: list[str], last_line: int) -> Paragraph:
    return Paragraph(text="\n".join(lines), line=last_line - len(lines) + 1, last_line=last_line)


def read(data: bytes, name: str, media_type: str) -> Reading:
    """Return the paragraphs of a text with their lines; of a huge one, those at its beginning."""
    head, cut = beginning(data)
    decoded = decode(head)
    shelf = _Shelf(header=_header(decoded.text) if media_type in _TABLES else None)
    for paragraph in _gathered(paragraphs(decoded.text)):
        shelf.take(paragraph)
    return Reading(
        title=name,
        kind="text",
        media_type=media_type,
        blocks=tuple(shelf.blocks),
        label=LABEL,
        reader=READER,
        flaws=(*decoded.flaws, *shelf.flaws(), *cut),
    )


class _Shelf:
    """Blocks as they are made, and what was left out."""

    def __init__(self, header: str | None) -> None:
        self.blocks: list[Block] = []
        self._section = None if header is None else (header,)
        self._data_letters = 0
        self._left_out = 0

    def take(self, paragraph: Paragraph) -> None:
        """Take a paragraph, without its lines that are too long to be anybody's."""
        if len(paragraph.text) < long_lines.LONG_LETTERS:
            self._add(paragraph.text, paragraph.line)
            return
        held: list[str] = []
        lines = paragraph.text.split("\n")
        for number, line in enumerate(lines, start=paragraph.line):
            if len(line.strip()) < long_lines.LONG_LETTERS:
                held.append(line)
                continue
            self._add("\n".join(held), number - len(held))
            held = []
            self._take_long(line, number)
        self._add("\n".join(held), paragraph.last_line + 1 - len(held))

    def flaws(self) -> list[str]:
        """Say what was left out."""
        if not self._left_out:
            return []
        return [f"{self._left_out} characters of data in endless lines or words were left out"]

    def _take_long(self, line: str, number: int) -> None:
        room = max(DATA_LETTERS_READ - self._data_letters, 0)
        self._data_letters += len(line)
        made = long_lines.cut(line[:room])
        self._left_out += made.left_out + len(line) - len(line[:room])
        for piece in made.pieces:
            self._add(piece, number)

    def _add(self, text: str, line: int) -> None:
        if text:
            place = Place(line=line, last_line=line + text.count("\n"))
            self.blocks.append(Block(text=text, place=place, label=LABEL, section=self._section))


def _gathered(found: Iterable[Paragraph]) -> Iterator[Paragraph]:
    """Put short neighbours together, so that a million words do not become a million blocks."""
    held: Paragraph | None = None
    for one in found:
        if held is not None and _together(held, one):
            blank = "\n" * (one.line - held.last_line)
            text = held.text + blank + one.text
            held = Paragraph(text=text, line=held.line, last_line=one.last_line)
            continue
        if held is not None:
            yield held
        held = one
    if held is not None:
        yield held


def _together(held: Paragraph, one: Paragraph) -> bool:
    near = one.line - held.last_line <= 2
    short = len(one.text) <= _SHORT_LETTERS and len(held.text) + len(one.text) <= _BLOCK_LETTERS
    return near and short and "\n" not in one.text


def beginning(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return what is read of a text, without part of a character at its end, and what is wrong."""
    if len(data) <= BYTES_READ:
        return data, ()
    end = BYTES_READ
    if 0 not in data[:4096]:
        line_end = data.rfind(b"\n", end - (1 << 16), end)
        end = line_end + 1 if line_end >= 0 else end
        while data[end] & 0xC0 == 0x80 and end > BYTES_READ - 4:
            end -= 1
    return data[:end], (f"it has {len(data)} bytes, of which the first {end} were read",)


def _header(table: str) -> str | None:
    """Return the names of the columns, if the first row has nothing else."""
    first, _, rest = table.partition("\n")
    mark = max(",;\t|", key=first.count)
    cells = [cell.strip(' "') for cell in first[: 4 * _HEADER_LETTERS].split(mark)]
    named = all(cell and not cell[0].isdigit() for cell in cells)
    alike = rest.partition("\n")[0].count(mark) >= len(cells) - 1 > 0
    if not named or not alike or len(set(cells)) < len(cells):
        return None
    return ", ".join(cells)[:_HEADER_LETTERS]
