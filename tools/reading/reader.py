"""Any file, by its content: the one door through which files are read."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePath

from tools import packages
from tools.compressed import CompressedError, unpack
from tools.content import Content, Kind, detect
from tools.reading import (
    calendar,
    code,
    contacts,
    epub,
    html,
    mail,
    markdown,
    opendocument,
    pdf,
    picture,
    recording,
    sheet,
    slides,
    text,
    wikitext,
    word,
)
from tools.reading.base import FILE_BYTES_LIMIT, Reading, SenseFailedError, UnreadableError
from tools.reading.disk import too_large
from tools.reading.perception import Perception
from tools.senses.base import Task
from tools.senses.errors import MediaError, SenseError
from tools.senses.media import decode_audio, decode_image

READABLE = (
    "PDF, DOCX, PPTX, XLSX, ODT, ODP, ODS, EPUB, Markdown, HTML, code, text in any encoding, "
    "mail, calendars, contacts, pictures and recordings"
)

_WRITTEN = {
    Kind.CODE: code.read,
    Kind.TEXT: text.read,
    Kind.MARKDOWN: markdown.read,
    Kind.HTML: html.read,
    Kind.SHEET: sheet.read,
    Kind.CALENDAR: calendar.read,
    Kind.CONTACTS: contacts.read,
    Kind.WIKI: wikitext.read,
}
"""What reads each kind without the senses. Blocks."""

_SHOWN = {
    Kind.PDF: pdf.read,
    Kind.DOCUMENT: word.read,
    Kind.SLIDES: slides.read,
    Kind.BOOK: epub.read,
}
"""What reads each kind with sight for the pictures in it."""

_NEXT_STEPS = {
    Kind.DUMP: "Bring it into memory with `cortical ingest`: it holds many documents.",
    Kind.LEGACY: "Open it in the program it comes from and save it in a format of today.",
    Kind.PROTECTED: "Open it with its password and save a copy without one.",
}


class ContentReader:
    """Reads any file by what it holds, never by what it is called."""

    def __init__(self, perception: Perception, *, bytes_limit: int = FILE_BYTES_LIMIT) -> None:
        self._perception = perception
        self._bytes_limit = bytes_limit

    async def read(self, data: bytes, name: str, content: Content | None = None) -> Reading:
        """Return what stands in the bytes. Raises `UnreadableError` where nothing can be read."""
        return await self._read(data, name, mail.Nest(), content)

    @property
    def version(self) -> str:
        """What it reads with, in short: with another, what could not be read may be readable."""
        said = " + ".join([*sorted(self._readers()), str(self._bytes_limit)])
        return f"reader {hashlib.sha256(said.encode()).hexdigest()[:16]}"

    def current(self, reader: str) -> bool:
        """Return whether what `Reading.reader` says is still how it would be read."""
        return set(reader.split(" + ")) <= self._readers()

    def _readers(self) -> set[str]:
        """Return the names and versions of all that it reads with."""
        return {
            calendar.READER,
            code.READER,
            contacts.READER,
            epub.READER,
            html.READER,
            mail.READER,
            markdown.READER,
            opendocument.READER,
            pdf.READER,
            sheet.READER,
            slides.READER,
            text.READER,
            wikitext.READER,
            word.READER,
            self._perception.picture_reader,
            self._perception.recording_reader,
        }

    async def _read(
        self, data: bytes, name: str, nest: mail.Nest, content: Content | None = None
    ) -> Reading:
        """Read a file that may lie within mails."""
        self._refuse_large(data, name)
        told = content if content is not None else await asyncio.to_thread(detect, data, name)
        media_type = told.media_type
        if media_type.startswith(packages.OPEN_DOCUMENT) and told.kind is not Kind.UNKNOWN:
            return await opendocument.read(
                data, name, media_type, self._perception, kind=told.kind.value
            )
        if (written := _WRITTEN.get(told.kind)) is not None:
            return await asyncio.to_thread(written, data, name, media_type)
        if (shown := _SHOWN.get(told.kind)) is not None:
            return await shown(data, name, media_type, self._perception)
        match told.kind:
            case Kind.MAIL:
                return await mail.read(data, name, media_type, self._read, nest)
            case Kind.PICTURE:
                return await self._picture(data, name, media_type)
            case Kind.RECORDING:
                return await self._recording(data, name, media_type)
            case Kind.COMPRESSED:
                return await self._unpacked(data, name, nest)
            case Kind.EMPTY:
                raise UnreadableError(f"{name} is empty.")
            case _:
                step = _NEXT_STEPS.get(told.kind, f"{READABLE} can be.")
                raise UnreadableError(f"{name} is {told} and cannot be read. {step}")

    def _refuse_large(self, data: bytes, name: str) -> None:
        if len(data) > self._bytes_limit:
            raise too_large(name, len(data), self._bytes_limit)

    async def _unpacked(self, data: bytes, name: str, nest: mail.Nest) -> Reading:
        """Read the one document that a compressed file holds."""
        try:
            unpacked = await asyncio.to_thread(unpack, data, bytes_limit=self._bytes_limit)
        except CompressedError as error:
            raise UnreadableError(f"{name} cannot be unpacked: {error}.") from error
        inner = PurePath(name).stem
        told = await asyncio.to_thread(detect, unpacked.data, inner)
        if told.kind is Kind.COMPRESSED:
            raise UnreadableError(f"{name} is compressed more than once. Unpack it first.")
        reading = await self._read(unpacked.data, inner, nest, told)
        return replace(reading, flaws=(*unpacked.flaws, *reading.flaws))

    async def _picture(self, data: bytes, name: str, media_type: str) -> Reading:
        with _translated():
            decoded = await decode_image(data, name)
        return await picture.read(decoded, name, media_type, self._perception)

    async def _recording(self, data: bytes, name: str, media_type: str) -> Reading:
        self._perception.expect(Task.HEARING)
        with _translated():
            decoded = await decode_audio(data, name)
        return await recording.read(decoded, name, media_type, self._perception)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except MediaError as error:
        raise UnreadableError(str(error)) from error
    except SenseError as error:
        raise SenseFailedError(str(error)) from error
