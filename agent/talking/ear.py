"""What the microphone hears, cut into utterances: by the voice itself, or by a key."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tools.senses.utterances import QUIET, Edge, Rules, heard
from tools.senses.voice import FRAME_S, VoiceDetector

_TAIL_S = 0.3
"""Of the pause behind an utterance that is kept with it."""


class Ear(Protocol):
    """Takes sound frame by frame."""

    def hear(self, frame: NDArray[np.float32], masked: Callable[[], bool]) -> Edge | None:
        """Take a frame; say whether an utterance began or ended with it.

        `masked` tells, where it matters, that the frame is not a person's.
        """
        ...

    def end(self) -> Edge | None:
        """Take notice that no more will come."""
        ...

    def utterance(self) -> NDArray[np.float32]:
        """Return the samples of the utterance that has ended."""
        ...


class VoiceEar:
    """Hears where a voice begins and pauses."""

    def __init__(self, detector: VoiceDetector, rules: Rules) -> None:
        self._detector = detector
        self._rules = rules
        self._spoken = QUIET
        self._frames: deque[NDArray[np.float32]] = deque()
        self._utterance = np.zeros(0, np.float32)

    def hear(self, frame: NDArray[np.float32], masked: Callable[[], bool]) -> Edge | None:
        """Take a frame; say whether an utterance began or ended with it."""
        probability = self._detector.probability(frame)
        # Once somebody speaks the loudspeaker is silent, and nothing has to be told apart.
        if probability >= self._rules.silence and not self._spoken.begun and masked():
            probability = 0.0
        before = self._spoken
        self._frames.append(frame)
        self._spoken, edge = heard(before, probability, FRAME_S, self._rules)
        if edge in (Edge.ENDED, Edge.CUT):
            self._close(before.quiet_s)
        elif not self._spoken.since_s:
            while len(self._frames) * FRAME_S > self._rules.lead_s:
                self._frames.popleft()
        return edge

    def end(self) -> Edge | None:
        """End what was begun."""
        if not self._spoken.begun:
            return None
        self._close(self._spoken.quiet_s)
        self._spoken = QUIET
        return Edge.ENDED

    def utterance(self) -> NDArray[np.float32]:
        """Return the samples of the utterance that has ended."""
        return self._utterance

    def _close(self, quiet_s: float) -> None:
        surplus = round(max(0.0, quiet_s - _TAIL_S) / FRAME_S)
        kept = list(self._frames)
        self._utterance = np.concatenate(kept[: len(kept) - surplus])
        self._frames.clear()


class HeldEar:
    """Hears between two presses of a key."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._pressed = False
        self._open = False
        self._frames: list[NDArray[np.float32]] = []
        self._utterance = np.zeros(0, np.float32)

    def press(self) -> None:
        """Begin an utterance with the next frame, or end it before."""
        self._pressed = not self._pressed

    def hear(self, frame: NDArray[np.float32], masked: Callable[[], bool]) -> Edge | None:  # noqa: ARG002 - whoever presses the key is meant
        """Take a frame; say whether an utterance began or ended with it."""
        pressed, self._pressed = self._pressed, False
        if not self._open:
            self._open = pressed
            self._frames = [frame] if pressed else []
            return Edge.BEGAN if pressed else None
        self._frames.append(frame)
        if pressed:
            return self._closed(Edge.ENDED)
        return self._closed(Edge.CUT) if self._is_long() else None

    def end(self) -> Edge | None:
        """End what was begun."""
        return self._closed(Edge.ENDED) if self._open else None

    def utterance(self) -> NDArray[np.float32]:
        """Return the samples of the utterance that has ended."""
        return self._utterance

    def _is_long(self) -> bool:
        return len(self._frames) * FRAME_S >= self._rules.longest_s

    def _closed(self, edge: Edge) -> Edge:
        self._utterance = np.concatenate(self._frames)
        self._open, self._frames = False, []
        return edge
