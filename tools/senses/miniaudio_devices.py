"""The microphone and the loudspeaker of this machine, through miniaudio.

Its wheel holds everything but the sound server's own library, which it looks for when it is used:
ALSA or PulseAudio on Linux (PipeWire serves both), CoreAudio on macOS, WASAPI on Windows.
"""

import asyncio
import contextlib
import ctypes
import threading
from collections import deque
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ctypes import CFUNCTYPE, c_char_p, c_int
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.senses.base import SAMPLE_RATE_HZ
from tools.senses.devices import PLAYED_HZ
from tools.senses.errors import SoundDeviceError
from tools.senses.voice import FRAME

_PERIOD_MS = 20
"""Sound that a device takes or gives at once."""

LOST_S = 3.0
"""A microphone that is silent for so long, without so much as noise, has gone: not every driver
tells."""

_NULL = "NULL"
"""The backend that is no device; miniaudio falls back to it, and we do not."""

_NO_DEVICE = "Discard all samples"
"""How ALSA's own null device calls itself."""

ADVICE = (
    "Plug one in, or choose one in the system's settings. On Linux miniaudio needs the library of "
    "the sound server (on Debian: apt install libasound2 or libpulse0). Without any device talk "
    "with `--microphone recording.wav --speaker answer.wav`."
)


def backends(names: Sequence[str] | None = None) -> list[Any]:
    """Return miniaudio's backends of these names, by default all that are devices."""
    module = _module()
    every = list(module.Backend)
    return [one for one in every if (one.name in names if names else one.name != _NULL)]


class DeviceMicrophone:
    """The system's microphone."""

    def __init__(self, device: Any, *, lost_s: float = LOST_S) -> None:
        self._device = device
        self._lost_s = lost_s
        self._loop = asyncio.get_running_loop()
        self._frames: asyncio.Queue[NDArray[np.float32]] = asyncio.Queue()

    @property
    def name(self) -> str:
        """What it is, for a person."""
        return f"the system's ({self._device.backend})"

    async def frames(self) -> AsyncGenerator[NDArray[np.float32], None]:
        """Yield frames as they come. Raises `SoundDeviceError` where none comes any more."""
        self._device.start(_begun(self._take()))
        while True:
            try:
                yield await asyncio.wait_for(self._frames.get(), self._lost_s)
            except TimeoutError as error:
                raise SoundDeviceError(
                    f"The microphone has given no sound for {self._lost_s:.0f} s: it was pulled "
                    "out, or the sound server has ended. Plug it in and talk again."
                ) from error

    def _take(self) -> Generator[None, bytes, None]:
        """Cut what the device's thread hands over into frames, and hand them to the loop."""
        rest = np.zeros(0, np.float32)
        while True:
            data = yield
            samples = np.frombuffer(data, "<i2").astype(np.float32) / 32768
            rest = np.concatenate([rest, samples])
            while len(rest) >= FRAME:
                frame, rest = rest[:FRAME], rest[FRAME:]
                self._loop.call_soon_threadsafe(self._frames.put_nowait, frame)


class DeviceLoudspeaker:
    """The system's loudspeaker."""

    live = True

    def __init__(self, device: Any) -> None:
        self._device = device
        # Held while what waits changes: the device's thread takes what the loop puts.
        self._lock = threading.Lock()
        self._sounds: deque[NDArray[np.int16]] = deque()
        self._waiting = 0
        self._played = 0
        device.start(_begun(self._give()))

    @property
    def name(self) -> str:
        """What it is, for a person."""
        return f"the system's ({self._device.backend})"

    @property
    def played(self) -> int:
        """Samples that the device has taken so far, pauses aside."""
        with self._lock:
            return self._played

    @property
    def waiting(self) -> int:
        """Samples that it has still to take."""
        with self._lock:
            return self._waiting

    def play(self, samples: NDArray[np.int16]) -> None:
        """Play these behind what waits."""
        with self._lock:
            self._sounds.append(samples)
            self._waiting += len(samples)

    def stop(self) -> None:
        """Forget what waits."""
        with self._lock:
            self._sounds.clear()
            self._waiting = 0

    def pass_time(self, seconds: float) -> None:
        """Do nothing: the device has a clock of its own."""

    def _give(self) -> Generator[bytes, int, None]:
        count = yield b""
        while True:
            count = yield self._next(count).tobytes()

    def _next(self, count: int) -> NDArray[np.int16]:
        """Return the next samples, and silence where none wait."""
        given = np.zeros(count, np.int16)
        with self._lock:
            at = 0
            while at < count and self._sounds:
                sound = self._sounds.popleft()
                part, rest = sound[: count - at], sound[count - at :]
                given[at : at + len(part)] = part
                at += len(part)
                if len(rest):
                    self._sounds.appendleft(rest)
            self._waiting -= at
            self._played += at
        return given


@contextmanager
def microphone(names: Sequence[str] | None = None) -> Iterator[DeviceMicrophone]:
    """Open the system's microphone. Raises `SoundDeviceError` where there is none."""
    module = _module()
    with _opened("microphone"):
        device = module.CaptureDevice(
            nchannels=1,
            sample_rate=SAMPLE_RATE_HZ,
            buffersize_msec=_PERIOD_MS,
            backends=backends(names),
            app_name="cortical",
        )
    with device:
        yield DeviceMicrophone(device)


@contextmanager
def loudspeaker(names: Sequence[str] | None = None) -> Iterator[DeviceLoudspeaker]:
    """Open the system's loudspeaker. Raises `SoundDeviceError` where there is none."""
    module = _module()
    with _opened("loudspeaker"):
        device = module.PlaybackDevice(
            nchannels=1,
            sample_rate=PLAYED_HZ,
            buffersize_msec=_PERIOD_MS,
            backends=backends(names),
            app_name="cortical",
        )
    with device:
        yield DeviceLoudspeaker(device)


def found() -> tuple[list[str], list[str]]:
    """Return the names of microphones and of loudspeakers.

    Raises `SoundDeviceError` where no sound server can be asked.
    """
    module = _module()
    with _opened("microphone or loudspeaker"):
        devices = module.Devices(backends())
        return _named(devices.get_captures()), _named(devices.get_playbacks())


def _named(listed: Iterable[Mapping[str, Any]]) -> list[str]:
    return [one["name"] for one in listed if not one["name"].startswith(_NO_DEVICE)]


@contextmanager
def _opened(what: str) -> Iterator[None]:
    try:
        yield
    except _module().MiniaudioError as error:
        raise SoundDeviceError(
            f"There is no {what} here that can be opened ({error.args[0]}). {ADVICE}"
        ) from error


@cache
def _quiet_alsa() -> object:
    """Keep ALSA from writing on standard error; what fails, miniaudio tells."""
    handler = CFUNCTYPE(None, c_char_p, c_int, c_char_p, c_int, c_char_p)(lambda *_: None)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(handler)
    return handler  # which has to live as long as the library


def _module() -> ModuleType:
    _quiet_alsa()
    try:
        return import_module("miniaudio")
    except (ImportError, OSError) as error:
        raise SoundDeviceError(
            f"miniaudio, which opens microphones and loudspeakers, cannot be used: {error}. "
            "Install the package miniaudio into cortical's environment."
        ) from error


def _begun(generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Run up to the first yield: the device only sends."""
    next(generator)
    return generator
