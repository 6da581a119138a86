"""VCF: a line for each card, with names, addresses, numbers and notes."""

from collections.abc import Iterator
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

_UNSAID_TYPES = frozenset({"internet", "pref", "voice"})
"""Types that say nothing about when an address is the right one."""


def read(data: bytes, name: str, media_type: str) -> Reading:
    """Return a block for each card. Raises `UnreadableError`."""
    return objects.read(data, name, media_type, _FORM)


def _say(raw: Raw) -> Said:
    import vobject

    card = next(vobject.readComponents(raw.text, allowQP=True, ignoreUnreadable=True))
    held: dict[str, list[Any]] = {}
    for line in card.getChildren():
        held.setdefault(line.name.upper(), []).append(line)
    title = _name(held)
    return Said(title=title, text="; ".join(filter(None, (title, *_parts(held)))))


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
    dropped=frozenset({"PHOTO", "LOGO", "SOUND", "KEY", "AGENT"}),
    say=_say,
    title=lambda _: "",
)
