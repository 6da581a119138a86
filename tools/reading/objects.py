"""Calendars and contacts as lists of objects: events, tasks, cards, one by one."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from memory.places import Place
from tools.reading.base import Block, Reading, UnreadableError
from tools.reading.decoding import decode
from tools.reading.drafts import LABEL, translated

OBJECTS = 20_000
OBJECT_LETTERS = 1 << 20
"""Of what is read of one object."""

OWN_LETTERS = 8_000
"""By which the language is told."""

_NAME = re.compile(r"[A-Z0-9-]+")


@dataclass(kw_only=True, slots=True)
class Raw:
    """One object as it is written."""

    name: str
    """Such as `VEVENT` or `VCARD`."""
    line: int
    """Of its beginning, counted from 1."""
    lines: list[str] = field(default_factory=list)
    letters: int = 0
    ended: bool = False

    def take(self, line: str) -> None:
        """Add a line, unless it is more than is read."""
        self.letters += len(line)
        if self.letters <= OBJECT_LETTERS:
            self.lines.append(line)

    @property
    def text(self) -> str:
        """All its lines, from BEGIN to END."""
        return "\r\n".join((f"BEGIN:{self.name}", *self.lines, f"END:{self.name}", ""))


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One object in words."""

    title: str
    text: str
    """In one line, so that its place is the line where the object begins."""
    own: str
    """What of it is in the language of whoever wrote it."""
    flaws: tuple[str, ...] = ()


def raws(text: str, names: Collection[str], kept: Collection[str]) -> Iterator[Raw]:
    """Yield the objects of some names with some of their properties; what is nested is left out.

    One that has no end is ended by the next or by the end of the text.
    """
    held: Raw | None = None
    nested, keeping = "", False
    for number, line in enumerate(text.split("\n"), start=1):
        mark, _, what = line.partition(":")
        mark, what = mark.rstrip().upper(), what.strip().upper()
        if mark == "BEGIN" and what in names:
            if held is not None:
                yield held
            held, nested, keeping = Raw(name=what, line=number), "", False
        elif held is None:
            continue
        elif nested:
            nested = "" if (mark, what) == ("END", nested) else nested
        elif mark == "BEGIN":
            nested = what
        elif (mark, what) == ("END", held.name):
            held.ended = True
            yield held
            held = None
        else:
            keeping = _is_kept(line, mark, kept, keeping=keeping)
            if keeping:
                held.take(line)
    if held is not None:
        yield held


def _is_kept(line: str, mark: str, kept: Collection[str], *, keeping: bool) -> bool:
    """Return whether a line belongs to a property that is read.

    It goes on in lines that are indented, or in vCard 2.1 behind a line that ends in `=`, and then
    it has no name of its own.
    """
    if line[:1] in {" ", "\t", ""}:
        return keeping
    name = mark.partition(";")[0].rpartition(".")[2]
    return name in kept if _NAME.fullmatch(name) and ":" in line else keeping


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """How objects of a kind are read."""

    kind: str
    reader: str
    what: str
    """Of a file, in words with their article."""
    names: frozenset[str]
    kept: frozenset[str]
    """Properties that are read."""
    say: Callable[[Raw], Said]
    """Raises whatever it stumbles over."""
    title: Callable[[str], str]
    """Of all of them, by the whole text; empty where it has none."""


def read(data: bytes, name: str, media_type: str, form: Form) -> Reading:
    """Return a block for each object, at the line where it begins. Raises `UnreadableError`."""
    with translated(name, form.what):
        decoded = decode(data)
        blocks: list[Block] = []
        own: list[str] = []
        flaws = list(decoded.flaws)
        for count, raw in enumerate(raws(decoded.text, form.names, form.kept)):
            if count == OBJECTS:
                flaws.append(f"only the first {OBJECTS} entries are read; split the file")
                break
            said = _said(raw, form, flaws)
            if said is not None and any(map(str.isalnum, said.text)):
                blocks.append(_block(raw, said))
                own.append(said.own)
        if not blocks:
            fault = f": {flaws[0]}" if flaws else ""
            raise UnreadableError(f"{name} is {form.what} without anything to read{fault}.")
        alone = blocks[0].place.heading[-1] if len(blocks) == 1 and blocks[0].place.heading else ""
        return Reading(
            title=form.title(decoded.text) or alone or name,
            kind=form.kind,
            media_type=media_type,
            blocks=tuple(blocks),
            label=LABEL,
            reader=form.reader,
            flaws=tuple(flaws),
            own_words="\n".join(own)[:OWN_LETTERS],
        )


def _said(raw: Raw, form: Form, flaws: list[str]) -> Said | None:
    """Return an object in words; whatever is wrong with it costs no other."""
    where = f"{raw.name} at line {raw.line}"
    if not raw.ended:
        flaws.append(f"{where} has no end: the file was cut off or damaged")
    if raw.letters > OBJECT_LETTERS:
        flaws.append(f"{where} is longer than {OBJECT_LETTERS} characters; the rest is not read")
    try:
        said = form.say(raw)
    except Exception as error:  # noqa: BLE001  # the libraries have no errors of their own
        flaws.append(f"{where} is broken ({type(error).__name__}: {str(error)[:100]})")
        return None
    flaws += (f"{where}: {flaw}" for flaw in said.flaws)
    return said


def _block(raw: Raw, said: Said) -> Block:
    heading = (said.title,) if said.title else ()
    return Block(text=said.text, place=Place(heading=heading, line=raw.line), label=LABEL)
