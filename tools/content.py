"""What some bytes are, told by the bytes alone: a name may lie.

Formats with a signature are told by it, always. Text is told by its characters, and what kind of
text by its first lines. The classifier is asked last: it knows two hundred formats, but is unsure
of short files.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tools import compressed, programming, signatures

if TYPE_CHECKING:
    from magika import Magika
    from magika.types import MagikaPrediction


class Kind(StrEnum):
    """What can be read, and by which way; the rest is named, so that a message can say it."""

    PDF = "pdf"
    MARKDOWN = "markdown"
    CODE = "code"  # in a language whose grammar is known
    TEXT = "text"  # also other code, JSON, CSV
    HTML = "html"
    MAIL = "mail"  # one message, or an mbox of several
    PICTURE = "picture"
    RECORDING = "recording"  # also films, for their sound
    DUMP = "dump"  # of a wiki: many documents in one file, also compressed
    WIKI = "wiki page"  # out of a dump
    COMPRESSED = "compressed"  # one document, of whatever kind
    DOCUMENT = "document"  # of a word processor
    SLIDES = "slides"
    SHEET = "sheet"  # a workbook of several, too
    BOOK = "book"
    CALENDAR = "calendar"
    CONTACTS = "contacts"
    LEGACY = "legacy"  # what Office wrote before 2007
    PROTECTED = "protected"  # by a password
    ARCHIVE = "archive"
    EMPTY = "empty"  # no bytes, or blanks only
    UNKNOWN = "unknown"  # the media type says more where anything is known


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What some bytes are."""

    kind: Kind
    media_type: str

    def __str__(self) -> str:
        """Say it in words that fit behind `is`."""
        match self.kind:
            case Kind.EMPTY:
                return "empty"
            case Kind.UNKNOWN if self.media_type == _OCTETS:
                return "of no known format"
            case Kind.UNKNOWN | Kind.TEXT | Kind.CODE:
                return f"of type {self.media_type}"
            case Kind.LEGACY:
                return f"a file of an older program ({self.media_type})"
            case kind if kind in _PLAIN:
                return f"{self.kind} ({self.media_type})"
            case _:
                return f"{_ARTICLES.get(self.kind, 'a')} {self.kind} ({self.media_type})"


_PLAIN = {
    Kind.PDF,
    Kind.HTML,
    Kind.MAIL,
    Kind.SLIDES,
    Kind.CONTACTS,
    Kind.PROTECTED,
    Kind.COMPRESSED,
}
"""Named without an article."""
_OCTETS = "application/octet-stream"
_ARTICLES = {Kind.ARCHIVE: "an", Kind.MARKDOWN: ""}

_SAMPLE_BYTES = 1 << 18
_CONTROLS = bytes(set(range(32)) - set(b"\b\t\n\v\f\r\x1a\x1b")) + b"\x7f"
_CONTROLS_SHARE = 0.002
"""Of control characters in a text: a stray one does not make it anything else."""

_UTF_32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

_OBJECTS = re.compile(r"\A(?:[ \t]*\n)*BEGIN:(VCALENDAR|VCARD)[ \t]*\n", re.IGNORECASE)
_OBJECT_KINDS = {
    "VCALENDAR": (Kind.CALENDAR, "text/calendar"),
    "VCARD": (Kind.CONTACTS, "text/vcard"),
}

_HEAD = re.compile(rb"[^\0]*?\r?\n\r?\n")
_BLANK_LINES = re.compile(r"\A(?:[ \t]*\n)+")
_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:")
_ENVELOPE = re.compile(r"From \S++.{0,300}?\d{1,2}:\d\d.*")
_ROUTING = frozenset(
    "from received return-path delivered-to message-id mime-version x-mailer dkim-signature "
    "envelope-to x-received sender resent-from list-id".split()
)
_WRITTEN = _ROUTING | frozenset("to cc bcc subject date reply-to content-type in-reply-to".split())

_HTML = re.compile(
    r"(?:<\?xml[^>]*+>|(?><!--.*?-->)|\s)*+<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_DUMP = re.compile(r"\s*(?:<\?xml[^>]{0,200}>\s*)?<mediawiki\b")
_HEADING = re.compile(r"^#{1,6} \S[^\n]*\s*?(?:\n\s*\n|\n[^#\n]|\Z)", re.M)
_SETTINGS = re.compile(r"^\[[\w.:\" -]+\]$|^[\w.-]+ ?= ?\S", re.M)
_MARKUP = re.compile(
    r"^```|^[-*] \[[ x]\] |\[[^\]\[\n]{1,300}\]\([^)\s]{1,2000}\)|^\|[ :|-]+\|$", re.M
)

_NO_TEXT = {"rtf": "application/rtf", "postscript": "application/postscript"}
_CLASSES = {
    "archive": Kind.ARCHIVE,
    "audio": Kind.RECORDING,
    "image": Kind.PICTURE,
    "video": Kind.RECORDING,
}


def detect(data: bytes, name: str = "") -> Content:
    """Tell what bytes are. Blocks for some milliseconds, 200 at the first call.

    A file's name is asked only for the language of code, and only where its text leaves that open.
    """
    if signature := signatures.find(data):
        found = Content(kind=Kind(signature.kind), media_type=signature.media_type)
        return _packed(found, data) if compressed.is_compressed(data) else found
    text = _text(data[:_SAMPLE_BYTES])
    if text is None:
        return _headed(data[:_SAMPLE_BYTES]) or _binary(data)
    if not text.strip("\ufeff\0 \t\r\n\v\f"):
        return Content(kind=Kind.EMPTY, media_type="application/x-empty")
    return _written(text, data, name)


def _packed(found: Content, data: bytes) -> Content:
    """Tell what a compressed file is by the beginning of what it holds."""
    head = compressed.beginning(data)
    if not head or compressed.is_compressed(head):
        return found
    inner = detect(head)
    if inner.kind in {Kind.DUMP, Kind.ARCHIVE}:
        return inner
    return Content(kind=Kind.COMPRESSED, media_type=found.media_type)


def _text(sample: bytes) -> str | None:
    """Return the text of a sample, None where it is none. The charset is a guess."""
    charset = _wide(sample)
    if charset is None:
        charset = "utf-8"
        if len(sample.translate(None, _CONTROLS)) < (1 - _CONTROLS_SHARE) * len(sample):
            return None
    text = sample.decode(charset, errors="replace")
    if text.count("\ufffd") > 1 + 0.001 * len(text):
        # Neither UTF-8 nor UTF-16, but without control characters: an older charset.
        return None if charset != "utf-8" else sample.decode("latin-1")
    return text


def _headed(sample: bytes) -> Content | None:
    """Take mail by its headers alone: its body may be anything, sent as it was."""
    head = _HEAD.match(sample)
    text = _text(head[0]) if head else None
    mail = _mail(_BLANK_LINES.sub("", text.replace("\r\n", "\n"))) if text else None
    return Content(kind=Kind.MAIL, media_type=mail) if mail else None


def _wide(sample: bytes) -> str | None:
    """Tell UTF-16 and 32 by their mark, or UTF-16 by its zero bytes in European text."""
    if sample.startswith(_UTF_32):
        return "utf-32"
    if sample.startswith(_UTF_16):
        return "utf-16"
    pairs = len(sample) // 2
    if pairs < 2:
        return None
    high, low = sample[0::2].count(0), sample[1::2].count(0)
    if low > 0.4 * pairs and high < 0.05 * pairs:
        return "utf-16-le"
    if high > 0.4 * pairs and low < 0.05 * pairs:
        return "utf-16-be"
    return None


def _written(text: str, data: bytes, name: str) -> Content:
    """Tell what kind of text it is."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if written := _OBJECTS.match(text):
        kind, media_type = _OBJECT_KINDS[written.group(1).upper()]
        return Content(kind=kind, media_type=media_type)
    if mail := _mail(_BLANK_LINES.sub("", text)):
        return Content(kind=Kind.MAIL, media_type=mail)
    if _DUMP.match(text):
        return Content(kind=Kind.DUMP, media_type="application/x-mediawiki-dump+xml")
    if _HTML.match(text):
        return Content(kind=Kind.HTML, media_type="text/html")
    prediction = _classified(data)
    guess, label = prediction.output, str(prediction.output.label)
    if label in _NO_TEXT and text.startswith(("{\\rtf", "%!PS")):
        return Content(kind=Kind.UNKNOWN, media_type=_NO_TEXT[label])
    if label == "eml" and _header_names(text):
        return Content(kind=Kind.MAIL, media_type="message/rfc822")
    if label == "html":
        return Content(kind=Kind.HTML, media_type="text/html")
    unsure = label in {"txt", "unknown"} and str(prediction.dl.label) != label
    if language := programming.of(text, name, label=label, unsure=unsure):
        return Content(kind=Kind.CODE, media_type=language.media_type)
    marked = _HEADING.search(text) or _MARKUP.search(text)
    if label == "markdown" or (
        label in {"txt", "unknown"} and marked and not _SETTINGS.search(text)
    ):
        return Content(kind=Kind.MARKDOWN, media_type="text/markdown")
    known = guess.is_text and "/" in guess.mime_type
    return Content(kind=Kind.TEXT, media_type=guess.mime_type if known else "text/plain")


def _mail(text: str) -> str | None:
    """Return the media type of a mail, None where a text does not begin like one."""
    first, _, rest = text.partition("\n")
    if _ENVELOPE.fullmatch(first) and _header_names(rest):
        return "application/mbox"
    names = _header_names(text)
    return "message/rfc822" if names & _ROUTING and len(names & _WRITTEN) > 1 else None


def _header_names(text: str) -> set[str]:
    """Return the names of the header fields that a text begins with, none if prose is between."""
    names: set[str] = set()
    for line in text.split("\n", 400)[:400]:
        if not line.strip():
            break
        if line[0] in " \t" and names:
            continue
        field = _FIELD.match(line)
        if field is None:
            return set()
        names.add(field[1].lower())
    return names


def _binary(data: bytes) -> Content:
    guess = _classified(data).output
    if guess.is_text or "/" not in guess.mime_type:
        return Content(kind=Kind.UNKNOWN, media_type=_OCTETS)
    kind = _CLASSES.get(guess.group, Kind.UNKNOWN)
    return Content(kind=kind, media_type=guess.mime_type)


def _classified(data: bytes) -> "MagikaPrediction":
    return _classifier().identify_bytes(data).prediction


@cache
def _classifier() -> "Magika":
    from magika import Magika

    onnxruntime: Any = import_module("onnxruntime")

    class Classifier(Magika):
        def _init_onnx_session(self) -> Any:
            # Several files are told at once; threads within each would only wait for each other.
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            return onnxruntime.InferenceSession(
                self._model_path, options, providers=["CPUExecutionProvider"]
            )

    return Classifier()
