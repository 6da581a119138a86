"""Two ways to have a model call a tool: the engine's, and that of a client that hopes for the best.

Both see the same tools and the same request, and have as many tokens.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from pydantic import BaseModel, ValidationError

from graphs.context import Limits
from graphs.executive import CallPart, Executive, Prompt, Wish
from graphs.offers import REPAIRS_LIMIT, shown_by
from graphs.reply import ask
from tools.base import ToolSpec
from tools.calls.faults import CallError, Fault
from tools.registry import Toolbox, ValidCall

TOKENS = 160
"""Of an answer, at most."""
SYSTEM = "You are the user's assistant."


@dataclass(frozen=True, kw_only=True, slots=True)
class Called:
    """What came of a request: a valid call, or none."""

    tool: str = ""
    arguments: BaseModel | None = None
    asked: int = 1
    """How often the model was asked."""

    @property
    def valid(self) -> bool:
        """Whether there is a call that may be judged and run."""
        return self.arguments is not None


async def bound(
    executive: Executive, box: Toolbox, text: str, *, max_tokens: int = TOKENS
) -> Called:
    """Ask as the engine does.

    The tools that match are shown, the answer is bound to their schema and validated, and the model
    is asked again with the reason.
    """
    messages: list[AnyMessage] = [HumanMessage(text)]
    shown = shown_by(executive.profile, box.specs(), text, Limits())
    wish = Wish(tools=box.specs(shown), must_call=True, max_tokens=max_tokens)
    for asked in range(1, REPAIRS_LIMIT + 2):
        prompt = Prompt(system=SYSTEM, messages=tuple(messages))
        reply = await ask(executive, prompt, wish, lambda _: None)
        call = reply.calls[0] if reply.calls else None
        try:
            valid = _validated(call, box)
        except CallError as error:
            messages += _told(call, str(error))
        else:
            return Called(tool=valid.tool.name, arguments=valid.arguments, asked=asked)
    return Called(asked=REPAIRS_LIMIT + 1)


def _validated(call: CallPart | None, box: Toolbox) -> ValidCall:
    if call is None:
        raise CallError(Fault.UNREADABLE, "The call was cut off. Make it shorter.")
    if call.fault:
        raise CallError(Fault.UNREADABLE, call.fault)
    return box.validate(call.name, call.arguments)


def _told(call: CallPart | None, reason: str) -> list[AnyMessage]:
    """Return what the model is shown of a call that was refused."""
    made = call or CallPart(id="call", name="", arguments={})
    name = made.name or "unreadable"
    return [
        AIMessage("", tool_calls=[{"id": made.id, "name": name, "args": made.arguments}]),
        ToolMessage(reason, tool_call_id=made.id, name=name, status="error"),
    ]


async def bare(
    executive: Executive, box: Toolbox, text: str, *, max_tokens: int = TOKENS
) -> Called:
    """Ask in a chat whose system text describes the tools, and take what looks like JSON."""
    prompt = Prompt(system=described(box.specs()), messages=(HumanMessage(text),))
    wish = Wish(max_tokens=max_tokens, may_be_cut=True)
    reply = await ask(executive, prompt, wish, lambda _: None)
    return naive(reply.text, box)


def described(specs: Sequence[ToolSpec]) -> str:
    """Return a system text as clients write it: the tools as JSON, and how to call one."""
    listed = [
        {
            "type": "function",
            "function": {
                "name": spec.name,
                "description": spec.description,
                "parameters": spec.parameters,
            },
        }
        for spec in specs
    ]
    return (
        f"{SYSTEM} You have access to these tools:\n{json.dumps(listed)}\n\n"
        "To call a tool, answer with a JSON object and nothing else: "
        '{"name": the tool, "arguments": its arguments}'
    )


_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


def naive(text: str, box: Toolbox) -> Called:
    """Read an answer as a lenient client does: first to last brace, types as pydantic likes."""
    found = _OBJECT.search(text)
    try:
        call: Any = json.loads(found[0]) if found else None
    except ValueError:
        return Called()
    name = call.get("name") if isinstance(call, dict) else None
    if not isinstance(name, str) or name not in box.names:
        return Called()
    try:
        arguments = box.get(name).arguments.model_validate(call.get("arguments"))
    except ValidationError:
        return Called()
    return Called(tool=name, arguments=arguments)
