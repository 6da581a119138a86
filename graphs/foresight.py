"""What a turn needs next, said while the executive still writes: so it is there when asked for."""

from typing import Any

from graphs.context import Step
from graphs.reply import Emit
from graphs.state import TurnState
from tools.senses.base import Operation, Task

LETTERS = 4
"""Of a token, roughly."""


def watching(state: TurnState, step: Step) -> Emit:
    """Pass events on, and hint at speech with the first word of an answer that is to be spoken.

    Words may still be followed by calls, and the answer come a round later; a hint costs nothing.
    """
    said = False

    def passed(event: dict[str, Any]) -> None:
        nonlocal said
        if event["event"] == "text" and not said:
            said = True
            speech(state, step)
        step.emit(event)

    return passed


def speech(state: TurnState, step: Step) -> None:
    """Hint at speech, if the answer is to be spoken."""
    if state["voice"]:
        characters = LETTERS * step.services.limits.answer_tokens
        step.services.residency.hint(Operation(task=Task.SPEECH, characters=characters))
