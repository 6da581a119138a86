"""WhisperX's pipeline over the windows in which somebody speaks, a batch of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.senses.background import Patience
from tools.senses.base import SAMPLE_RATE_HZ, Word
from tools.senses.models.voice import WINDOW_S, Span

NO_SPEECH = 0.6
UNLIKELY = -1.0
REPETITIVE = 2.4
"""Whisper's own thresholds: probability of silence, mean of the logarithms of the tokens'
probabilities, length of the text over its compressed length."""

_FREE_OF_REPEATS = 3
"""Tokens of which no sequence may come twice, when a window is heard again."""
_MOST_TOKENS = 448
_SECONDS_PER_POSITION = 0.01
_OPENING = "\"'“¿([{-"
_CLOSING = "\"'.。,，!！?？:：”)]}、"
"""Marks that belong to the word behind or before them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What Whisper wrote for a window, and how sure it is."""

    text: str
    tokens: tuple[int, ...]
    mean_log_probability: float
    no_speech_probability: float
    compression: float
    """Length of the text over its compressed length."""

    @property
    def silent(self) -> bool:
        """Whether it takes the window for silence and its own text for unlikely."""
        return self.no_speech_probability > NO_SPEECH and self.mean_log_probability < UNLIKELY

    @property
    def repeats(self) -> bool:
        """Whether it went on saying the same."""
        return self.compression > REPETITIVE


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """What was understood of a window."""

    span: Span
    text: str
    """Empty where nothing was said or understood."""
    words: tuple[Word, ...] = ()
    lost: bool = False
    """Whether something was said and not understood."""


class Listener:
    """What WhisperX's pipeline takes for its model: Whisper, guarded against making things up."""

    def __init__(
        self, model: Any, spans: Sequence[Span], patience: Patience, *, word_times: bool
    ) -> None:
        """Listen to windows in their order, with the times of words by Whisper's own attention."""
        self.passages: list[Passage] = []
        self.feat_kwargs = model.feat_kwargs
        self.hf_tokenizer = model.hf_tokenizer
        self.model = model.model
        self._whisper = model
        self._spans = tuple(spans)
        self._patience = patience
        self._word_times = word_times

    def generate_segment_batched(self, features: Any, tokenizer: Any, options: Any) -> list[str]:
        """Return the texts of a batch of windows; the pipeline calls it."""
        self._patience.check()
        encoded = self._whisper.encode(features)
        attempts = self._attempts(encoded, len(features), tokenizer, options)
        self._hear_again(attempts, features, tokenizer, options)
        own = self._spans[len(self.passages) :][: len(attempts)]
        words = self._words(encoded, attempts, own, tokenizer)
        for span, attempt, timed in zip(own, attempts, words, strict=True):
            kept = not (attempt.silent or attempt.repeats)
            self.passages.append(
                Passage(
                    span=span,
                    text=attempt.text if kept else "",
                    words=timed if kept else (),
                    lost=attempt.repeats and not attempt.silent,
                )
            )
        return [one.text for one in self.passages[-len(attempts) :]]

    def _hear_again(
        self, attempts: list[Attempt], features: Any, tokenizer: Any, options: Any
    ) -> None:
        """Put a second attempt in place of each that repeats itself."""
        for index, attempt in enumerate(attempts):
            if attempt.repeats and not attempt.silent:
                self._patience.check()
                encoded = self._whisper.encode(features[index : index + 1])
                [attempts[index]] = self._attempts(
                    encoded, 1, tokenizer, options, no_repeat=_FREE_OF_REPEATS
                )

    def _attempts(
        self, encoded: Any, count: int, tokenizer: Any, options: Any, *, no_repeat: int = 0
    ) -> list[Attempt]:
        prompt = self._whisper.get_prompt(tokenizer, [], without_timestamps=True)
        results = self.model.generate(
            encoded,
            [prompt] * count,
            beam_size=options.beam_size,
            length_penalty=1.0,
            max_length=_MOST_TOKENS,
            no_repeat_ngram_size=no_repeat,
            suppress_blank=options.suppress_blank,
            suppress_tokens=options.suppress_tokens,
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [_attempt(one, tokenizer) for one in results]

    def _words(
        self, encoded: Any, attempts: Sequence[Attempt], spans: Sequence[Span], tokenizer: Any
    ) -> list[tuple[Word, ...]]:
        from faster_whisper.transcribe import merge_punctuations

        if not self._word_times:
            return [()] * len(attempts)
        frames = [int((one.end_s - one.start_s) / _SECONDS_PER_POSITION) for one in spans]
        told = self._whisper.find_alignment(
            tokenizer, [list(one.tokens) for one in attempts], encoded, frames
        )
        for words in told:
            merge_punctuations(words, _OPENING, _CLOSING)
        return [
            tuple(_word(word, span) for word in words if word["word"].strip())
            for words, span in zip(told, spans, strict=True)
        ]


def ready() -> None:
    """Import what listening takes: some seconds, which no lease should pay."""
    import whisperx.alignment
    import whisperx.asr  # noqa: F401


def passages(
    model: Any,
    samples: NDArray[np.float32],
    windows: Sequence[Span],
    patience: Patience,
    *,
    language: str,
    batch: int,
    beam: int,
    word_times: bool,
) -> list[Passage]:
    """Return what was understood in each window, `batch` of them at once on the device."""
    from faster_whisper.tokenizer import Tokenizer
    from whisperx.asr import FasterWhisperPipeline

    listener = Listener(model, windows, patience, word_times=word_times)
    multilingual = model.model.is_multilingual
    pipeline = FasterWhisperPipeline(
        model=listener,
        vad=_found(windows),
        vad_params={"vad_onset": 0.5, "vad_offset": None},
        options=_options(beam, multilingual=multilingual),
        tokenizer=Tokenizer(model.hf_tokenizer, multilingual, task="transcribe", language=language),
        language=language,
    )
    pipeline.transcribe(samples, batch_size=batch, language=language)
    return listener.passages


def language(model: Any, samples: NDArray[np.float32], spoken: Sequence[Span]) -> tuple[str, float]:
    """Return the language of what is spoken first, for as long as Whisper hears at once.

    With its probability. A model of English only takes everything for English.
    """
    from whisperx.audio import N_SAMPLES, log_mel_spectrogram

    if not model.model.is_multilingual:
        return "en", 1.0
    speech = np.concatenate([samples[one.start : one.end] for one in spoken])[:N_SAMPLES]
    features = log_mel_spectrogram(
        np.ascontiguousarray(speech), n_mels=model.model.n_mels, padding=N_SAMPLES - len(speech)
    )
    token, probability = model.model.detect_language(model.encode(features))[0][0]
    return str(token[2:-2]), float(probability)


def _found(windows: Sequence[Span]) -> Any:
    """Return a detector, as the pipeline takes it, that has already found where speech is."""
    from whisperx.vads.vad import Vad

    class Found(Vad):  # type: ignore[misc]  # its library is only there where this runs
        def __call__(self, _: Any) -> Sequence[Span]:
            return windows

        @staticmethod
        def preprocess_audio(audio: Any) -> Any:
            return audio

        @staticmethod
        def merge_chunks(found: Sequence[Span], *_: Any, **__: Any) -> list[dict[str, Any]]:
            return [{"start": one.start_s, "end": one.end_s, "segments": []} for one in found]

    return Found(0.5)


def _options(beam: int, *, multilingual: bool) -> Any:
    """Return WhisperX's own options, save the beam."""
    from faster_whisper.transcribe import TranscriptionOptions

    return TranscriptionOptions(
        beam_size=beam,
        best_of=beam,
        patience=1,
        length_penalty=1,
        repetition_penalty=1,
        no_repeat_ngram_size=0,
        log_prob_threshold=UNLIKELY,
        no_speech_threshold=NO_SPEECH,
        compression_ratio_threshold=REPETITIVE,
        condition_on_previous_text=False,
        prompt_reset_on_temperature=0.5,
        temperatures=[0.0],
        initial_prompt=None,
        prefix=None,
        suppress_blank=True,
        suppress_tokens=[-1],
        without_timestamps=True,
        max_initial_timestamp=0.0,
        word_timestamps=False,
        prepend_punctuations=_OPENING,
        append_punctuations=_CLOSING,
        multilingual=multilingual,
        max_new_tokens=None,
        clip_timestamps=[0.0, WINDOW_S],
        hallucination_silence_threshold=None,
        hotwords=None,
    )


def _attempt(result: Any, tokenizer: Any) -> Attempt:
    from faster_whisper.transcribe import get_compression_ratio

    tokens = tuple(one for one in result.sequences_ids[0] if one < tokenizer.eot)
    text = tokenizer.decode(list(tokens)).strip()
    length = len(result.sequences_ids[0])
    return Attempt(
        text=text,
        tokens=tokens,
        mean_log_probability=result.scores[0] * length / (length + 1),
        no_speech_probability=result.no_speech_prob,
        compression=get_compression_ratio(text) if text else 0.0,
    )


def _word(told: Any, span: Span) -> Word:
    length_s = (span.end - span.start) / SAMPLE_RATE_HZ
    return Word(
        text=told["word"].strip(),
        start_s=round(span.start_s + min(float(told["start"]), length_s), 3),
        end_s=round(span.start_s + min(float(told["end"]), length_s), 3),
        probability=round(float(told["probability"]), 3),
    )
