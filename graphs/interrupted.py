"""What stays of a turn that a person broke into: what was heard of its answer. Pure."""

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, RemoveMessage

BROKEN_IN = "[the user broke in here]"
"""Stands behind the words that were heard, for the executive to know that there were more."""


def heard_only(state: Mapping[str, Any], run_id: str, heard: str | None) -> dict[str, Any]:
    """Return the update that leaves of a turn's answer what was heard of it.

    Where nothing was heard (None) the turn goes from the conversation, its question with it: what
    the person goes on to say asks that again. One in which a person has decided stays.
    """
    messages: list[AnyMessage] = list(state.get("messages") or [])
    answered = next((one for one in messages if one.id == f"{run_id}:answer"), None)
    if heard is None and not any(task["decision"] for task in state.get("tasks") or ()):
        asked = state.get("asked_id")
        gone = [one for one in messages if one.id is not None and one.id == asked]
        gone += [answered] if answered else []
        return {"answer": None, "messages": [RemoveMessage(id=str(one.id)) for one in gone]}
    text = f"{heard or ''} {BROKEN_IN}".lstrip()
    if answered is None:
        # Without a label it counts as words from anywhere: what it was drawn from is not known.
        return {"answer": None, "messages": [AIMessage(text, id=f"{run_id}:answer")]}
    answer = state.get("answer")
    told = answer and {**answer, "text": text, "citations": [], "unsupported": []}
    return {"answer": told, "messages": [answered.model_copy(update={"content": text})]}
