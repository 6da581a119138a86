"""ODT, ODP and ODS: text under its headings, slides with their notes, rows of sheets."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from tools.archives import Archive, ProtectedError
from tools.reading import opensheet, openslides, openstory
from tools.reading.base import Reading
from tools.reading.drafts import Draft, finished, in_utc, translated
from tools.reading.opentext import DC
from tools.reading.perception import Perception
from tools.reading.trees import tree

if TYPE_CHECKING:
    from lxml.etree import _Element

READER = "opendocument/1"

_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_MANIFEST = "META-INF/manifest.xml"

_TELL = {"document": openstory.tell, "slides": openslides.tell, "sheet": opensheet.tell}


async def read(
    data: bytes, name: str, media_type: str, perception: Perception, *, kind: str
) -> Reading:
    """Return all text of a `document`, `slides` or a `sheet`, and what sight finds in pictures.

    Raises `UnreadableError`.
    """
    draft = await asyncio.to_thread(_drafted, data, name, kind)
    return await finished(draft, name, media_type, READER, perception)


def _drafted(data: bytes, name: str, kind: str) -> Draft:
    with translated(name, "an OpenDocument file"):
        archive = Archive(data)
        if _MANIFEST in archive and b"encryption-data" in archive.read(_MANIFEST):
            raise ProtectedError("it is protected by a password. Save a copy without one.")
        draft = Draft(archive=archive, kind=kind)
        if "meta.xml" in archive:
            _describe(draft, tree(archive.read("meta.xml"), "meta.xml"))
        _TELL[kind](draft)
        return draft


def _describe(draft: Draft, meta: "_Element") -> None:
    """Take title, author and time from the properties of a document."""
    given = {one.tag: (one.text or "").strip() for one in meta.iter() if isinstance(one.tag, str)}
    draft.title = given.get(DC + "title", "")
    draft.author = given.get(_META + "initial-creator") or given.get(DC + "creator", "")
    for moment in (given.get(DC + "date"), given.get(_META + "creation-date")):
        if moment and draft.made_at is None:
            draft.made_at = _moment(moment)


def _moment(text: str) -> datetime | None:
    # Nine digits of a second are more than there may be.
    head, _, fraction = text.partition(".")
    try:
        return in_utc(datetime.fromisoformat(f"{head}.{fraction[:6]}" if fraction else head))
    except ValueError:
        return None
