"""Blocks that may share a passage, as one text that knows the place of every word."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import accumulate, chain

from memory.documents import NewChunk, Span
from memory.labels import Label
from memory.places import Place, spanning
from tools.reading.base import Block


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A part of a section that has one place: a block, or some words of one."""

    start: int
    end: int
    place: Place
    label: Label


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Blocks that may share a passage, as one text."""

    text: str
    blocks: tuple[Block, ...]
    starts: tuple[int, ...]
    """Offset of each block in the text."""
    stretches: tuple[Stretch, ...]
    newlines: tuple[int, ...]
    """Offsets of all newlines in the text."""

    @classmethod
    def of(cls, blocks: Iterable[Block]) -> "Section":
        """Join blocks by newlines."""
        held = tuple(blocks)
        text = "\n".join(block.text for block in held)
        starts = tuple(accumulate((len(block.text) + 1 for block in held[:-1]), initial=0))
        return cls(
            text=text,
            blocks=held,
            starts=starts,
            stretches=tuple(chain.from_iterable(map(_stretches, held, starts))),
            newlines=tuple(match.start() for match in re.finditer("\n", text)),
        )

    def chunk(self, start: int, end: int, context: str) -> NewChunk | None:
        """Return the passage between two offsets; None where only space stands there."""
        text = self.text[start:end].rstrip()
        start += len(text) - len(text.lstrip("\n"))
        text = text.lstrip("\n")
        if not text:
            return None
        end = start + len(text)
        first = bisect_right(self.stretches, start, key=_start) - 1
        held = self.stretches[first : bisect_left(self.stretches, end, key=_start)]
        spans = tuple(
            Span(offset=max(one.start - start, 0), place=self._place(one, start, end))
            for one in held
        )
        return NewChunk(
            text=text,
            context=context,
            place=spanning(span.place for span in spans),
            label=reduce(Label.join, (one.label for one in held)),
            spans=spans,
            quoted=self.blocks[0].quoted,
        )

    def _place(self, one: Stretch, start: int, end: int) -> Place:
        """Return the place of what stands of a stretch between two offsets."""
        if one.place.line is None:
            return one.place
        before = one.place.line - bisect_left(self.newlines, one.start)
        return replace(
            one.place,
            line=before + bisect_left(self.newlines, max(one.start, start)),
            last_line=before + bisect_left(self.newlines, min(one.end, end)),
        )


def _start(one: Stretch) -> int:
    return one.start


def _stretches(block: Block, start: int) -> Iterator[Stretch]:
    spans = block.spans or (Span(offset=0, place=block.place),)
    ends = [span.offset for span in spans[1:]] + [len(block.text)]
    for span, end in zip(spans, ends, strict=True):
        yield Stretch(
            start=start + span.offset, end=start + end, place=span.place, label=block.label
        )
