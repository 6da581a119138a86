"""Pieces of source code, and how small neighbours are put together again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from tools.reading.definitions import Definition

CLOSING_TOKENS = 8
"""Room that is kept in each piece for the brackets that end it."""
TINY_TOKENS = 30
"""Of a piece that says too little to be found by its meaning."""

Path = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What a piece of code stands in."""

    path: Path = ()
    """Definitions round it, from the outermost: `class Foo`, `def bar`."""
    section: Path = ()
    """Those of them that are longer than a passage, by their signatures."""

    def within(self, one: Definition, *, whole: bool) -> "Scope":
        """Return the scope of a definition, or of what stands inside it."""
        path = (*self.path, one.step)
        section = self.section if whole else (*self.section, one.signature)
        return Scope(path=path, section=section)

    def shared(self, other: "Scope") -> "Scope":
        """Return what two neighbours of one section have in common."""
        if self.path == other.path:
            return self
        path = self.path
        while path != other.path[: len(path)]:
            path = path[:-1]
        return replace(self, path=path)


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A stretch of source that is to stay whole, or too long and without syntax."""

    start: int
    end: int
    """Offsets in bytes."""
    scope: Scope
    tokens: int
    whole: bool
    """A definition, which takes in nothing from its neighbours."""
    says: bool
    """There is a letter or a digit in it."""
    begins_line: bool


def merged(pieces: Iterable[Piece], room: Callable[[Path], int]) -> Iterator[Piece]:
    """Yield small neighbours as one, up to the room that a section has; no small end is left."""
    packs: list[_Pack] = []
    for piece in pieces:
        if packs and packs[-1].takes(piece, room(piece.scope.section)):
            packs[-1].add(piece)
            continue
        packs = _evened(packs, room)
        if len(packs) > 1:
            yield packs.pop(0).piece()
        packs.append(_Pack(piece))
    for pack in _evened(packs, room):
        yield pack.piece()


def settled(pieces: Sequence[Piece], room: Callable[[Path], int]) -> list[Piece]:
    """Let what is tiny share the section of a neighbour, below it or else above it.

    So the head of a namespace stands with the class in it, and no passage is a line of imports.
    """
    made = list(pieces)
    for at in reversed(range(len(made))):
        one = made[at]
        others = [made[other] for other in (at + 1, at - 1) if 0 <= other < len(made)]
        if one.tokens >= TINY_TOKENS or any(one.scope.section == o.scope.section for o in others):
            continue
        for other in others:
            section = other.scope.section
            inside = section[: len(one.scope.section)] == one.scope.section
            if inside and one.tokens + other.tokens <= room(section):
                made[at] = replace(one, scope=replace(one.scope, section=section))
                break
    return made


class _Pack:
    """Neighbours that are put together."""

    def __init__(self, first: Piece) -> None:
        self.pieces = [first]
        self.scope = first.scope
        self.whole = first.whole
        self.tokens = first.tokens
        self.says = first.says

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> "_Pack":
        pack = cls(pieces[0])
        for piece in pieces[1:]:
            pack.add(piece)
        return pack

    def add(self, piece: Piece) -> None:
        if piece.says:
            self.scope = self.scope.shared(piece.scope)
        self.pieces.append(piece)
        self.tokens += piece.tokens
        self.says = self.says or piece.says

    def takes(self, piece: Piece, room: int) -> bool:
        """Return whether a piece belongs to what stands before it, where there is so much room."""
        tokens = self.tokens + piece.tokens
        if self.scope.section != piece.scope.section:
            return False
        if not piece.says:
            return tokens <= room + CLOSING_TOKENS
        alike = not (self.whole or piece.whole) and self.scope == piece.scope
        return tokens <= room and (alike or not piece.begins_line)

    def piece(self) -> Piece:
        """Return all of them as one."""
        first, last = self.pieces[0], self.pieces[-1]
        return replace(first, end=last.end, scope=self.scope, tokens=self.tokens, says=self.says)


def _evened(packs: list[_Pack], room: Callable[[Path], int]) -> list[_Pack]:
    """Give a small last pack some of what stands before it."""
    if len(packs) < 2:
        return packs
    before, last = packs[-2:]
    alike = not (before.whole or last.whole) and before.scope == last.scope
    if not alike or last.tokens >= room(last.scope.section) // 4:
        return packs
    pieces = before.pieces + last.pieces
    counts = list(accumulate(piece.tokens for piece in pieces))
    at = min(range(1, len(pieces)), key=lambda i: max(counts[i - 1], counts[-1] - counts[i - 1]))
    return [*packs[:-2], _Pack.of(pieces[:at]), _Pack.of(pieces[at:])]
