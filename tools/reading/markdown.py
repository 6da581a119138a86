"""Markdown: headings, and the lines of paragraphs, list items, tables and code."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from memory.labels import Label, Origin
from memory.places import Place
from tools.reading.base import Reading
from tools.reading.decoding import decode
from tools.reading.outline import Outline
from tools.reading.text import beginning

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

READER = "markdown/2"
LABEL = Label(origins=frozenset({Origin.DOCUMENT}))

_PIECE_LINES = 2000
"""Lines that are parsed at a time: the parser takes ninety bytes of memory for each of theirs."""

_LEAVES = frozenset({"paragraph_open", "fence", "code_block", "html_block", "table_open"})
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_FRONT = re.compile(r"---\n(.*?\n)?(?:---|\.\.\.)(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)
# Neither part runs over another one's beginning: each letter is looked at a few times only.
_LINK = re.compile(r"!?\[([^\[\]]*+)\]\((?:[^()]++|\([^()]*+\))*+\)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """Lines that belong together."""

    start: int
    end: int
    """First line and the line behind the last, counted from 0."""
    level: int = 0
    """Of a heading, from 1; else 0."""
    name: str = ""
    """Of a heading."""


def read(data: bytes, name: str, media_type: str) -> Reading:
    """Return the parts of a Markdown text with the headings above them."""
    head, cut = beginning(data)
    decoded = decode(head)
    lines = decoded.text.split("\n")
    outline = Outline(label=LABEL)
    front = _FRONT.match(decoded.text)
    first = 0 if front is None else front.group().rstrip("\n").count("\n") + 1
    for leaf in chain(_gap(lines, 0, first), _leaves(lines, first)):
        _add(outline, lines, leaf)
    titled = None if front is None else _TITLE.search(front.group())
    blocks = outline.closed()
    return Reading(
        title=outline.title or name if titled is None else titled.group(1),
        kind="markdown",
        media_type=media_type,
        blocks=blocks,
        label=LABEL,
        reader=READER,
        flaws=(*decoded.flaws, *cut),
    )


def _add(outline: Outline, lines: Sequence[str], leaf: Leaf) -> None:
    held = [line.rstrip() for line in lines[leaf.start : leaf.end]]
    while held and not held[-1]:
        held.pop()
    text, place = "\n".join(held), Place(line=leaf.start + 1, last_line=leaf.start + len(held))
    if leaf.level:
        outline.heading(leaf.level, leaf.name, text, place)
    else:
        outline.body(text, place)


def _leaves(lines: Sequence[str], first: int) -> Iterator[Leaf]:
    """Yield all lines that are not blank, by what belongs together."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table").disable("inline")
    at = first
    for leaf in chain.from_iterable(
        _parsed(parser, lines, start, end) for start, end in _pieces(lines, first)
    ):
        # The parser drops what defines a link or draws a rule.
        yield from _gap(lines, at, leaf.start)
        yield leaf
        at = leaf.end
    yield from _gap(lines, at, len(lines))


def _gap(lines: Sequence[str], start: int, end: int) -> Iterator[Leaf]:
    if any(line.strip() for line in lines[start:end]):
        while not lines[start].strip():
            start += 1
        yield Leaf(start=start, end=end)


def _pieces(lines: Sequence[str], first: int) -> Iterator[tuple[int, int]]:
    """Cut a long text at blank lines outside of code."""
    fence, start = "", first
    for at in range(first, len(lines)):
        mark = _FENCE.match(lines[at])
        if mark is not None and not fence:
            fence = mark.group(1)
        elif mark is not None and mark.group(1).startswith(fence):
            fence = ""
        if not fence and not lines[at] and at - start >= _PIECE_LINES:
            yield start, at
            start = at
    yield start, len(lines)


def _parsed(parser: "MarkdownIt", lines: Sequence[str], start: int, end: int) -> Iterator[Leaf]:
    tokens = parser.parse("\n".join(lines[start:end]))
    for token, content in zip_longest(tokens, tokens[1:]):
        if token.map is None:
            continue
        begin, stop = (start + at for at in token.map)
        if token.type in _LEAVES:
            yield Leaf(start=begin, end=stop)
        elif token.type == "heading_open" and content is not None:
            yield Leaf(start=begin, end=stop, level=int(token.tag[1]), name=_name(content.content))


def _name(heading: str) -> str:
    """Return a heading without its links, which may show pictures, and without emphasis."""
    plain = _LINK.sub(r"\1", _LINK.sub(r"\1", heading))
    return plain.replace("*", "").replace("`", "").strip()
