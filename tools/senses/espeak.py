"""The library eSpeak NG, whose state is one for the whole process."""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_short, c_size_t, c_uint, c_void_p
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.senses.background import Patience
from tools.senses.errors import EngineError

_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_BY_CHARACTER = 1
_UTF_8 = 1
_BUFFER_MS = 60
_RATE = 1
_WORDS_PER_MINUTE = 150

# Of the ways to speak that come with the library this is the clearest: pocketsphinx hears four
# words in five of it, of the plain voice one in four.
_VARIANT = "+f5"

_Callback = CFUNCTYPE(c_int, POINTER(c_short), c_int, c_void_p)

# Held from the choice of a voice to the last sample: both belong to the process, not to a caller.
_ESPEAK = threading.Lock()


class Espeak:
    """The library, set up once. Its calls block."""

    def __init__(self) -> None:
        """Load library and data. Raises `EngineError` where either fails."""
        try:
            import espeakng_loader

            loader: Any = espeakng_loader
            data = loader.get_data_path()
            self._library: Any = ctypes.CDLL(loader.get_library_path())
        except (ImportError, OSError, RuntimeError) as error:
            raise EngineError(
                f"eSpeak NG cannot be used here: {error}. Reinstall the package espeakng-loader."
            ) from error
        self._declare()
        self.sample_rate_hz = self._library.espeak_Initialize(
            _SYNCHRONOUS, _BUFFER_MS, data.encode(), _DO_NOT_EXIT
        )
        if self.sample_rate_hz <= 0:
            raise EngineError(
                f"eSpeak NG cannot read its data in {data}. Reinstall the package espeakng-loader, "
                "in a folder whose path is shorter than 150 characters."
            )

        self._library.espeak_SetParameter(_RATE, _WORDS_PER_MINUTE, 0)

    def _declare(self) -> None:
        library = self._library
        library.espeak_Initialize.argtypes = (c_int, c_int, c_char_p, c_int)
        library.espeak_SetVoiceByName.argtypes = (c_char_p,)
        library.espeak_SetSynthCallback.argtypes = (_Callback,)
        library.espeak_SetSynthCallback.restype = None
        library.espeak_Synth.argtypes = (
            c_char_p,
            c_size_t,
            c_uint,
            c_int,
            c_uint,
            c_uint,
            c_void_p,
            c_void_p,
        )

    def has(self, language: str) -> bool:
        """Return whether there is a voice for a language, by its own name of it, and choose it."""
        return int(self._library.espeak_SetVoiceByName(f"{language}{_VARIANT}".encode())) == 0

    def say(self, text: str, patience: Patience) -> NDArray[np.int16]:
        """Return the sound of a text in the chosen voice, mono. It may be silent."""
        sound = bytearray()

        def take(samples: Any, count: int, _events: int | None) -> int:
            if samples and count > 0:
                sound.extend(ctypes.string_at(samples, count * 2))
            return int(patience.over)

        callback = _Callback(take)
        self._library.espeak_SetSynthCallback(callback)
        # The end of the text is found by its NUL, so that none may stand within it.
        encoded = text.replace("\0", " ").encode(errors="replace")
        failed = self._library.espeak_Synth(
            encoded, len(encoded) + 1, 0, _BY_CHARACTER, 0, _UTF_8, None, None
        )
        patience.check()
        if failed:
            raise EngineError(f"eSpeak NG failed with code {failed} on a text of {len(text)}.")
        return np.frombuffer(sound, dtype=np.int16)


@cache
def _loaded() -> Espeak:
    return Espeak()


@contextmanager
def held() -> Iterator[Espeak]:
    """Lend the library to one caller at a time. Raises `EngineError` where it does not load."""
    with _ESPEAK:
        yield _loaded()
