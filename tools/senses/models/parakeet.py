"""Hearing by Parakeet, a transducer that says with each token how long it lasts."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memory import language as languages
from tools.senses import cutting, joining
from tools.senses.background import Patience
from tools.senses.base import ATTENTION_S, SAMPLE_RATE_HZ, Segment, Word
from tools.senses.errors import EngineError, WeightsError
from tools.senses.models import engine, sentences, tensors, voice, weights
from tools.senses.models.base import Heard
from tools.senses.models.flat import FlatWeights
from tools.senses.models.weights import Manifest

_WEIGHTS = "model.safetensors"
_CONFIG = "config.json"
_NAMES = (_CONFIG, _WEIGHTS, "tokenizer.json")
_KIND = "parakeet_tdt"


class Parakeet:
    """Writes down speech of the languages that its manifest names."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        *,
        longest_s: float = ATTENTION_S,
        lock: bool = False,
    ) -> None:
        """Take weights from a folder; nothing is read yet.

        At most `longest_s` of sound are heard at once. `lock` keeps the weights ready for a card.
        """
        self._folder = folder
        self._manifest = manifest
        self._longest_s = longest_s
        self._lock = lock
        self._model: Any = None
        self._on_host: Any = None
        self._processor: Any = None
        self._weights: FlatWeights | None = None
        self._device = ""

    @property
    def host_bytes(self) -> int:
        """What its copy in host memory takes."""
        return 0 if self._weights is None else self._weights.bytes

    def stage(self) -> None:
        """Read the weights into host memory. Raises WeightsError or EngineError."""
        if self._weights is not None:
            return
        weights.verified(self._folder)
        for name in _NAMES:
            if name not in self._manifest.files:
                raise WeightsError(f"{self._folder} holds no {name}. Bring all files of the model.")
        with engine.translated(self._manifest.variant):
            config = self._config()
            self._processor = self._read_processor(config)
            _compare(self._folder, config, self._processor)
            self._on_host = self._loaded(_precision(self._manifest.variant))
            self._weights = FlatWeights([self._on_host], lock=self._lock)

    def bring(self, device: str) -> None:
        """Copy the weights to a device; a CPU computes in 32 bits, whatever they are kept in."""
        import torch

        self.stage()
        assert self._weights is not None
        if device == "cpu" and _precision(self._manifest.variant) != torch.float32:
            with engine.translated(self._manifest.variant):
                self._model = self._loaded(torch.float32)
        else:
            self._weights.bring(device)
            self._model = self._on_host
        self._device = device

    def leave(self) -> None:
        """Give all bytes of the device back."""
        self._model = None
        self._device = ""
        if self._weights is not None:
            self._weights.leave()

    def drop(self) -> None:
        """Give the host memory back as well."""
        self.leave()
        if self._weights is not None:
            self._weights.close()
        self._weights = self._on_host = self._processor = None

    def transcribe(
        self, samples: NDArray[np.float32], patience: Patience, *, language: str | None = None
    ) -> Heard:
        """Return the words of a piece of shape (n,). Silence gives no segments.

        Parakeet is not told a language. Without one, that of what it wrote is given.
        """
        if self._model is None:
            raise EngineError(f"{self._manifest.variant} has not been brought to a device.")
        patience.check()
        parts: list[tuple[float, Heard]] = []
        with engine.translated(self._manifest.variant):
            for piece in cutting.pieces(samples, self._longest_s):
                patience.check()
                own = samples[piece.start : piece.end]
                found = self._segments(own, patience) if voice.spans(own) else ()
                parts.append((piece.start_s, Heard(segments=tuple(found), language="")))
        segments = joining.joined(parts).segments
        heard_as = language or self._language(" ".join(one.text for one in segments))
        return Heard(segments=segments, language=heard_as, flaws=tuple(self._flaws(heard_as)))

    def _segments(self, samples: NDArray[np.float32], patience: Patience) -> list[Segment]:
        import torch
        from transformers import StoppingCriteriaList

        inputs = self._processor(np.ascontiguousarray(samples), sampling_rate=SAMPLE_RATE_HZ).to(
            self._device, dtype=self._model.dtype
        )
        with torch.inference_mode():
            told = self._model.generate(
                **inputs, stopping_criteria=StoppingCriteriaList([_Patient(patience)])
            )
        _, [tokens] = self._processor.decode(told.sequences, durations=told.durations)
        heard = list(words(tokens))
        text = " ".join(word.text for word in heard)
        return sentences.segments(text, heard, 0.0, len(samples) / SAMPLE_RATE_HZ)

    def _language(self, text: str) -> str:
        if len(self._manifest.languages) == 1:
            return self._manifest.languages[0]
        return languages.detect(text)

    def _flaws(self, heard_as: str) -> Iterator[str]:
        known = self._manifest.languages
        if known and heard_as not in (*known, languages.UNKNOWN):
            yield f"{self._manifest.variant} was not trained on {heard_as!r}: words may be wrong"

    def _read_processor(self, config: Any) -> Any:
        from transformers import ParakeetProcessor

        try:
            processor = ParakeetProcessor.from_pretrained(self._folder, local_files_only=True)
        except Exception as error:  # tokenizers raises nothing more special
            raise WeightsError(
                f"{self._folder} holds no processor of Parakeet: {error}."
            ) from error
        # Folders from before it was saved leave it to be guessed.
        processor.decoder_type = "tdt"
        processor.blank_token_id = config.blank_token_id
        return processor

    def _config(self) -> Any:
        from transformers import ParakeetTDTConfig

        return tensors.configured(ParakeetTDTConfig, self._folder / _CONFIG, _KIND)

    def _loaded(self, dtype: Any) -> Any:
        from transformers import ParakeetForTDT

        config = self._config()
        model = tensors.filled(ParakeetForTDT, config, self._folder / _WEIGHTS, dtype)
        _settle(model.generation_config, config)
        return model


class _Patient:
    """Ends a generation that nobody waits for any more."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def __call__(self, input_ids: Any, *_: Any, **__: Any) -> Any:
        self._patience.check()
        return input_ids.new_zeros(len(input_ids), dtype=bool)


def words(tokens: Iterable[Mapping[str, Any]]) -> Iterator[Word]:
    """Yield the words that tokens spell, each `{"token", "start", "end"}` with times in seconds.

    A token with a space before it begins a word. Pure.
    """
    held: list[Mapping[str, Any]] = []
    for token in tokens:
        if held and token["token"][:1].isspace():
            yield from _word(held)
            held = []
        held.append(token)
    yield from _word(held)


def _word(tokens: list[Mapping[str, Any]]) -> Iterator[Word]:
    text = "".join(token["token"] for token in tokens).strip()
    if text:
        yield Word(
            text=text,
            start_s=round(float(tokens[0]["start"]), 3),
            end_s=round(max(float(token["end"]) for token in tokens), 3),
        )


def _precision(variant: str) -> Any:
    """Return the type that a variant keeps its weights in, from the last part of its name."""
    import torch

    precision = variant.rpartition("-")[2]
    types = {"fp32": torch.float32, "local": torch.float32, "bf16": torch.bfloat16}
    if precision not in types:
        raise WeightsError(
            f"The variant {variant!r} says no precision: its name has to end in one of "
            f"{', '.join(sorted(types))}."
        )
    return types[precision]


def _settle(settings: Any, config: Any) -> None:
    """Say how to generate: begin with a blank, and never write a duration for a token."""
    settings.decoder_start_token_id = config.blank_token_id
    settings.pad_token_id = config.pad_token_id
    settings.do_sample = False
    behind = config.vocab_size + len(config.durations)
    settings.suppress_tokens = list(range(config.vocab_size, behind))


def _compare(folder: Path, config: Any, processor: Any) -> None:
    """Raise WeightsError where the processor is another model's."""
    made, heard = processor.feature_extractor.feature_size, config.encoder_config.num_mel_bins
    if made != heard:
        raise WeightsError(
            f"{folder}: the processor makes {made} bands of sound and the model hears {heard}: "
            "they belong to different models. Bring them again."
        )
    if len(processor.tokenizer) > config.vocab_size:
        raise WeightsError(
            f"{folder}: the tokenizer has {len(processor.tokenizer)} tokens and the model "
            f"{config.vocab_size}: they belong to different models. Bring them again."
        )
