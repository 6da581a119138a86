"""Source code cut along its syntax tree, so that what belongs together stays together.

Split, then merge, as in cAST (arXiv 2506.15655): a node that fits into a passage stays whole, one
that does not is taken apart, and small neighbours are put together again.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tools.reading.definitions import defined, is_body, leads
from tools.reading.pieces import CLOSING_TOKENS, Path, Piece, Scope, merged, settled
from tools.tokens import tokens_bound

if TYPE_CHECKING:
    from tree_sitter import Node

_DEPTH = 64
"""Nodes within each other that are taken apart; what is deeper is cut by lines."""
_LETTERS_PER_TOKEN = 16


class Splitter:
    """Cuts one source."""

    def __init__(self, source: bytes, *, title: str, limit: int) -> None:
        """Cut into pieces of so many tokens at most, title and signatures above it included."""
        self._source = source
        self._title = title
        self._limit = limit
        self._newlines = [match.start() for match in re.finditer(b"\n", source)]
        self._rooms: dict[Path, int] = {}

    def pieces(self, root: "Node") -> list[Piece]:
        """Return the pieces in order; together they are the whole source."""
        split = self._split(root, 0, len(self._source), Scope(), 0)
        return settled(list(merged(split, self._room)), self._room)

    def line(self, offset: int) -> int:
        """Return the line of a byte, counted from 1."""
        return bisect_left(self._newlines, offset) + 1

    def _split(
        self, node: "Node", start: int, end: int, scope: Scope, depth: int
    ) -> Iterator[Piece]:
        """Yield the pieces between two offsets, which hold a node and the space round it."""
        children = node.children if depth < _DEPTH else []
        if not children:
            yield self._piece(start, end, scope, self._tokens(start, end))
            return
        starts = [start, *(self._line_start(child.start_byte, start) for child in children[1:])]
        stops = [*starts[1:], end]
        begun: int | None = None
        for at, (child, begin, stop) in enumerate(zip(children, starts, stops, strict=True)):
            if leads(child) and self._followed(children, at):
                begun = begin if begun is None else begun
                continue
            if begun is not None and self._crowded(begun, begin, stop, scope):
                yield self._piece(begun, begin, scope, self._tokens(begun, begin))
                begun = None
            yield from self._child(child, begin if begun is None else begun, stop, scope, depth)
            begun = None

    def _child(
        self, node: "Node", start: int, end: int, scope: Scope, depth: int
    ) -> Iterator[Piece]:
        one = defined(node) if node.is_named else None
        tokens = self._tokens(start, end)
        if tokens <= self._room(scope.section) and not is_body(node):
            inner = scope if one is None else scope.within(one, whole=True)
            yield self._piece(start, end, inner, tokens, whole=one is not None)
        elif one is None:
            yield from self._split(node, start, end, scope, depth + 1)
        else:
            # What wraps the definition becomes a part of its head.
            inner = scope.within(one, whole=False)
            yield from self._split(one.node, start, end, inner, depth + 1)

    def _followed(self, children: Sequence["Node"], at: int) -> bool:
        """Return whether what leads stands directly above something else."""
        if at + 1 == len(children):
            return False
        gap = self._source[children[at].end_byte : children[at + 1].start_byte]
        begins = self._begins_line(children[at].start_byte)
        return begins and gap.count(b"\n") < 2 and children[at + 1].is_named

    def _crowded(self, begun: int, begin: int, stop: int, scope: Scope) -> bool:
        """Return whether something fits only without what leads to it."""
        room = self._room(scope.section)
        return self._tokens(begun, stop) > room and self._tokens(begin, stop) <= room

    def _piece(
        self, start: int, end: int, scope: Scope, tokens: int, *, whole: bool = False
    ) -> Piece:
        return Piece(
            start=start,
            end=end,
            scope=scope,
            tokens=tokens,
            whole=whole,
            says=_says(self._source, start, end),
            begins_line=self._begins_line(start),
        )

    def _tokens(self, start: int, end: int) -> int:
        # What is longer is not counted: it is over the limit, or mostly blanks.
        least = (end - start) // _LETTERS_PER_TOKEN
        if least > self._limit:
            return least
        return max(least, tokens_bound(self._source[start:end].decode(errors="ignore")))

    def _room(self, section: Path) -> int:
        if (room := self._rooms.get(section)) is None:
            above = tokens_bound(f"{self._title}\n{' > '.join(section)}")
            room = self._limit - min(above, self._limit // 3) - CLOSING_TOKENS
            self._rooms[section] = room
        return room

    def _line_start(self, offset: int, least: int) -> int:
        """Return where the line of an offset begins if only blanks stand before it there."""
        start = offset
        while start > least and self._source[start - 1] in b" \t":
            start -= 1
        return start if start == 0 or self._source[start - 1] == 10 else offset

    def _begins_line(self, offset: int) -> bool:
        start = self._line_start(offset, 0)
        return start == 0 or self._source[start - 1] == 10


def _says(source: bytes, start: int, end: int) -> bool:
    # A longer stretch is more than some brackets.
    return end - start > 64 or any(map(str.isalnum, source[start:end].decode(errors="ignore")))
