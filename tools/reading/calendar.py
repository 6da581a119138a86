"""ICS: events and tasks with their time, place, people, and how they repeat."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tools.reading import objects, recurrence
from tools.reading.base import Reading
from tools.reading.objects import Form, Raw, Said

if TYPE_CHECKING:
    from icalendar.cal import Component

READER = "calendar/1"

PEOPLE = 50
"""Attendees that are named."""

_EXCEPTIONS = 20
_NAMES = frozenset({"VEVENT", "VTODO", "VJOURNAL"})
_KEPT = frozenset(
    "SUMMARY DTSTART DTEND DURATION DUE COMPLETED RECURRENCE-ID RRULE EXDATE LOCATION STATUS "
    "CATEGORIES ORGANIZER ATTENDEE URL DESCRIPTION COMMENT".split()
)
_PROSE = ("DESCRIPTION", "COMMENT")
_NAMED = re.compile(r"^(?:X-WR-CALNAME|NAME)(?:;[^:\n]*)?:(.+)$", re.MULTILINE | re.IGNORECASE)
_ESCAPED = re.compile(r"\\([\\,;])")


def read(data: bytes, name: str, media_type: str) -> Reading:
    """Return a block for each event and task. Raises `UnreadableError`."""
    return objects.read(data, name, media_type, _FORM)


def _title(text: str) -> str:
    named = _NAMED.search(text.partition("BEGIN:VEVENT")[0])
    return "" if named is None else _ESCAPED.sub(r"\1", named.group(1)).strip()


def _say(raw: Raw) -> Said:
    from icalendar.cal import Component

    component = Component.from_ical(raw.text)
    title = _text(component, "SUMMARY")
    return Said(
        title=title,
        text="; ".join(filter(None, _parts(component))),
        own="\n".join((title, *(_text(component, key) for key in _PROSE))),
        flaws=tuple(f"{name or 'a line'}: {fault}" for name, fault in component.errors),
    )


def _parts(component: "Component") -> Iterator[str]:
    yield _text(component, "SUMMARY")
    yield _when(component)
    for name, key in (("Due", "DUE"), ("Completed", "COMPLETED"), ("Instead of", "RECURRENCE-ID")):
        for value in _all(component, key):
            yield _labelled(name, _moment(value))
    for rule in _all(component, "RRULE"):
        yield _labelled("Repeats", recurrence.words(rule) if isinstance(rule, dict) else str(rule))
    yield _labelled("Except", _exceptions(component))
    for name, key in (("Place", "LOCATION"), ("Status", "STATUS"), ("Categories", "CATEGORIES")):
        yield _labelled(name, _text(component, key))
    yield _labelled("Organiser", ", ".join(map(_person, _all(component, "ORGANIZER"))))
    people = _all(component, "ATTENDEE")
    more = f" and {len(people) - PEOPLE} more" if len(people) > PEOPLE else ""
    yield _labelled("Attendees", ", ".join(map(_person, people[:PEOPLE])) + more)
    yield _labelled("Link", _text(component, "URL"))
    for key in _PROSE:
        yield _text(component, key)


def _labelled(name: str, text: str) -> str:
    return f"{name}: {text}" if text else ""


def _all(component: "Component", key: str) -> list[Any]:
    """Return all values of a property that can be read; the others are among the flaws."""
    from icalendar.prop.broken import vBroken

    value = component.get(key)
    values = value if isinstance(value, list) else [value]
    return [one for one in values if one is not None and not isinstance(one, vBroken)]


def _text(component: "Component", key: str) -> str:
    values = _all(component, key)
    texts = (", ".join(map(str, getattr(one, "cats", [one]))) for one in values)
    return " ".join(" ".join(texts).split())


def _when(component: "Component") -> str:
    """Say from when to when, with the zone; of whole days the end is the day after the last."""
    start = next(iter(_all(component, "DTSTART")), None)
    begin = getattr(start, "dt", None)
    if begin is None:
        return "" if start is None else str(start)
    last = next((getattr(one, "dt", None) for one in _all(component, "DTEND")), None)
    lasts = next((getattr(one, "dt", None) for one in _all(component, "DURATION")), None)
    if last is None and isinstance(lasts, timedelta):
        last = begin + lasts
    if not isinstance(begin, datetime) and isinstance(last, date):
        last -= timedelta(days=1)
    zone = _zone(start)
    return _shown(begin) + _until(begin, last) + (f" ({zone})" if zone else "")


def _until(begin: date, last: object) -> str:
    if not isinstance(last, date) or last == begin:
        return ""
    whole = _shown(last)
    return f" to {whole.removeprefix(f'{begin:%Y-%m-%d} ')}"


def _shown(moment: date) -> str:
    """Say a moment on its own clock, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else moment.isoformat()


def _zone(value: Any) -> str:
    if named := value.params.get("TZID"):
        return str(named)
    moment = value.dt
    return "UTC" if isinstance(moment, datetime) and moment.tzinfo is not None else ""


def _moment(value: Any) -> str:
    moment = getattr(value, "dt", None)
    if not isinstance(moment, date):
        return str(value)
    zone = _zone(value)
    return _shown(moment) + (f" ({zone})" if zone else "")


def _exceptions(component: "Component") -> str:
    moments = [one.dt for value in _all(component, "EXDATE") for one in getattr(value, "dts", ())]
    more = f" and {len(moments) - _EXCEPTIONS} more" if len(moments) > _EXCEPTIONS else ""
    return ", ".join(_shown(one) for one in moments[:_EXCEPTIONS]) + more


def _person(value: Any) -> str:
    """Say who, by name and address, and what they answered."""
    address = str(value)
    address = address[7:] if address.lower().startswith("mailto:") else address
    parameters = getattr(value, "params", {})
    name, answer = parameters.get("CN", ""), parameters.get("PARTSTAT", "")
    who = f"{name} <{address}>" if name and address and name != address else name or address
    return f"{who} ({answer.lower()})" if answer and answer != "NEEDS-ACTION" else who


_FORM = Form(
    kind="calendar",
    reader=READER,
    what="a calendar",
    names=_NAMES,
    kept=_KEPT,
    say=_say,
    title=_title,
)
