"""Compressed files: unpacked as far as they are worth it."""

import bz2
import gzip
import io
import lzma
import tarfile
import time
from collections.abc import Callable

import pytest

from tools.compressed import BombError, CompressedError, unpack
from tools.content import Kind, detect
from tools.reading.base import UnreadableError
from tools.reading.reader import ContentReader
from tools.reading.testing import perception

Pack = Callable[[bytes], bytes]
PACKS = [gzip.compress, bz2.compress, lzma.compress]
NOTES = b"The boiler drips at night.\n\nCall the plumber.\n" * 40
LIMIT = 64 * 2**20


def reader() -> ContentReader:
    return ContentReader(perception())


@pytest.mark.parametrize("pack", PACKS)
async def test_a_compressed_document_is_read_as_what_it_holds(pack: Pack) -> None:
    content = detect(pack(NOTES), "notes.txt.gz")
    assert content.kind is Kind.COMPRESSED
    reading = await reader().read(pack(NOTES), "notes.txt.gz")
    assert (reading.kind, reading.title) == ("text", "notes.txt")
    mail = b"From: a@example.org\nTo: b@example.org\nSubject: Boiler\n\nIt drips.\n"
    assert (await reader().read(pack(mail), "mail.gz")).kind == "mail"
    source = b"import os\n\n\ndef find(path):\n    return os.listdir(path)\n"
    assert (await reader().read(pack(source), "find.py.xz")).kind == "code"


@pytest.mark.parametrize("pack", PACKS)
async def test_what_is_cut_off_is_read_up_to_there(pack: Pack) -> None:
    data = pack(b"".join(f"line {n} {n * n}\n".encode() for n in range(60_000)))
    cut = data[: len(data) * 3 // 4]
    reading = await reader().read(cut, "log.gz")
    assert reading.blocks[0].text.startswith("line 0 0\nline 1 1")
    assert reading.flaws[0] == "it is cut off; what comes before was read"


@pytest.mark.parametrize("pack", PACKS)
def test_several_streams_one_behind_the_other_are_one_file(pack: Pack) -> None:
    assert unpack(pack(b"one ") + pack(b"") + pack(b"two"), bytes_limit=LIMIT).data == b"one two"


@pytest.mark.parametrize("pack", PACKS)
async def test_a_bomb_costs_little_and_is_named(pack: Pack) -> None:
    bomb = pack(b"all the same " * (3 * 2**19))
    began = time.process_time()
    with pytest.raises(UnreadableError, match=r"bomb\.gz cannot be unpacked: .* its size"):
        await reader().read(bomb, "bomb.gz", detect(bomb))
    assert time.process_time() - began < 5


async def test_a_bomb_in_a_bomb_is_not_opened() -> None:
    data = NOTES
    for _ in range(5):
        data = gzip.compress(data)
    with pytest.raises(UnreadableError, match=r"quine\.gz is"):
        await reader().read(data, "quine.gz")


def test_a_file_of_a_million_empty_streams_is_refused() -> None:
    began = time.process_time()
    with pytest.raises(BombError, match="tiny streams"):
        unpack(gzip.compress(b"") * 1_000_000, bytes_limit=LIMIT)
    assert time.process_time() - began < 2


def test_a_file_over_the_limit_is_refused() -> None:
    with pytest.raises(BombError, match="more than 1000 bytes"):
        unpack(gzip.compress(NOTES), bytes_limit=1000)


def test_what_claims_to_need_gigabytes_of_memory_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**30}]
    data = lzma.compress(NOTES, filters=filters)
    with pytest.raises(CompressedError, match="broken"):
        unpack(data, bytes_limit=LIMIT)


@pytest.mark.parametrize("pack", PACKS)
async def test_damage_is_told(pack: Pack) -> None:
    data = bytearray(pack(NOTES))
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    with pytest.raises(UnreadableError, match=r"notes\.gz is an archive|broken|cut off"):
        await reader().read(bytes(data), "notes.gz")


async def test_an_archive_stays_one_however_it_is_packed() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("notes.txt"))
    content = detect(file.getvalue())
    assert (content.kind, content.media_type) == (Kind.ARCHIVE, "application/x-tar")
    with pytest.raises(UnreadableError, match="is an archive"):
        await reader().read(file.getvalue(), "notes.tar.gz")
