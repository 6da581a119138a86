"""VCF: a line for each card, with names, addresses, numbers and notes."""

import logging
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tools.reading import objects
from tools.reading.base import Reading
from tools.reading.objects import Form, Raw, Said

READER = "contacts/1"

_LABELS = {
    "ORG": "Organisation",
    "TITLE": "Title",
    "ROLE": "Role",
    "NICKNAME": "Nickname",
    "EMAIL": "Email",
    "TEL": "Phone",
    "IMPP": "Chat",
    "ADR": "Address",
    "URL": "Link",
    "BDAY": "Birthday",
    "ANNIVERSARY": "Anniversary",
    "RELATED": "Related",
    "CATEGORIES": "Categories",
    "NOTE": "Note",
}
"""By the property, in the order in which they are said."""

_TEXTS = frozenset({"FN", "NOTE", "TITLE", "ROLE", "URL", "EMAIL", "TEL"})
"""Properties that hold one text, not several."""

_COMMA = re.compile(r"(?<!\\),")
_FOLD = re.compile(r"\r\n[ \t]")

_UNSAID_TYPES = frozenset({"internet", "pref", "voice"})
"""Types that say nothing about when an address is the right one."""


def read(data: bytes, name: str, media_type: str) -> Reading:
    """Return a block for each card. Raises `UnreadableError`."""
    return objects.read(data, name, media_type, _FORM)


def _say(raw: Raw) -> Said:
    import vobject

    # It prints what it skips, which is a person's address book.
    logging.getLogger("vobject.base").disabled = True
    lines = _unbroken(_FOLD.sub("", raw.text).split("\r\n"))
    text = "\r\n".join(map(_whole, lines))
    card = next(vobject.readComponents(text, allowQP=True, ignoreUnreadable=True))
    held: dict[str, list[Any]] = {}
    for line in card.getChildren():
        held.setdefault(line.name.upper(), []).append(line)
    title = _name(held)
    notes = (_text(line.value) for line in held.get("NOTE", ()))
    return Said(
        title=title, text="; ".join(filter(None, (title, *_parts(held)))), own="\n".join(notes)
    )


def _unbroken(lines: Iterable[str]) -> Iterator[str]:
    """Yield in one what quoted-printable broke up: the library copies all of it for each line."""
    held: list[str] = []
    breakable = False
    for line in lines:
        breakable = breakable if held else "quoted-printable" in line.lower()
        if breakable and line.endswith("="):
            held.append(line[:-1])
            continue
        yield "".join((*held, line))
        held = []
    if held:
        yield "".join(held)


def _whole(line: str) -> str:
    """Return a line whose text is one: the library drops all behind a comma without a backslash."""
    head, colon, value = line.partition(":")
    name = head.partition(";")[0].rpartition(".")[2].upper()
    return head + colon + (_COMMA.sub(r"\\,", value) if name in _TEXTS else value)


def _name(held: dict[str, list[Any]]) -> str:
    """Return what a card is called: as it is shown, else by its parts, else by its organisation."""
    for name in ("FN", "N", "ORG"):
        for line in held.get(name, ()):
            if text := _text(line.value):
                return text
    return ""


def _parts(held: dict[str, list[Any]]) -> Iterator[str]:
    for name, label in _LABELS.items():
        for line in held.get(name, ()):
            if text := _text(line.value):
                types = _types(line)
                yield f"{label} ({types}): {text}" if types else f"{label}: {text}"


def _types(line: Any) -> str:
    """Return of which kind an address is, as vCard 2.1 and as later ones write it."""
    given = (*line.params.get("TYPE", ()), *getattr(line, "singletonparams", ()))
    types = dict.fromkeys(kind.lower() for one in given for kind in one.split(","))
    return ", ".join(kind for kind in types if kind and kind not in _UNSAID_TYPES)


def _text(value: Any) -> str:
    """Return a value in one line: a text, a list of texts, or a name or an address of parts."""
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_text, value)))
    return " ".join(str(value).split())


_FORM = Form(
    kind="contacts",
    reader=READER,
    what="a file of contacts",
    names=frozenset({"VCARD"}),
    kept=frozenset({"VERSION", "FN", "N", *_LABELS}),
    say=_say,
    title=lambda _: "",
)
