"""Any file, by its content: the one door through which files are read."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePath

from tools.compressed import CompressedError, unpack
from tools.content import Content, Kind, detect
from tools.reading import code, html, mail, markdown, pdf, picture, recording, text, wikitext
from tools.reading.base import FILE_BYTES_LIMIT, Reading, SenseFailedError, UnreadableError
from tools.reading.perception import Perception
from tools.senses.errors import MediaError, SenseError
from tools.senses.media import decode_audio, decode_image

READABLE = "PDF, Markdown, HTML, code, text in any encoding, mail, pictures and recordings"

_WRITTEN = {
    Kind.CODE: code.read,
    Kind.TEXT: text.read,
    Kind.MARKDOWN: markdown.read,
    Kind.HTML: html.read,
    Kind.WIKI: wikitext.read,
}
"""What reads text of each kind. Blocks."""


class ContentReader:
    """Reads any file by what it holds, never by what it is called."""

    def __init__(self, perception: Perception, *, bytes_limit: int = FILE_BYTES_LIMIT) -> None:
        self._perception = perception
        self._bytes_limit = bytes_limit

    async def read(self, data: bytes, name: str, content: Content | None = None) -> Reading:
        """Return what stands in the bytes. Raises `UnreadableError` where nothing can be read."""
        return await self._read(data, name, 0, content)

    def current(self, reader: str) -> bool:
        """Return whether what `Reading.reader` says is still how it would be read."""
        current = {
            code.READER,
            html.READER,
            mail.READER,
            markdown.READER,
            pdf.READER,
            text.READER,
            wikitext.READER,
            self._perception.picture_reader,
            self._perception.recording_reader,
        }
        return set(reader.split(" + ")) <= current

    async def _read(
        self, data: bytes, name: str, depth: int, content: Content | None = None
    ) -> Reading:
        """Read a file that lies within so many mails."""
        if len(data) > self._bytes_limit:
            raise UnreadableError(
                f"{name} has {len(data)} bytes, and {self._bytes_limit} are read at most. "
                "Raise the limit in the settings, or split the file."
            )
        told = content if content is not None else await asyncio.to_thread(detect, data, name)
        media_type = told.media_type
        if (written := _WRITTEN.get(told.kind)) is not None:
            return await asyncio.to_thread(written, data, name, media_type)
        match told.kind:
            case Kind.PDF:
                return await pdf.read(data, name, media_type, self._perception)
            case Kind.MAIL:
                return await mail.read(data, name, media_type, self._read, depth=depth)
            case Kind.PICTURE:
                return await self._picture(data, name, media_type)
            case Kind.RECORDING:
                return await self._recording(data, name, media_type)
            case Kind.COMPRESSED:
                return await self._unpacked(data, name, depth)
            case Kind.DUMP:
                raise UnreadableError(
                    f"{name} holds many documents: bring it into memory with `cortical ingest`."
                )
            case Kind.EMPTY:
                raise UnreadableError(f"{name} is empty.")
            case _:
                raise UnreadableError(f"{name} is {told} and cannot be read. {READABLE} can be.")

    async def _unpacked(self, data: bytes, name: str, depth: int) -> Reading:
        """Read the one document that a compressed file holds."""
        try:
            unpacked = await asyncio.to_thread(unpack, data, bytes_limit=self._bytes_limit)
        except CompressedError as error:
            raise UnreadableError(f"{name} cannot be unpacked: {error}.") from error
        inner = PurePath(name).stem
        told = await asyncio.to_thread(detect, unpacked.data, inner)
        if told.kind is Kind.COMPRESSED:
            raise UnreadableError(f"{name} is compressed more than once. Unpack it first.")
        reading = await self._read(unpacked.data, inner, depth, told)
        return replace(reading, flaws=(*unpacked.flaws, *reading.flaws))

    async def _picture(self, data: bytes, name: str, media_type: str) -> Reading:
        with _translated():
            decoded = await decode_image(data, name)
        return await picture.read(decoded, name, media_type, self._perception)

    async def _recording(self, data: bytes, name: str, media_type: str) -> Reading:
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
