"""The assistant's graph behind a conversation: what is said to it goes the way of `ask --file`."""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent import asking
from agent.assembly import Engine
from agent.recorder import Watch
from graphs.interrupted import heard_only
from graphs.speak import written
from tools.senses.base import SAMPLE_RATE_HZ, Speech
from tools.senses.media import encode_wav

KEPT_S = 24 * 3600.0
"""How long a recording is kept whose turn a killed process has left, which may be gone on with."""

WAITS = "This waits for your decision at a terminal."
"""What is said where nobody can be asked there; how to decide is written."""

SAID_CHARACTERS = 200
"""Of an act, that are said before it is asked about; the terminal shows all."""

_UNHEARD = "No words were heard in "


class SpokenAssistant:
    """Runs a turn for each recording, on one thread.

    What a microphone hears has the label of a recording, not of the user: others in the room speak
    too, and words are misheard. So no act follows from it unasked.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        thread_id: str,
        collection: str,
        folder: Path,
        decide: asking.Decide | None,
    ) -> None:
        self._engine = engine
        self._thread_id = thread_id
        self._collection = collection
        self._folder = folder
        self._decide = decide
        self._values: dict[str, Any] | None = None
        self._waits = False
        """Whether the newest turn waits for a decision."""

    async def answer(
        self, spoken: NDArray[np.float32], number: int, *, watch: Watch
    ) -> Mapping[str, Any]:
        """Run a turn; return what `asking.turn` tells, and as `text` what is to be said of it."""
        path = self._folder / f"{uuid.uuid4()}.wav"
        await asyncio.to_thread(_kept, path, spoken)
        self._waits = False
        self._values = {
            "question": "",
            "files": [{"path": str(path), "name": f"utterance {number}"}],
            "collection": self._collection,
            "speak_to": None,
        }
        told = await asking.turn(
            self._engine,
            self._values,
            thread_id=self._thread_id,
            watch=watch,
            decide=None if self._decide is None else self._deciding(self._decide, watch),
        )
        self._waits = bool(told["waiting"])
        # One that was stopped is kept: who goes on with the turn may have to hear it again.
        await asyncio.to_thread(path.unlink, missing_ok=True)
        return {**told, "text": self._text(told)}

    async def interrupted(self, heard: str | None) -> None:
        """Write down that of the answer of the newest turn only this was heard."""
        # A decision that waits is not given up by speaking.
        if self._values is None or self._waits:
            return
        await self._engine.turns.interrupt(
            "assistant",
            thread_id=self._thread_id,
            values=self._values,
            amend=lambda state, run_id: heard_only(state, run_id, heard),
            node="speak",
        )
        recording = Path(self._values["files"][0]["path"])
        await asyncio.to_thread(recording.unlink, missing_ok=True)

    def _text(self, told: Mapping[str, Any]) -> str | None:
        if told["waiting"]:
            return WAITS
        problem: str | None = told["problem"]
        if problem is None:
            answer: str | None = told["answer"]
            return answer
        # A noise that was taken for a voice gets no answer.
        return None if problem.startswith(_UNHEARD) else problem

    def _deciding(self, decide: asking.Decide, watch: Watch) -> asking.Decide:
        """Say what is asked before the terminal asks it."""
        loop = asyncio.get_running_loop()

        def decided(payload: Mapping[str, Any]) -> dict[str, Any]:
            text = _asked(payload)
            loop.call_soon_threadsafe(watch, {"event": "deciding", "text": text})
            try:
                return decide(payload)
            finally:
                loop.call_soon_threadsafe(watch, {"event": "decided"})

        return decided


def folder_of(data_dir: Path, *, now: Callable[[], float] = time.time) -> Path:
    """Return where recordings lie while they are answered, readable by their owner alone.

    What a killed process left there long ago is removed.
    """
    folder = data_dir / "talk"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    for left in folder.glob("*.wav"):
        if now() - left.stat().st_mtime > KEPT_S:
            left.unlink(missing_ok=True)
    return folder


def _asked(payload: Mapping[str, Any]) -> str:
    """Return what is said of an act that the terminal asks about."""
    action = payload["action_requests"][0]
    what = ", ".join(str(value) for value in action["args"].values())[:SAID_CHARACTERS]
    return f"May I use {action['name'].replace('_', ' ')}: {what}? Please decide at the terminal."


def _kept(path: Path, spoken: NDArray[np.float32]) -> None:
    samples = np.clip(spoken * 32767, -32768, 32767).astype(np.int16)
    written(path, encode_wav(Speech(samples=samples, sample_rate_hz=SAMPLE_RATE_HZ)))
