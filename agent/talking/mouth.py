"""Says sentences, one behind the other, and knows how much of them was heard."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.senses.base import SAMPLE_RATE_HZ, Synthesizer
from tools.senses.devices import PLAYED_HZ, Loudspeaker
from tools.senses.errors import NothingToSayError
from tools.senses.rates import resampled


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A sentence in what the loudspeaker plays."""

    text: str
    start: int
    """Sample of all that it ever plays, at `PLAYED_HZ`."""
    end: int
    aside: bool


def heard(spans: Sequence[Span], played: int) -> str | None:
    """Return what was heard of sentences; None where no sound of them was played.

    Of a sentence that broke off, as many of its words as of its sound, rounded down.
    """
    begun = [span for span in spans if span.start < played and not span.aside]
    if not begun:
        return None
    return " ".join(filter(None, (_heard(span, played) for span in begun)))


def _heard(span: Span, played: int) -> str:
    if played >= span.end:
        return span.text
    words = span.text.split()
    part = words[: len(words) * (played - span.start) // (span.end - span.start)]
    return f"{' '.join(part)} …" if part else ""


class Mouth:
    """Makes sound of sentences, one after the other, and follows it to the loudspeaker.

    The synthesizer asks for a lease for each of them.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        loudspeaker: Loudspeaker,
        *,
        language: Callable[[str], str],
        changed: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._synthesizer = synthesizer
        self._loudspeaker = loudspeaker
        self._language = language
        self._changed = changed
        self._failed = failed
        self._written: list[tuple[str, bool]] = []
        self._so_far = ""
        self._spans: list[Span] = []
        self._told = 0
        self._copy = np.zeros(0, np.float32)
        self._copied = 0
        self._making: asyncio.Task[None] | None = None

    @property
    def making(self) -> bool:
        """Whether a sentence is not sound yet."""
        return bool(self._written) or self._making is not None

    @property
    def busy(self) -> bool:
        """Whether there is something that was not played yet."""
        return self.making or self._loudspeaker.waiting > 0

    def say(self, text: str, *, aside: bool) -> None:
        """Say a sentence behind those before it."""
        self._written.append((text, aside))
        if self._making is None:
            self._making = asyncio.create_task(self._make(self._written))

    async def _make(self, written: list[tuple[str, bool]]) -> None:
        while written:
            text, aside = written[0]
            await self._made(text, aside=aside)
            del written[0]
        self._making = None
        self._changed()

    async def _made(self, text: str, *, aside: bool) -> None:
        # One sentence alone is too short to tell its language by.
        self._so_far = f"{self._so_far} {text}"
        try:
            speech = await self._synthesizer.say(text, language=self._language(self._so_far))
        except NothingToSayError:
            return
        except Exception as error:  # noqa: BLE001 - a sentence that cannot be said is shown all the same
            self._failed(error)
            return
        self._play(text, resampled(speech.samples, speech.sample_rate_hz, PLAYED_HZ), aside=aside)

    def _play(self, text: str, samples: NDArray[np.int16], *, aside: bool) -> None:
        start = self._loudspeaker.played + self._loudspeaker.waiting
        span = Span(text=text, start=start, end=start + len(samples), aside=aside)
        if not self._loudspeaker.waiting:
            self._copied, self._copy = start, self._copy[:0]
        copy = resampled(samples, PLAYED_HZ, SAMPLE_RATE_HZ).astype(np.float32) / 32768
        self._copy = np.concatenate([self._copy, copy])
        self._spans.append(span)
        self._loudspeaker.play(samples)
        self._changed()

    def sounding(self) -> list[Span]:
        """Return the sentences that have begun to sound since the last call."""
        begun = [span for span in self._spans if span.start < self._loudspeaker.played]
        new, self._told = begun[self._told :], len(begun)
        return new

    def copied(self) -> NDArray[np.float32]:
        """Return what was played since the last call, at `SAMPLE_RATE_HZ`."""
        count = (self._loudspeaker.played - self._copied) * SAMPLE_RATE_HZ // PLAYED_HZ
        new, self._copy = self._copy[:count], self._copy[count:]
        self._copied += len(new) * PLAYED_HZ // SAMPLE_RATE_HZ
        return new

    def hush(self) -> str | None:
        """Be silent at once; return what was heard since the last answer."""
        if self._making is not None:
            self._making.cancel()
        # The next answer has a task and a list of its own: this one may still be ending.
        self._making, self._written = None, []
        self._loudspeaker.stop()
        said = heard(self._spans, self._loudspeaker.played)
        self.begin()
        return said

    def begin(self) -> None:
        """Forget the sentences of the last answer."""
        self._spans, self._told, self._so_far = [], 0, ""
