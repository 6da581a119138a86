"""When each word was said: wav2vec2 on the sound, by WhisperX's search."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.senses.base import Word
from tools.senses.errors import WeightsError
from tools.senses.models import tensors
from tools.senses.models.flat import FlatWeights
from tools.senses.models.weights import Manifest, read, verified

FOLDER = "align"
"""In it a folder for each language, named by its ISO 639-1 code."""
SIBLING = "wav2vec2-"
"""What the name of a folder of weights beside Whisper's begins with, before the same code."""

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Aligner:
    model: Any
    weights: FlatWeights
    letters: dict[str, Any]
    """What WhisperX calls the metadata of a model."""


class Alignment:
    """The models of all languages that a folder of weights has; one is on a device at a time."""

    def __init__(self, folder: Path, manifest: Manifest, *, lock: bool) -> None:
        inside = {
            language: (folder / FOLDER / language, frozenset(names))
            for language, names in _by_language(manifest).items()
        }
        self._places = {**_beside(folder), **inside}
        self._lock = lock
        self._aligners: dict[str, _Aligner] = {}
        self._brought = ""

    @property
    def languages(self) -> frozenset[str]:
        """For which words get their times."""
        return frozenset(self._places)

    @property
    def host_bytes(self) -> int:
        """What the models take in host memory."""
        return sum(one.weights.bytes for one in self._aligners.values())

    def stage(self) -> None:
        """Read all models into host memory. Raises WeightsError."""
        for language in sorted(self._places):
            if language not in self._aligners:
                self._aligners[language] = self._loaded(language)

    def bring(self, language: str, device: str) -> None:
        """Copy the model of a language to a device, in place of the one that is there."""
        if self._brought not in ("", language):
            self.leave()
        self._aligners[language].weights.bring(device)
        self._brought = language

    def leave(self) -> None:
        """Give the device's bytes back."""
        if self._brought:
            self._aligners[self._brought].weights.leave()
            self._brought = ""

    def drop(self) -> None:
        """Give the host's bytes back too."""
        self.leave()
        for one in self._aligners.values():
            one.weights.close()
        self._aligners.clear()

    def words(
        self, text: str, start_s: float, end_s: float, samples: NDArray[np.float32], device: str
    ) -> list[Word]:
        """Return the words of a text that was said from `start_s` to `end_s` of some sound.

        None where the text does not fit into the time. A model has to have been brought.
        """
        from whisperx import alignment

        aligner = self._aligners[self._brought]
        # By itself it has NLTK's splitter fetched from the network. Sentences are cut elsewhere.
        alignment.nltk_load = lambda _: _OneSentence()
        told = alignment.align(
            [{"text": text.strip(), "start": start_s, "end": end_s}],
            aligner.model,
            aligner.letters,
            np.ascontiguousarray(samples),
            device,
        )
        return [
            Word(
                text=one["word"],
                start_s=float(one["start"]),
                end_s=float(one["end"]),
                probability=float(one["score"]) if "score" in one else None,
            )
            for one in told["word_segments"]
            if "start" in one and "end" in one
        ]

    def _loaded(self, language: str) -> _Aligner:
        import torch
        from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

        folder, names = self._places[language]
        if folder.name.startswith(SIBLING):
            verified(folder)
        weights = next((name for name in _WEIGHTS if name in names), None)
        for name in ("config.json", "vocab.json"):
            if name not in names:
                raise WeightsError(f"{folder} holds no {name}. Bring all files of the model.")
        if weights is None:
            raise WeightsError(f"{folder} holds no weights. Bring all files of the model.")
        config = tensors.configured(Wav2Vec2Config, folder / "config.json", "wav2vec2")
        letters = _letters(folder / "vocab.json", config.vocab_size)
        model = tensors.filled(Wav2Vec2ForCTC, config, folder / weights, torch.float32)
        return _Aligner(
            model=model,
            weights=FlatWeights([model], lock=self._lock),
            letters={"language": language, "dictionary": letters, "type": "huggingface"},
        )


class _OneSentence:
    """A splitter of sentences as NLTK's, that splits nothing."""

    def span_tokenize(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the beginning and the end of the text."""
        yield 0, len(text)


def _beside(folder: Path) -> dict[str, tuple[Path, frozenset[str]]]:
    """Return the models that have folders of their own beside Whisper's; none is checked yet."""
    found = {}
    for other in sorted(folder.parent.glob(f"{SIBLING}*")):
        try:
            names = frozenset(read(other).files)
        except WeightsError:
            continue
        found[other.name.removeprefix(SIBLING)] = (other, names)
    return found


def _by_language(manifest: Manifest) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in manifest.files:
        parts = PurePosixPath(name).parts
        if len(parts) == 3 and parts[0] == FOLDER:
            found.setdefault(parts[1], set()).add(parts[2])
    return found


def _letters(path: Path, count: int) -> dict[str, int]:
    """Return the model's letters in lower case, with their numbers."""
    told = tensors.json_object(path)
    for letter, number in told.items():
        if not isinstance(number, int) or not 0 <= number < count:
            raise WeightsError(
                f"{path} gives {letter!r} the number {number!r}, and the model has {count} letters."
            )
    return {letter.lower(): number for letter, number in told.items()}
