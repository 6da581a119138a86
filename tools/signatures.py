"""Formats that are known by their first bytes, whatever a classifier makes of them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tools import packages


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """A format that begins in its own way."""

    kind: str
    """Value of `tools.content.Kind`."""
    media_type: str


_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "picture", "image/png"),
    (b"\xff\xd8\xff", "picture", "image/jpeg"),
    (b"GIF87a", "picture", "image/gif"),
    (b"GIF89a", "picture", "image/gif"),
    (b"II*\0", "picture", "image/tiff"),
    (b"MM\0*", "picture", "image/tiff"),
    (b"II+\0", "picture", "image/tiff"),
    (b"MM\0+", "picture", "image/tiff"),
    (b"\0\0\x01\0", "picture", "image/x-icon"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "picture", "image/jp2"),
    (b"\xff\x4f\xff\x51", "picture", "image/jp2"),
    (b"8BPS", "unknown", "image/vnd.adobe.photoshop"),
    (b"fLaC\0", "recording", "audio/flac"),
    (b"fLaC\x80", "recording", "audio/flac"),
    (b"OggS\0", "recording", "audio/ogg"),
    (b"#!AMR", "recording", "audio/amr"),
    (b"caff\0\x01", "recording", "audio/x-caf"),
    (b"wvpk", "recording", "audio/x-wavpack"),
    (b"\x1aE\xdf\xa3", "recording", "video/x-matroska"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "recording", "audio/x-ms-wma"),
    (b"FLV\x01", "recording", "video/x-flv"),
    (b"MThd\0\0\0\x06", "unknown", "audio/midi"),
    (b"\x1f\x8b\x08", "archive", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "archive", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "archive", "application/vnd.rar"),
    (b"\xfd7zXZ\0", "archive", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "archive", "application/zstd"),
)

_FORMS = {
    b"WAVE": ("recording", "audio/wav"),
    b"AVI ": ("recording", "video/x-msvideo"),
    b"WEBP": ("picture", "image/webp"),
    b"AIFF": ("recording", "audio/aiff"),
    b"AIFC": ("recording", "audio/aiff"),
}
_BRANDS = {
    b"avif": ("picture", "image/avif"),
    b"avis": ("picture", "image/avif"),
    b"heic": ("unknown", "image/heic"),
    b"heix": ("unknown", "image/heic"),
    b"mif1": ("unknown", "image/heif"),
    b"M4A ": ("recording", "audio/mp4"),
    b"M4B ": ("recording", "audio/mp4"),
    b"qt  ": ("recording", "video/quicktime"),
}
_BITMAP_HEADER_BYTES = frozenset({12, 40, 52, 56, 64, 108, 124})
_PDF = re.compile(rb"%PDF-\d\.\d[ \t]*[\r\n%]")
_OBJECT = re.compile(rb"\d+ \d+ obj\b")


def find(data: bytes) -> Signature | None:
    """Return the format that bytes have by their signature."""
    for beginning, kind, media_type in _BEGINNINGS:
        if data.startswith(beginning):
            return Signature(kind=kind, media_type=media_type)
    for look in _LOOKS:
        if found := look(data):
            return Signature(kind=found[0], media_type=found[1])
    return None


def _chunked(data: bytes) -> tuple[str, str] | None:
    return _FORMS.get(data[8:12]) if data[:4] in {b"RIFF", b"RF64", b"FORM"} else None


def _iso_media(data: bytes) -> tuple[str, str] | None:
    if data[4:8] != b"ftyp" or data[0]:
        return None
    return _BRANDS.get(data[8:12], ("recording", "video/mp4"))


def _tagged_mpeg(data: bytes) -> tuple[str, str] | None:
    is_tag = data.startswith(b"ID3") and len(data) > 10 and data[3] < 5 and max(data[6:10]) < 0x80
    return ("recording", "audio/mpeg") if is_tag else None


def _sun_audio(data: bytes) -> tuple[str, str] | None:
    offset = int.from_bytes(data[4:8], "big")
    is_audio = data.startswith(b".snd") and 24 <= offset < 1 << 16
    return ("recording", "audio/basic") if is_audio else None


def _bitmap(data: bytes) -> tuple[str, str] | None:
    header_bytes = int.from_bytes(data[14:18], "little")
    is_bitmap = data.startswith(b"BM") and header_bytes in _BITMAP_HEADER_BYTES
    return ("picture", "image/bmp") if is_bitmap else None


def _portable_document(data: bytes) -> tuple[str, str] | None:
    """Take a PDF, also one behind other bytes, as viewers do, but no text that speaks of it."""
    start = _PDF.search(data, 0, 1024 + 16)
    is_pdf = start is not None and (
        start.start() == 0 or _OBJECT.search(data, start.end(), start.end() + 4096)
    )
    return ("pdf", "application/pdf") if is_pdf else None


def _tape_archive(data: bytes) -> tuple[str, str] | None:
    return ("archive", "application/x-tar") if data[257:262] == b"ustar" else None


def _block_sorted(data: bytes) -> tuple[str, str] | None:
    is_bzip = re.match(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", data)
    return ("archive", "application/x-bzip2") if is_bzip else None


def _mpeg_audio(data: bytes) -> tuple[str, str] | None:
    """Take MPEG audio without tags: a frame, and a second where the first says that it ends."""
    length = _frame_bytes(data)
    if length is None or (len(data) > length + 4 and _frame_bytes(data[length:]) is None):
        return None
    return "recording", "audio/aac" if data[1] & 0b110 == 0 else "audio/mpeg"


def _frame_bytes(data: bytes) -> int | None:
    """Return the length of the MPEG audio or ADTS frame that bytes begin with."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return None
    if data[1] & 0xF6 == 0xF0:
        length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
        return length if length > 7 else None
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    rate_index, bit_rate_index = data[2] >> 2 & 3, data[2] >> 4
    if version == 1 or layer != 1 or rate_index == 3 or bit_rate_index in {0, 15}:
        return None
    rate_hz = (44_100, 48_000, 32_000)[rate_index] >> (3 - version if version else 2)
    table = _RATES_1 if version == 3 else _RATES_2
    slots = 144 if version == 3 else 72
    return slots * table[bit_rate_index] * 1000 // rate_hz + (data[2] >> 1 & 1)


_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""Kilobits a second of layer III, by index, of MPEG 1 and of MPEG 2 and 2.5."""

_LOOKS: tuple[Callable[[bytes], tuple[str, str] | None], ...] = (
    packages.zipped,
    packages.compound,
    _chunked,
    _iso_media,
    _tagged_mpeg,
    _sun_audio,
    _bitmap,
    _portable_document,
    _tape_archive,
    _block_sorted,
    _mpeg_audio,
)
