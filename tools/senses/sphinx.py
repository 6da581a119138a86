"""The decoder of pocketsphinx, entered through its C functions.

Its Python binding holds the interpreter's lock while it decodes, which would stop the event loop
for seconds; a call through ctypes lets it go.
"""

import ctypes
import json
import math
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_int16, c_int32, c_size_t, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.senses.errors import EngineError

FRAME_S = 0.01

_CONFIG = {
    "samprate": 16000,
    "loglevel": "FATAL",
    # A little less than its default of 6.5: fewer errors over voices that were not those measured.
    "lw": 5.0,
}

_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "err_set_callback": (None, (c_void_p, c_void_p)),
    "ps_config_parse_json": (c_void_p, (c_void_p, c_char_p)),
    "ps_config_free": (c_int, (c_void_p,)),
    "ps_init": (c_void_p, (c_void_p,)),
    "ps_free": (c_int, (c_void_p,)),
    "ps_get_logmath": (c_void_p, (c_void_p,)),
    "logmath_exp": (c_double, (c_void_p, c_int)),
    "ps_start_stream": (c_int, (c_void_p,)),
    "ps_start_utt": (c_int, (c_void_p,)),
    "ps_process_raw": (c_int, (c_void_p, POINTER(c_int16), c_size_t, c_int, c_int)),
    "ps_end_utt": (c_int, (c_void_p,)),
    "ps_seg_iter": (c_void_p, (c_void_p,)),
    "ps_seg_next": (c_void_p, (c_void_p,)),
    "ps_seg_word": (c_char_p, (c_void_p,)),
    "ps_seg_frames": (None, (c_void_p, POINTER(c_int), POINTER(c_int))),
    "ps_seg_prob": (
        c_int32,
        (c_void_p, POINTER(c_int32), POINTER(c_int32), POINTER(c_int32)),
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """An entry of the dictionary, or of the list of noises, that was recognised."""

    entry: str
    """A word, perhaps with the number of its pronunciation: `word(2)`; or `<sil>`, `[NOISE]`."""
    start: int
    """First frame of `FRAME_S`."""
    end: int
    """Last frame, itself included."""
    probability: float


class Sphinx:
    """One decoder for English. Its calls block, and only one may run at a time."""

    def __init__(self) -> None:
        """Load library and model. Raises `EngineError` where either fails."""
        self._library, model = _library()
        # Without a callback it says nothing at all, not even that a file is missing.
        self._library.err_set_callback(None, None)
        config = json.dumps(
            {
                **_CONFIG,
                "hmm": str(model / "en-us"),
                "lm": str(model / "en-us.lm.bin"),
                "dict": str(model / "cmudict-en-us.dict"),
            }
        )
        settings = self._library.ps_config_parse_json(None, config.encode())
        self._decoder = self._library.ps_init(settings)
        self._library.ps_config_free(settings)
        if not self._decoder:
            raise EngineError(
                f"pocketsphinx cannot load its English model from {model}. Reinstall the package "
                "pocketsphinx."
            )
        self._logarithms = self._library.ps_get_logmath(self._decoder)

    def __del__(self) -> None:
        if getattr(self, "_decoder", None):
            self._library.ps_free(self._decoder)

    def decode(self, samples: NDArray[np.int16]) -> list[Token]:
        """Return what is recognised in mono sound at 16 kHz, taken as one utterance."""
        samples = np.ascontiguousarray(samples, dtype=np.int16)
        library, decoder = self._library, self._decoder
        pointer = samples.ctypes.data_as(POINTER(c_int16))
        # It forgets the noise of what was heard before: the same sound is always heard the same.
        library.ps_start_stream(decoder)
        library.ps_start_utt(decoder)
        # The whole utterance at once: its loudness is then averaged over all of it.
        frames = library.ps_process_raw(decoder, pointer, len(samples), 0, 1)
        if library.ps_end_utt(decoder) < 0 or frames < 0:
            raise EngineError(
                "pocketsphinx failed on a recording. Convert it to WAV and try again."
            )
        return self._tokens()

    def _tokens(self) -> list[Token]:
        library, tokens = self._library, []
        start, end, unused = c_int(), c_int(), c_int32()
        segment = library.ps_seg_iter(self._decoder)
        while segment:
            library.ps_seg_frames(segment, byref(start), byref(end))
            logarithm = library.ps_seg_prob(segment, byref(unused), byref(unused), byref(unused))
            probability = library.logmath_exp(self._logarithms, logarithm)
            tokens.append(
                Token(
                    entry=library.ps_seg_word(segment).decode(errors="replace"),
                    start=start.value,
                    end=end.value,
                    probability=min(1.0, probability) if math.isfinite(probability) else 0.0,
                )
            )
            segment = library.ps_seg_next(segment)
        return tokens


def _library() -> tuple[Any, Path]:
    """Return the library with its functions declared, and the folder of the English model."""
    try:
        from pocketsphinx import _pocketsphinx as binding

        library = ctypes.CDLL(binding.__file__)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (ImportError, OSError, AttributeError) as error:
        raise EngineError(
            f"pocketsphinx cannot be used here: {error}. Reinstall the package pocketsphinx, on "
            "Linux or macOS."
        ) from error
    return library, Path(binding.__file__).parent / "model" / "en-us"
