"""What a detector has found, beside what is there. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from agent.bench.voice.material import STEP_S, Stream
from tools.senses.utterances import QUIET, Edge, Rules, heard

_EARLY_S = 0.5
"""Before its first sound an utterance cannot be noticed, save by the noise before it."""


@dataclass(kw_only=True, slots=True)
class Score:
    """Counts over streams; the mean is taken at the end."""

    speech: int = 0
    missed: int = 0
    silence: int = 0
    false: int = 0
    utterances: int = 0
    found: int = 0
    extra: int = 0
    began_s: list[float] = field(default_factory=list)
    """From the first sound of an utterance until it is noticed."""
    ended_s: list[float] = field(default_factory=list)
    """From its last sound until its pause begins to be counted."""

    def add(self, probabilities: Sequence[float], frame_s: float, clean: Stream) -> None:
        """Take what a detector said of each frame of a stream."""
        rules, state = Rules(), QUIET
        edges: list[tuple[float, Edge]] = []
        for at, probability in enumerate(probabilities):
            state, edge = heard(state, probability, frame_s, rules)
            self._frame(clean, at * frame_s, frame_s, spoken=state.speaking)
            if edge is not None:
                edges.append(((at + 1) * frame_s, edge))
        self._utterances(edges, clean.utterances, rules)

    def _frame(self, clean: Stream, start_s: float, frame_s: float, *, spoken: bool) -> None:
        first = round(start_s / STEP_S)
        labels = clean.spoken[first : first + max(1, round(frame_s / STEP_S))]
        if not len(labels):
            return
        if np.mean(labels) > 0.5:
            self.speech += 1
            self.missed += not spoken
        else:
            self.silence += 1
            self.false += spoken

    def _utterances(
        self,
        edges: Sequence[tuple[float, Edge]],
        there: Sequence[tuple[float, float]],
        rules: Rules,
    ) -> None:
        told = list(_spans(edges))
        self.utterances += len(there)
        for start_s, end_s in there:
            over = [span for span in told if span[0] < end_s + 0.5 and span[1] > start_s]
            # One that began long before holds other things besides.
            if len(over) == 1 and over[0][0] > start_s - _EARLY_S:
                self.found += 1
                self.began_s.append(over[0][0] - start_s)
                self.ended_s.append(over[0][1] - rules.pause_s - end_s)
            self.extra += max(0, len(over) - 1)
        self.extra += sum(
            not any(start < end + 0.5 and stop > begin for begin, end in there)
            for start, stop in told
        )

    def told(self) -> dict[str, Any]:
        """Return the figures; those of which there is nothing are None."""
        return {
            "miss": _share(self.missed, self.speech),
            "false_alarm": _share(self.false, self.silence),
            "utterances": self.utterances,
            "found": _share(self.found, self.utterances),
            "extra": self.extra,
            "began_s": _quantiles(self.began_s),
            "ended_s": _quantiles(self.ended_s),
        }


def _spans(edges: Sequence[tuple[float, Edge]]) -> Iterator[tuple[float, float]]:
    began = None
    for at_s, edge in edges:
        if edge is Edge.BEGAN:
            began = at_s
        elif began is not None:
            yield began, at_s
            began = None


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _quantiles(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {
        "p50": round(float(np.percentile(values, 50)), 3),
        "p95": round(float(np.percentile(values, 95)), 3),
    }
