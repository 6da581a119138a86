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

    def enter(self, level: int, name: str) -> None:
        """Take a heading that does not stand in the text, such as one of a table of contents."""
        self._flush()
        self._path = [step for step in self._path if step[0] < level]
        self._path.append((level, name))

    def body(self, text: str, place: Place) -> None:
        """Take what stands under the headings so far; a text without a word is left out."""
        if any(letter.isalnum() for letter in text):
            self.block(Block(text=text, place=place, label=self.label))
        self._flush()

    def block(self, block: Block) -> None:
        """Take a block that knows its places, its label and maybe headings of its own."""
        self._flush()
        self.blocks.append(block.moved(self.placed, block.label))

    def placed(self, place: Place) -> Place:
        """Return a place under the headings so far, its own headings below them."""
        return replace(place, heading=(*(name for _, name in self._path if name), *place.heading))

    def settled(self) -> int:
        """Return how many blocks there are; headings that waited for a text are among them."""
        self._flush()
        return len(self.blocks)

    def closed(self) -> tuple[Block, ...]:
        """Return all blocks."""
        self._flush()
        return tuple(self.blocks)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for text, place in waiting:
            self.block(Block(text=text, place=place, label=self.label))
