"""A mail taken apart, whatever is wrong with it.

The parser of the standard library is used with the old policy, which looks at nothing that it is
not asked for. What it raises on broken input is not documented and ranges from IndexError to
RecursionError, so each header and each part is taken behind a guard of its own.
"""

import io
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import TypeVar

from tools.reading import correspondence, headers
from tools.reading.envelopes import messages

Value = TypeVar("Value")

LARGEST_BYTES = 36 * 2**20
"""Of a mail; what is beyond is not read. It takes ten times as much memory to take apart."""

HEADERS = 1_000
PARTS = 200
DEPTH = 20
NAME_LETTERS = 120
BOUNDARIES = 20_000
"""Lines that may begin a part. The parser makes an object for each."""
PARAMETERS = 20
PARAMETERS_LETTERS = 4 * 1024
"""Of a header that has parameters. The parser copies the rest of it for each of them, and asks for
them with each part."""

FAULTS = (
    ArithmeticError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    RuntimeError,
    MessageError,
)
"""What the parser raises on broken input; RecursionError is a RuntimeError."""

_ENVELOPE = re.compile(rb">?From [^\n]*\n")
"""First line of a message in a mailbox file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """A part of a mail that is shown as its text."""

    data: bytes
    charset: str | None = None
    html: bool = False
    choice: int = 0
    """Bodies with the same number, other than 0, are forms of one text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file inside a mail."""

    name: str
    data: bytes
    message: bool = False
    """Whether it is a mail itself, whatever it looks like."""


@dataclass(kw_only=True, slots=True)
class Mail:
    """What could be taken out of a mail."""

    headers: dict[str, str] = field(default_factory=dict)
    """Decoded and on one line, by lower-case name; the first of several."""
    raw: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Of those that name people and other mails all, as they were sent."""
    bodies: list[Body] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)

    @property
    def date(self) -> datetime | None:
        """When it says that it was written; a missing zone is taken for UTC."""
        moment = guarded(lambda: parsedate_to_datetime(self.headers["date"]))
        if moment is None:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        # An hour of the year 1 or 9999 in another zone is no moment that can be stored.
        return moment if 1900 < moment.year < 3000 else None


class _Lenient(policy.Compat32):
    """The old policy, by which headers with parameters are of bearable length."""

    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        """Return the name of a header and what stands behind it, as it was sent."""
        name, text = super().header_source_parse(list(sourcelines))
        if not name.lower().startswith("content-"):
            return name, text
        return name, ";".join(text[:PARAMETERS_LETTERS].split(";", PARAMETERS)[:PARAMETERS])


def guarded(take: Callable[[], Value]) -> Value | None:
    """Return what the parser gives, None where it stumbles over broken input."""
    try:
        return take()
    except FAULTS:
        return None


_LENIENT = _Lenient()


def parse(data: bytes) -> Mail:
    """Take a mail apart. Blocks, for about a second in thirty megabytes."""
    mail = Mail()
    data, *others = _parted(data, mail)
    data = _capped(data, mail)
    message = guarded(lambda: BytesParser(policy=_LENIENT).parsebytes(data))
    if message is None:
        mail.flaws.append("its parts are nested too deep to be taken apart; read as plain text")
        message = BytesParser(policy=_LENIENT).parsebytes(data, headersonly=True)
        _take_headers(message, mail)
        mail.bodies.append(Body(data=data.partition(b"\n\n")[2]))
        return mail
    _take_headers(message, mail)
    _collect(message, mail)
    mail.attachments += (
        Attachment(name=f"message {number}", data=other, message=True)
        for number, other in enumerate(others, start=2)
    )
    return mail


def _parted(data: bytes, mail: Mail) -> list[bytes]:
    """Return the message, and behind it those that follow it where it is a mailbox of several."""
    # Mail that was saved out of a web page begins with a line of blanks.
    data = data.lstrip()
    envelope = _ENVELOPE.match(data)
    if envelope is None:
        return [data]
    found = messages(io.BytesIO(data), len(data), limit=LARGEST_BYTES)
    held = [one for one in islice(found, PARTS + 1) if one is not None]
    if len(held) > PARTS:
        mail.flaws.append(f"it is a mailbox, of which only the first {PARTS} messages were read")
    return held[:PARTS] or [data[envelope.end() :]]


def _capped(data: bytes, mail: Mail) -> bytes:
    if len(data) > LARGEST_BYTES:
        mail.flaws.append(f"only its first {LARGEST_BYTES >> 20} MB were read")
        data = data[:LARGEST_BYTES]
    if data.count(b"\n--") > BOUNDARIES:
        mail.flaws.append(f"only its first {BOUNDARIES} separating lines were read")
        data = b"\n--".join(data.split(b"\n--", BOUNDARIES)[:BOUNDARIES])
    return data


def _take_headers(message: "Message[str, str]", mail: Mail) -> None:
    for written, raw in list(message.raw_items())[:HEADERS]:
        name, text = written.lower(), str(raw)
        if name not in mail.headers:
            mail.headers[name] = headers.decoded(text)
        if name in correspondence.RAW:
            mail.raw[name].append(text)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    message: "Message[str, str]"
    depth: int = 0
    choice: int = 0


def _collect(message: "Message[str, str]", mail: Mail) -> None:
    """Walk over the parts in their order, without recursion."""
    waiting = [_Part(message=message)]
    count = 0
    while waiting:
        part = waiting.pop()
        count += 1
        if count > PARTS:
            mail.flaws.append(f"only its first {PARTS} parts were read")
            return
        if part.depth > DEPTH:
            mail.flaws.append(f"a part nested deeper than {DEPTH} was not read")
            continue
        kind = guarded(part.message.get_content_type) or "text/plain"
        held = part.message.get_payload()
        if isinstance(held, list) and not kind.startswith("message/"):
            choice = count if kind == "multipart/alternative" else part.choice
            waiting += (
                _Part(message=child, depth=part.depth + 1, choice=choice)
                for child in reversed(held)
                if isinstance(child, Message)
            )
        elif kind.startswith("message/"):
            _take_message(part, kind, mail)
        else:
            _take(part, kind, mail)


def _take_message(part: _Part, kind: str, mail: Mail) -> None:
    """Take a mail inside a mail, or what a server reports."""
    held = part.message.get_payload()
    inner = [child for child in held if isinstance(child, Message)] if type(held) is list else []
    if kind in {"message/delivery-status", "message/disposition-notification"}:
        report = guarded(lambda: b"\n".join(child.as_bytes() for child in inner))
        mail.bodies.append(Body(data=report or b""))
        return
    data = guarded(lambda: inner[0].as_bytes() if inner else _payload(part.message))
    name = _name(part.message) or guarded(lambda: headers.decoded(str(inner[0]["subject"] or "")))
    named = name or f"message {len(mail.attachments) + 1}"
    if data:
        mail.attachments.append(Attachment(name=named, data=data, message=True))
    else:
        mail.flaws.append(f"the enclosed message {named!r} could not be taken out")


def _take(part: _Part, kind: str, mail: Mail) -> None:
    """Take a part without parts as text to be shown or as a file."""
    message = part.message
    name = _name(message)
    data = guarded(lambda: _payload(message))
    if data is None:
        mail.flaws.append(f"the part {name or kind!r} could not be decoded")
        return
    shown = kind.startswith(("text/", "multipart/")) and not name
    if shown and guarded(message.get_content_disposition) != "attachment":
        charset = guarded(message.get_content_charset)
        html = kind == "text/html"
        mail.bodies.append(Body(data=data, charset=charset, html=html, choice=part.choice))
    elif data:
        named = name or f"unnamed {len(mail.attachments) + 1}"
        mail.attachments.append(Attachment(name=named, data=data))


def _payload(message: "Message[str, str]") -> bytes:
    """Return the bytes of a part, its transfer encoding undone."""
    data = message.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data


def _name(message: "Message[str, str]") -> str:
    """Return the name that a part was given, without any folder."""
    name = guarded(lambda: headers.decoded(message.get_filename() or "")) or ""
    return re.split(r"[/\\]", name)[-1].strip()[:NAME_LETTERS]
