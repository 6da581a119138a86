"""Recordings of any format, decoded by FFmpeg to mono at 16 kHz."""

import io
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tools.content import detect
from tools.senses.background import Patience
from tools.senses.base import SAMPLE_RATE_HZ, Recording
from tools.senses.errors import MediaError
from tools.senses.lengths import declared_s

if TYPE_CHECKING:
    from av.container import InputContainer

# Play lists (HLS, concat, DASH) name other files and addresses, which FFmpeg would fetch: only
# formats that hold the sound themselves are opened.
_FORMATS = (
    "3gp,aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,eac3,flac,flv,m4a,matroska,mov,mp3,mp4,"
    "mpeg,mpegts,ogg,oma,tta,w64,wav,webm,wv"
)
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}

HELD_BYTES = 32 << 20
"""Of sound that is held in memory, nine minutes; longer ones lie in a temporary file."""

_SAMPLE_BYTES = 4


def decoded(data: bytes, name: str, longest_s: float, patience: Patience) -> Recording:
    """Return the sound in some bytes. Raises `MediaError` where there is none."""
    import av

    if not data:
        raise MediaError(f"{name} is empty: it holds no sound. Record or copy it anew.")
    try:
        with av.open(io.BytesIO(data), mode="r", options=_OPTIONS) as container:
            return _recording(container, data, name, longest_s, patience)
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise MediaError(_reason(data, name)) from error


def _recording(
    container: "InputContainer", data: bytes, name: str, longest_s: float, patience: Patience
) -> Recording:
    if not container.streams.audio:
        raise MediaError(_reason(data, name))
    source = _Source(container)
    with tempfile.SpooledTemporaryFile(max_size=HELD_BYTES) as file:
        count, most = 0, round(longest_s * SAMPLE_RATE_HZ)
        for block in source.blocks():
            patience.check()
            file.write(block[: most - count].tobytes())
            count += len(block)
            if count > most:
                break
        if not count:
            raise MediaError(f"{name} holds no sound behind its header. Record or copy it anew.")
        promised = declared_s(data, container)
        flaws = tuple(_flaws(source, count, most, promised))
        return Recording(samples=_array(file, min(count, most)), declared_s=promised, flaws=flaws)


class _Source:
    """The first sound of a file. What cannot be decoded of it is counted."""

    def __init__(self, container: "InputContainer") -> None:
        self._container = container
        self._resampler = _resampler()
        self.broken_packets = 0
        self.breaks_off = False

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield samples from -1 to 1."""
        for frame in self._frames():
            yield from self._resampled(frame)
        yield from self._resampled(None)

    def _frames(self) -> Iterator[Any]:
        import av

        packets = self._container.demux(self._container.streams.audio[0])
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, EOFError):
                self.breaks_off = True
                return
            if packet is None:
                return
            try:
                yield from packet.decode()
            except (av.FFmpegError, EOFError):
                self.broken_packets += 1

    def _resampled(self, frame: Any) -> Iterator[NDArray[np.float32]]:
        import av

        try:
            resampled = self._resampler.resample(frame)
        except ValueError:
            # The rate or the channels change within the file.
            yield from self._resampled(None)
            self._resampler = _resampler()
            resampled = self._resampler.resample(frame)
        except av.FFmpegError:
            self.broken_packets += frame is not None
            return
        for one in resampled:
            # The library's own mix of two channels is louder than either, and clips.
            block = one.to_ndarray().mean(axis=0)
            np.nan_to_num(block, copy=False, posinf=1.0, neginf=-1.0)
            yield np.clip(block, -1.0, 1.0, out=block)


def _resampler() -> Any:
    import av

    return av.AudioResampler(format="fltp", rate=SAMPLE_RATE_HZ)


def _array(file: Any, count: int) -> NDArray[np.float32]:
    """Return what was written: held in memory, or lying in the file, which has no name."""
    if count * _SAMPLE_BYTES <= HELD_BYTES:
        file.seek(0)
        return np.frombuffer(file.read(), dtype=np.float32)
    file.flush()
    return np.memmap(file, dtype=np.float32, mode="r", shape=(count,))


def _flaws(source: _Source, count: int, most: int, promised: float | None) -> Iterator[str]:
    """Say what was wrong with a recording, of which so many samples were looked at."""
    duration_s = count / SAMPLE_RATE_HZ
    if count > most:
        whole = "" if promised is None else f" of {_clock(promised)}"
        yield f"too long: only its first {_clock(most / SAMPLE_RATE_HZ)}{whole} were decoded"
    elif promised is not None and promised - duration_s > max(0.25, 0.005 * promised):
        yield f"cut short: {duration_s:.1f} s of {promised:.1f} s are there"
    elif source.breaks_off:
        yield f"cut short: it breaks off after {duration_s:.1f} s"
    if source.broken_packets > 1:
        yield f"damaged: {source.broken_packets} pieces could not be decoded and were left out"


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _reason(data: bytes, name: str) -> str:
    """Say why there is no sound in some bytes."""
    content = detect(data)
    if content.kind == "recording":
        return (
            f"{name} is {content}, but no sound in it can be decoded: it is damaged, or has only "
            "pictures. Copy it anew or export it as WAV or FLAC."
        )
    return f"{name} is {content}, not a recording. Give a WAV, FLAC, MP3, Ogg or M4A file."
