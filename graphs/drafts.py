"""Words of an answer that was stopped: kept with their label, so that the next try goes on there.

They are artifacts, one for each try. State cannot hold them: a node that is stopped writes none.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from graphs.context import Step, stored
from graphs.reply import Emit
from graphs.state import Ended, TurnState
from memory.artifacts import Artifact
from memory.labels import Label

TRIES_LIMIT = 32
"""Tries of one step whose words are kept; those of later ones are lost when they are stopped."""


class Stage(StrEnum):
    """What was being written."""

    WORK = "work"  # an answer, or calls
    LAST = "last"  # the answer that a budget asked for, without tools
    REPAIR = "repair"  # a second answer, with better citations; the words kept are the first


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What was written before the stop, over all tries of the step."""

    text: str
    stage: Stage
    ended: Ended | None
    """The budget that asked for this answer."""
    read: int
    """Tokens of the prompt that the stopped try has read."""
    written: int
    """Pieces that it has written: about as many as tokens."""
    before: tuple[int, int]
    """Tokens, read and written, of what was asked in this step before it."""
    seconds: float
    """How long the turn had been worked on."""
    label: Label
    tries: int = 0

    def usage(self) -> dict[str, Any]:
        """Return the event that tells what the stopped try took: its stream had no end."""
        return {
            "event": "usage",
            "prompt_tokens": self.read,
            "cached_tokens": 0,
            "answer_tokens": self.written,
            "estimated": True,
        }


@dataclass(kw_only=True, slots=True)
class Heard:
    """Passes events on, and keeps the words of the answer that is being written."""

    emit: Emit
    text: str = ""
    pieces: int = 0
    """Words and thoughts of the stream that has not ended yet."""

    def __call__(self, event: dict[str, Any]) -> None:
        """Take one event."""
        match event:
            case {"event": "text", "text": piece}:
                self.text += piece
                self.pieces += 1
            case {"event": "thought"}:
                self.pieces += 1
            case {"event": "usage"}:
                self.pieces = 0
            case {"event": "asked_again", "goes_on": False}:
                self.text = ""
        self.emit(event)


def _ids(state: TurnState, step: Step) -> list[str]:
    run, asked = uuid.UUID(step.run_id), state["rounds"]
    return [str(uuid.uuid5(run, f"draft:{asked}:{number}")) for number in range(TRIES_LIMIT)]


async def left(state: TurnState, step: Step) -> Draft | None:
    """Return what an earlier try of this very step has left, if this process took the run up."""
    if "spent" not in state or step.taken_up is None:
        return None
    if step.taken_up <= datetime.fromisoformat(state["spent"]["until"]):
        return None
    ids = _ids(state, step)
    found = await step.services.artifacts.get(ids)
    kept = [found[one] for one in ids if one in found]
    return _read(kept[-1], len(kept)) if kept else None


def _read(artifact: Artifact, tries: int) -> Draft:
    body = artifact.body
    return Draft(
        text=body["text"],
        stage=Stage(body["stage"]),
        ended=body["ended"],
        read=body["read"],
        written=body["written"],
        before=(body["before"][0], body["before"][1]),
        seconds=body["seconds"],
        label=artifact.label,
        tries=tries,
    )


async def keep(draft: Draft, state: TurnState, step: Step) -> None:
    """Store what was written; thoughts are not among it."""
    if draft.tries >= TRIES_LIMIT:
        return
    body = {
        "text": draft.text,
        "stage": draft.stage.value,
        "ended": draft.ended,
        "read": draft.read,
        "written": draft.written,
        "before": list(draft.before),
        "seconds": draft.seconds,
    }
    artifact = Artifact(
        id=_ids(state, step)[draft.tries], kind="draft", body=body, label=draft.label
    )
    await stored(step, artifact)
