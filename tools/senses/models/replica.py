"""Whisper in CTranslate2, which loads onto a device by itself and can go back to the host."""

import json
import logging
import time
from pathlib import Path
from typing import Any

from tools.senses.errors import DeviceError, EngineError, WeightsError
from tools.senses.models.weights import Manifest

REQUIRED = ("model.bin", "config.json", "tokenizer.json")
"""Without a tokenizer beside the weights, faster-whisper would fetch one from the network."""

_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_PREPROCESSOR = "preprocessor_config.json"
_MARKS = ("<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>")
_SPECIFICATION = b"WhisperSpec"
_HEADER_BYTES = 64
_BLOCK_BYTES = 1 << 22
_TRIES = 100
_BETWEEN_TRIES_S = 0.01

log = logging.getLogger(__name__)


class Replica:
    """One Whisper: absent, on a device, or taken off it."""

    def __init__(self, folder: Path, manifest: Manifest, *, threads: int) -> None:
        self._folder = folder
        self._manifest = manifest
        self._threads = threads
        self._model: Any = None
        self._device = ""

    @property
    def model(self) -> Any:
        """The `faster_whisper.WhisperModel`. Raises EngineError where it is on no device."""
        if self._model is None or not self._model.model.model_is_loaded:
            raise EngineError(f"{self._manifest.variant} has not been brought to a device.")
        return self._model

    @property
    def bytes(self) -> int:
        """What the files that it is loaded from hold."""
        return sum(self._manifest.files[name].bytes for name in self._names())

    def stage(self) -> None:
        """Check what can be checked without a device, and have the system hold the files.

        CTranslate2 cannot load for a card without one, so the host's first copy is the page cache.
        """
        _check(self._folder, self._manifest)
        for name in self._names():
            _read(self._folder / name)

    def bring(self, device: str) -> None:
        """Load onto a device; from its copy on the host where it has been there before."""
        if self._model is not None and self._device != device:
            self.drop()
        if self._model is None:
            self._model = self._constructed(device)
            self._device = device
            return
        try:
            self._model.model.load_model(keep_cache=True)
        except RuntimeError as error:
            raise _translated(error, self._folder, device) from error

    def leave(self) -> None:
        """Free the device's copy. Raises EngineError where CTranslate2 does not let go of it."""
        if self._model is None:
            return
        replica = self._model.model
        on_card = self._device.startswith("cuda")
        # Just after a transcription its own thread may still hold the model: then nothing happens.
        for _ in range(_TRIES):
            if not replica.model_is_loaded:
                return
            replica.unload_model(to_cpu=on_card)
            if replica.model_is_loaded:
                time.sleep(_BETWEEN_TRIES_S)
        if replica.model_is_loaded:
            raise EngineError(
                f"CTranslate2 does not let go of {self._manifest.variant} on {self._device}: "
                f"{replica.num_active_batches} batches are in progress. Restart the worker."
            )

    def drop(self) -> None:
        """Free everything."""
        self._model = None
        self._device = ""

    def _names(self) -> list[str]:
        own = (*REQUIRED, *_VOCABULARIES, _PREPROCESSOR)
        return [name for name in own if name in self._manifest.files]

    def _constructed(self, device: str) -> Any:
        import ctranslate2
        from faster_whisper import WhisperModel

        kind, _, index = device.partition(":")
        if kind == "cuda" and ctranslate2.get_cuda_device_count() <= int(index or 0):
            raise DeviceError(f"CTranslate2 sees no card {device}. Choose the CPU.")
        try:
            model = WhisperModel(
                str(self._folder),
                device=kind,
                device_index=int(index or 0),
                compute_type=compute_type(self._manifest.variant, kind),
                cpu_threads=self._threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            raise _translated(error, self._folder, device) from error
        heard, made = model.model.n_mels, model.feature_extractor.mel_filters.shape[0]
        if heard != made:
            raise WeightsError(
                f"{self._folder / 'model.bin'} hears {heard} bands of sound and {_PREPROCESSOR} "
                f"makes {made}: they belong to different models. Bring them again."
            )
        return model


def compute_type(variant: str, kind: str) -> str:
    """Return what CTranslate2 computes in, from the last part of a variant's name.

    Raises WeightsError where the name ends with no precision.
    """
    precision = variant.rpartition("-")[2]
    types = {
        "fp16": {"cuda": "float16", "cpu": "float32"},
        "int8": {"cuda": "int8_float16", "cpu": "int8"},
        "fp32": {"cuda": "float32", "cpu": "float32"},
    }
    if precision not in types:
        raise WeightsError(
            f"The variant {variant!r} says no precision: its name has to end in one of "
            f"{', '.join(sorted(types))}."
        )
    return types[precision][kind]


def _check(folder: Path, manifest: Manifest) -> None:
    for name in REQUIRED:
        if name not in manifest.files:
            raise WeightsError(f"{folder} holds no {name}. Bring all files of the model.")
    vocabulary = next((name for name in _VOCABULARIES if name in manifest.files), None)
    if vocabulary is None:
        raise WeightsError(f"{folder} holds no vocabulary. Bring all files of the model.")
    compute_type(manifest.variant, "cpu")
    with (folder / "model.bin").open("rb") as file:
        if _SPECIFICATION not in file.read(_HEADER_BYTES):
            raise WeightsError(f"{folder / 'model.bin'} is no Whisper of CTranslate2.")
    _compare_tokens(folder / "tokenizer.json", folder / vocabulary)


def _compare_tokens(tokenizer: Path, vocabulary: Path) -> None:
    """Raise WeightsError where the tokenizer is another model's."""
    from tokenizers import Tokenizer

    try:
        ids = Tokenizer.from_file(str(tokenizer)).get_vocab()
        # Whichever of the two is there: a list of JSON, or a token on each line.
        text = vocabulary.read_text(encoding="utf-8")
        tokens = json.loads(text) if vocabulary.suffix == ".json" else text.split("\n")
        places = {token: place for place, token in enumerate(tokens)}
    except Exception as error:  # tokenizers raises nothing more special
        raise WeightsError(f"{tokenizer} or {vocabulary.name} cannot be read: {error}.") from error
    for mark in _MARKS:
        if mark not in ids or places.get(mark) != ids[mark]:
            raise WeightsError(
                f"{tokenizer} has {mark} at {ids.get(mark)}, {vocabulary.name} at "
                f"{places.get(mark)}: they belong to different models. Bring them again."
            )


def _read(path: Path) -> None:
    try:
        with path.open("rb") as file:
            while file.read(_BLOCK_BYTES):
                pass
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}.") from error


def _translated(error: Exception, folder: Path, device: str) -> DeviceError | WeightsError:
    told = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if any(sign in told.lower() for sign in ("cuda", "out of memory", "cublas", "cudnn")):
        return DeviceError(f"Whisper cannot be brought to {device}: {told}")
    return WeightsError(f"{folder / 'model.bin'} cannot be loaded: {told}")
