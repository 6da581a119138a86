"""Plain text, code, CSV, JSON: whatever is read line by line."""

from collections.abc import Iterator
from dataclasses import dataclass

from memory.labels import Label, Origin
from memory.places import Place
from tools.reading.base import Block, Reading
from tools.reading.decoding import decode

READER = "text/1"
LABEL = Label(origins=frozenset({Origin.DOCUMENT}))


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
    """Return the paragraphs of a text with their lines."""
    decoded = decode(data)
    return Reading(
        title=name,
        kind="text",
        media_type=media_type,
        blocks=tuple(
            Block(
                text=paragraph.text,
                place=Place(line=paragraph.line, last_line=paragraph.last_line),
                label=LABEL,
            )
            for paragraph in paragraphs(decoded.text)
        ),
        label=LABEL,
        reader=READER,
        flaws=decoded.flaws,
    )
