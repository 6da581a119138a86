"""Blocks under the headings that stand above them."""

from dataclasses import dataclass, field, replace

from memory.labels import Label
from memory.places import Place
from tools.reading.base import Block


@dataclass(kw_only=True, slots=True)
class Outline:
    """Blocks as they are read, each with the path of its headings.

    A heading is a block too, so that it can be quoted. Directly followed by one of a deeper level
    it takes that one's path: no passage should be a heading without the text below it.
    """

    label: Label
    title: str = ""
    """The first heading of the highest level."""
    blocks: list[Block] = field(default_factory=list)
    _path: list[tuple[int, str]] = field(default_factory=list)
    _waiting: list[tuple[str, Place]] = field(default_factory=list)
    _title_level: int = 99

    def heading(self, level: int, name: str, text: str, place: Place) -> None:
        """Take a heading; 1 is the highest level."""
        if self._waiting and level <= self._path[-1][0]:
            self._flush()
        self._path = [step for step in self._path if step[0] < level]
        self._path.append((level, name))
        self._waiting.append((text, place))
        if level < self._title_level and name:
            self.title, self._title_level = name, level

    def body(self, text: str, place: Place, label: Label | None = None) -> None:
        """Take what stands under the headings so far; a text without a word is left out."""
        self._flush()
        if any(letter.isalnum() for letter in text):
            self._put(text, place, label or self.label)

    def closed(self) -> tuple[Block, ...]:
        """Return all blocks."""
        self._flush()
        return tuple(self.blocks)

    def _flush(self) -> None:
        for text, place in self._waiting:
            self._put(text, place, self.label)
        self._waiting = []

    def _put(self, text: str, place: Place, label: Label) -> None:
        path = tuple(name for _, name in self._path if name)
        self.blocks.append(Block(text=text, place=replace(place, heading=path), label=label))
