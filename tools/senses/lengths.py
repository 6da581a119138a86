"""How long a recording says that it is, where it says so itself.

FFmpeg tells a length for every file, but for some it is computed from the bytes that are there:
then a file that was cut off seems whole.
"""

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer

_UNTOLD = frozenset({0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF})
"""Lengths that programs write which do not know it yet."""

_TELLING = frozenset({"flac", "mov", "matroska", "caf", "aiff"})
"""Formats whose header has the length."""


def declared_s(data: bytes, container: "InputContainer") -> float | None:
    """Return the length that a file promises, in seconds, None where it promises none."""
    names = set(container.format.name.split(","))
    if "wav" in names:
        return _of_wav(data)
    if not names & _TELLING and not ("mp3" in names and _has_frame_count(data)):
        return None
    stream = container.streams.audio[0]
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is None or container.streams.video:
        return None
    return container.duration / 1_000_000


def _of_wav(data: bytes) -> float | None:
    """Read bytes a second and the size of the data from the chunks of a WAV file."""
    at, bytes_per_s = 12, 0
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"fmt " and at + 24 <= len(data):
            (bytes_per_s,) = struct.unpack_from("<I", data, at + 16)
        if name == b"data":
            is_told = bytes_per_s > 0 and size not in _UNTOLD
            return size / bytes_per_s if is_told else None
        at += 8 + size + size % 2
    return None


def _has_frame_count(data: bytes) -> bool:
    """Return whether the first frame of an MP3 file holds a header with the number of frames."""
    start = 0
    if data.startswith(b"ID3") and len(data) > 10:
        a, b, c, d = data[6:10]
        start = 10 + (a << 21 | b << 14 | c << 7 | d)
    first = data[start : start + 2048]
    return b"Xing" in first or b"Info" in first or b"VBRI" in first
