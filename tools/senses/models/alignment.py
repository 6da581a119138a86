"""When each word was said: wav2vec2 on the sound, by WhisperX's search."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.senses.base import Word
from tools.senses.errors import WeightsError
from tools.senses.models import tensors, weights
from tools.senses.models.flat import FlatWeights

ALIGNER = "wav2vec2-"
"""What the names of its variants begin with; behind it the language, by its ISO 639-1 code."""

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Aligner:
    model: Any
    weights: FlatWeights
    letters: dict[str, Any]
    """What WhisperX calls the metadata of a model."""


class Alignment:
    """The models for the languages that are here, each read when it is first asked for.

    They lie beside the model of hearing, in folders of their own: what hears better goes on with
    the same. One is on a device at a time.
    """

    def __init__(self, beside: Path, *, lock: bool) -> None:
        """Take models from the folders in a folder."""
        self._beside = beside
        self._lock = lock
        self._aligners: dict[str, _Aligner] = {}
        self._brought = ""

    @property
    def host_bytes(self) -> int:
        """What the models take in host memory."""
        return sum(one.weights.bytes for one in self._aligners.values())

    def stage(self, language: str) -> bool:
        """Read the model of a language into host memory; return whether there is one.

        Raises WeightsError where there is one that cannot be used.
        """
        folder = self._beside / f"{ALIGNER}{language}"
        if not (folder / weights.MANIFEST).is_file():
            return False
        if language not in self._aligners:
            self._aligners[language] = self._loaded(language, folder)
        return True

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

    def _loaded(self, language: str, folder: Path) -> _Aligner:
        names = weights.verified(folder).files
        file = next((name for name in _WEIGHTS if name in names), None)
        for name in ("config.json", "vocab.json"):
            if name not in names:
                raise WeightsError(f"{folder} holds no {name}. Bring all files of the model.")
        if file is None:
            raise WeightsError(f"{folder} holds no weights. Bring all files of the model.")
        import torch
        from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

        config = tensors.configured(Wav2Vec2Config, folder / "config.json", "wav2vec2")
        letters = _letters(folder / "vocab.json", config.vocab_size)
        model = tensors.filled(Wav2Vec2ForCTC, config, folder / file, torch.float32)
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


def _letters(path: Path, count: int) -> dict[str, int]:
    """Return the model's letters in lower case, with their numbers."""
    told = tensors.json_object(path)
    for letter, number in told.items():
        if not isinstance(number, int) or not 0 <= number < count:
            raise WeightsError(
                f"{path} gives {letter!r} the number {number!r}, and the model has {count} letters."
            )
    return {letter.lower(): number for letter, number in told.items()}
