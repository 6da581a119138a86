"""Formats that are containers of their own, told by what is in them, never by a name."""

import re

from tools.archives import Archive, ArchiveError

ZIP = "application/zip"
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
EPUB = "application/epub+zip"
PROTECTED = "application/x-ole-encrypted-office"

_CONTENT_TYPES = "[Content_Types].xml"
_TELLING_BYTES = 1 << 20

_OPENXML = "application/vnd.openxmlformats-officedocument."
_MAIN = re.compile(
    r"application/(?:vnd\.openxmlformats-officedocument\.(?P<plain>"
    r"wordprocessingml\.(?:document|template)"
    r"|presentationml\.(?:presentation|slideshow|template)"
    r"|spreadsheetml\.(?:sheet|template))"
    r"|vnd\.ms-(?P<macro>(?:word\.(?:document|template)"
    r"|powerpoint\.(?:presentation|slideshow|template)"
    r"|excel\.(?:sheet|template))\.macroEnabled))(?:\.12)?\.main\+xml",
    re.IGNORECASE,
)
_KINDS = {"word": "document", "pres": "slides", "spre": "sheet", "powe": "slides", "exce": "sheet"}
"""By the first letters of a type's own name."""

_OPEN_KINDS = {"text": "document", "presentation": "slides", "spreadsheet": "sheet"}
_ROOT_TYPE = re.compile(
    r"<(?:\w+:)?file-entry\b(?=[^>]*full-path=\"/\")[^>]*media-type=\"([^\"]+)\"", re.IGNORECASE
)

_RAW = (
    (b"word/document", "document", _OPENXML + "wordprocessingml.document"),
    (b"ppt/presentation", "slides", _OPENXML + "presentationml.presentation"),
    (b"xl/workbook", "sheet", _OPENXML + "spreadsheetml.sheet"),
)
"""Names that lie about plainly in an archive whose list of files is broken."""

_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAMS = (
    ("EncryptedPackage", "protected", PROTECTED),
    ("WordDocument", "legacy", "application/msword"),
    ("PowerPoint Document", "legacy", "application/vnd.ms-powerpoint"),
    ("Workbook", "legacy", "application/vnd.ms-excel"),
    ("Book", "legacy", "application/vnd.ms-excel"),
    ("__properties_version1.0", "legacy", "application/vnd.ms-outlook"),
)
"""Names of streams that tell what a compound file holds, the most telling first."""


def zipped(data: bytes) -> tuple[str, str] | None:
    """Return the kind and the media type of a zip archive, by the files in it."""
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    try:
        archive = Archive(data)
        return _by_files(archive) or ("archive", ZIP)
    except ArchiveError:
        return _raw(data) or ("archive", ZIP)


def _by_files(archive: Archive) -> tuple[str, str] | None:
    if "mimetype" in archive and (found := _declared(_text(archive, "mimetype").strip())):
        return found
    if _CONTENT_TYPES in archive and (main := _MAIN.search(_text(archive, _CONTENT_TYPES))):
        return _office(main)
    if "META-INF/container.xml" in archive and any(name.endswith(".opf") for name in archive.names):
        return "book", EPUB
    if "META-INF/manifest.xml" in archive and "content.xml" in archive:
        root = _ROOT_TYPE.search(_text(archive, "META-INF/manifest.xml"))
        return None if root is None else _declared(root.group(1))
    return None


def _text(archive: Archive, name: str) -> str:
    return archive.read(name, _TELLING_BYTES).decode("utf-8", errors="replace")


def _declared(media_type: str) -> tuple[str, str] | None:
    if media_type == EPUB:
        return "book", EPUB
    if not media_type.startswith(OPEN_DOCUMENT):
        return None
    plain = media_type.removeprefix(OPEN_DOCUMENT).split("-")[0]
    return _OPEN_KINDS.get(plain, "unknown"), media_type


def _office(main: re.Match[str]) -> tuple[str, str]:
    plain, macro = main["plain"], main["macro"]
    kind = _KINDS[(plain or macro)[:4].lower()]
    return kind, _OPENXML + plain if plain else f"application/vnd.ms-{macro}.12"


def _raw(data: bytes) -> tuple[str, str] | None:
    """Tell a document whose archive cannot be opened, so that a message can say what is broken."""
    stored = data[30:38] == b"mimetype" and data[38:128].split(b"PK")[0].decode("latin-1")
    if stored and (found := _declared(re.split(r"[^\w.+/-]", stored)[0])):
        return found
    for name, kind, media_type in _RAW:
        if name in data:
            return kind, media_type
    return None


def compound(data: bytes) -> tuple[str, str] | None:
    """Return the kind and the media type of a compound file, as Office wrote them before 2007."""
    if not data.startswith(_COMPOUND):
        return None
    for stream, kind, media_type in _STREAMS:
        if stream.encode("utf-16-le") in data:
            return kind, media_type
    return "unknown", "application/x-ole-storage"
