"""Hearing by WhisperX: Whisper in CTranslate2, word times by wav2vec2, speakers by pyannote."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memory.language import UNKNOWN
from tools.senses.background import Patience
from tools.senses.base import WINDOWS_AT_ONCE, Segment, Word
from tools.senses.models import engine, listening, sentences, speakers, voice, weights
from tools.senses.models.alignment import Alignment
from tools.senses.models.base import Heard, Voice
from tools.senses.models.listening import Passage
from tools.senses.models.replica import Replica
from tools.senses.models.speakers import Speakers
from tools.senses.models.weights import Manifest

SURE = 0.5
"""Probability below which a detected language is a guess."""

_ENGLISH = "en"


class WhisperX:
    """Writes down speech of some hundred languages."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        *,
        batch: int = WINDOWS_AT_ONCE,
        beam: int = 5,
        who: bool = False,
        lock: bool = False,
        threads: int = 0,
    ) -> None:
        """Take weights from a folder; nothing is read yet.

        At most `batch` windows of thirty seconds are on the device at once. `who` tells speakers
        apart, `lock` keeps what is copied in ready for a card, `threads` are those of the CPU.
        """
        self._folder = folder
        self._manifest = manifest
        self._batch = batch
        self._beam = beam
        self._replica = Replica(folder, manifest, threads=threads)
        self._alignment = Alignment(folder, manifest, lock=lock)
        self._speakers = Speakers(folder, manifest, lock=lock) if who else None
        self._device = ""
        self._staged = False

    @property
    def host_bytes(self) -> int:
        """What lies in host memory: of Whisper the page cache, or what was taken off a card."""
        if not self._staged:
            return 0
        own = self._speakers.host_bytes if self._speakers else 0
        return self._replica.bytes + self._alignment.host_bytes + own

    def stage(self) -> None:
        """Read all weights into host memory. Raises WeightsError or EngineError."""
        if self._staged:
            return
        weights.verified(self._folder)
        with engine.translated(self._manifest.variant):
            listening.ready()
            self._replica.stage()
            self._alignment.stage()
            if self._speakers:
                self._speakers.stage()
        self._staged = True

    def bring(self, device: str) -> None:
        """Load Whisper onto a device. What aligns words and tells speakers follows when needed."""
        self.stage()
        self._replica.bring(device)
        self._device = device

    def leave(self) -> None:
        """Give all bytes of the device back. Raises EngineError where they are not freed."""
        self._alignment.leave()
        if self._speakers:
            self._speakers.leave()
        self._replica.leave()
        self._device = ""

    def drop(self) -> None:
        """Give the host memory back as well."""
        self._replica.drop()
        self._alignment.drop()
        if self._speakers:
            self._speakers.drop()
        self._device = ""
        self._staged = False

    def transcribe(
        self, samples: NDArray[np.float32], patience: Patience, *, language: str | None = None
    ) -> Heard:
        """Return the words of a piece of shape (n,). Silence gives no segments."""
        patience.check()
        with engine.translated(self._manifest.variant):
            return self._heard(samples, patience, language)

    def _heard(
        self, samples: NDArray[np.float32], patience: Patience, language: str | None
    ) -> Heard:
        model = self._replica.model
        spoken = voice.spans(samples)
        if not spoken:
            only = None if model.model.is_multilingual else _ENGLISH
            return Heard(segments=(), language=only or language or UNKNOWN)
        patience.check()
        heard_as, flaws = self._language(samples, spoken, language)
        aligned = heard_as in self._alignment.languages
        passages = listening.passages(
            model,
            samples,
            voice.windows(spoken),
            patience,
            language=heard_as,
            batch=self._batch,
            beam=self._beam,
            word_times=not aligned,
        )
        segments = self._timed(passages, samples, heard_as, patience)
        voices: tuple[Voice, ...] = ()
        if self._speakers and segments:
            self._speakers.bring(self._device)
            turns, voices = self._speakers.turns(samples, patience)
            segments = speakers.named(segments, turns)
        if not aligned:
            flaws.append(f"word times are rough: no weights to align {heard_as!r} are there")
        flaws.extend(_lost(passages))
        return Heard(segments=tuple(segments), language=heard_as, flaws=tuple(flaws), voices=voices)

    def _language(
        self, samples: NDArray[np.float32], spoken: Sequence[voice.Span], wanted: str | None
    ) -> tuple[str, list[str]]:
        """Return the language to listen for, and what is doubtful about it."""
        model = self._replica.model
        if wanted in model.supported_languages:
            return str(wanted), []
        found, probability = listening.language(model, samples, spoken)
        if wanted is not None:
            return found, [f"{self._manifest.variant} does not know {wanted!r}: heard as {found!r}"]
        if probability < SURE:
            return found, [f"the language {found!r} is a guess, {probability:.0%} sure"]
        return found, []

    def _timed(
        self,
        passages: Sequence[Passage],
        samples: NDArray[np.float32],
        language: str,
        patience: Patience,
    ) -> list[Segment]:
        segments: list[Segment] = []
        for passage in passages:
            patience.check()
            if not passage.text:
                continue
            start_s, end_s = passage.span.start_s, passage.span.end_s
            words: Sequence[Word] = passage.words
            if language in self._alignment.languages:
                self._alignment.bring(language, self._device)
                words = self._alignment.words(passage.text, start_s, end_s, samples, self._device)
            segments.extend(sentences.segments(passage.text, words, start_s, end_s))
        return segments


def _lost(passages: Sequence[Passage]) -> Iterator[str]:
    for passage in passages:
        if passage.lost:
            yield (
                f"from {passage.span.start_s:.1f} s to {passage.span.end_s:.1f} s somebody speaks, "
                "and what Whisper made of it only repeated itself: left out"
            )
