"""Asking a person about one act, in the one payload that Agent Inbox and Agent Chat UI both show.

The shapes are those of `reference/langgraph-and-jobs.md`, section 4: Agent Chat UI reads
`action_requests` and `review_configs`, Agent Inbox reads `arguments` where the former reads `args`,
and its older form reads `action_request` and `config`.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from graphs.state import Task


class Action(BaseModel):
    """A call as a person changed it."""

    model_config = ConfigDict(extra="forbid")

    name: str
    args: dict[str, Any]


class Approve(BaseModel):
    """Go ahead with exactly what was shown."""

    type: Literal["approve"]


class Edit(BaseModel):
    """Go ahead with this instead."""

    type: Literal["edit"]
    edited_action: Action


class Reject(BaseModel):
    """Do not do it."""

    type: Literal["reject"]
    message: str | None = None


def _from_inbox(answer: dict[str, Any]) -> dict[str, Any]:
    """Translate one answer of Agent Inbox."""
    kind, args = answer.get("type"), answer.get("args")
    if kind == "accept":
        return {"type": "approve"}
    if kind == "ignore":
        return {"type": "reject"}
    if kind == "response":
        return {"type": "reject", "message": args}
    if kind == "edit" and isinstance(args, dict) and "edited_action" not in answer:
        action = {"name": args.get("action"), "args": args.get("args")}
        return {"type": "edit", "edited_action": action}
    return answer


def one_form(answer: Any) -> Any:
    """Bring the answers of all clients into one form; what is none of them fails validation."""
    if isinstance(answer, dict) and isinstance(answer.get("decisions"), list):
        answer = answer["decisions"]
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    return _from_inbox(answer) if isinstance(answer, dict) else answer


def read_as_json(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with every text that is JSON read as such."""
    return {name: _json(value) for name, value in arguments.items()}


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


Decision = Annotated[
    Annotated[Approve | Edit | Reject, Field(discriminator="type")], BeforeValidator(one_form)
]


def payload(task: Task) -> dict[str, Any]:
    """Return what is shown to a person: one action, what it would do, and why it waits."""
    name, arguments = task["name"], task["arguments"]
    description = f"The assistant wants to use `{name}`. It waits because: {task['reason']}."
    return {
        "action_requests": [
            {
                "name": name,
                "args": arguments,
                "arguments": arguments,
                "description": description,
            }
        ],
        "review_configs": [
            {"action_name": name, "allowed_decisions": ["approve", "edit", "reject"]}
        ],
        "action_request": {"action": name, "args": arguments},
        "config": {
            "allow_accept": True,
            "allow_edit": True,
            "allow_respond": True,
            "allow_ignore": True,
        },
        "description": description,
    }
