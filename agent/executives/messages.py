"""A prompt as the chat messages of a server. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, SystemMessage, ToolMessage

from graphs.errors import ExecutiveError
from graphs.executive import Prompt
from graphs.written import written

ChatMessage = dict[str, Any]

# Servers read these as tokens of their own wherever they stand, so a page that holds one could
# close the user's turn and open another. A zero-width space behind the first sign ends that and
# is seen by nobody. U+FF5C is the wide bar of DeepSeek's tokens.
_CONTROL = re.compile(
    "<[|\uff5c][^<>|\\s]{1,40}[|\uff5c]>"
    r"|</?s>|\[/?INST\]|<(?:start|end)_of_turn>|</?think>"
)


def defused(text: str) -> str:
    """Return the text with whatever looks like a control token made plain text."""
    return _CONTROL.sub(lambda found: f"{found[0][0]}\u200b{found[0][1:]}", text)


def native_messages(prompt: Prompt, *, preface: str = "") -> list[ChatMessage]:
    """Return messages for a server whose templates know tools. `preface` ends the system text."""
    names = _names(prompt.messages)
    return [
        {"role": "system", "content": _system(prompt, preface)},
        *(_native(message, names) for message in prompt.messages),
        *_begun(prompt),
    ]


def openai_messages(prompt: Prompt, *, preface: str = "") -> list[ChatMessage]:
    """Return messages as OpenAI's protocol has them: arguments of calls are a text of JSON."""
    return [_as_openai(message) for message in native_messages(prompt, preface=preface)]


def _as_openai(message: ChatMessage) -> ChatMessage:
    kept = {key: value for key, value in message.items() if key != "tool_name"}
    if calls := message.get("tool_calls"):
        kept["tool_calls"] = [
            {"id": call["id"], "type": "function", "function": _packed(call["function"])}
            for call in calls
        ]
    return kept


def _packed(function: dict[str, Any]) -> dict[str, Any]:
    arguments = json.dumps(function["arguments"], ensure_ascii=False)
    return {"name": function["name"], "arguments": arguments}


def _begun(prompt: Prompt) -> list[ChatMessage]:
    """Return the answer's beginning as the last turn, which servers go on from."""
    return [{"role": "assistant", "content": defused(prompt.begun)}] if prompt.begun else []


def _native(message: AnyMessage, names: dict[str, str]) -> ChatMessage:
    content = defused(_text(message))
    match message:
        case ToolMessage():
            return {
                "role": "tool",
                "content": content,
                "tool_name": _tool(message, names),
                "tool_call_id": message.tool_call_id,
            }
        case AIMessage(tool_calls=calls) if calls:
            return {
                "role": "assistant",
                "content": content,
                "tool_calls": [
                    {
                        "id": call["id"] or "",
                        "function": {"name": call["name"], "arguments": call["args"]},
                    }
                    for call in calls
                ],
            }
        case AIMessage():
            return {"role": "assistant", "content": content}
        case SystemMessage():
            return {"role": "system", "content": content}
        case _:
            return {"role": "user", "content": content}


def plain_messages(prompt: Prompt, *, preface: str = "") -> list[ChatMessage]:
    """Return messages for a template that knows only system, user and assistant.

    A call is the JSON that the model would write, a result a user's turn under a heading. Turns of
    the same role that follow each other become one, since many templates refuse them otherwise.
    `preface` ends the system text: what the tools are and how to call them.
    """
    names = _names(prompt.messages)
    messages: list[ChatMessage] = [{"role": "system", "content": _system(prompt, preface)}]
    for message in prompt.messages:
        role, content = _plain(message, names)
        if messages[-1]["role"] == role:
            content = f"{messages.pop()['content']}\n\n{content}"
        messages.append({"role": role, "content": content})
    return messages + _begun(prompt)


def _plain(message: AnyMessage, names: dict[str, str]) -> tuple[str, str]:
    content = defused(_text(message))
    match message:
        case ToolMessage(status=status):
            verb = "failed" if status == "error" else "answered"
            return "user", f"The tool {_tool(message, names)} {verb}:\n{content}"
        case AIMessage(tool_calls=calls):
            lines = [_call(call["name"], call["args"]) for call in calls]
            return "assistant", "\n".join(line for line in (content, *lines) if line)
        case SystemMessage():
            return "system", content
        case _:
            return "user", content


def _call(name: str, arguments: Mapping[str, Any]) -> str:
    """Write a call in the very letters in which the grammar had it written: the cache holds it."""
    return written({"tool": name, "arguments": arguments})


def _system(prompt: Prompt, preface: str) -> str:
    return f"{prompt.system}\n\n{preface}" if preface else prompt.system


def _names(messages: Sequence[AnyMessage]) -> dict[str, str]:
    """Return the tool that each call was of, by the call's id."""
    return {
        call["id"]: call["name"]
        for message in messages
        if isinstance(message, AIMessage)
        for call in message.tool_calls
        if call["id"]
    }


def _tool(message: ToolMessage, names: dict[str, str]) -> str:
    return message.name or names.get(message.tool_call_id, "tool")


def _text(message: AnyMessage) -> str:
    """Return the words of a message; anything else in it has no place in a prompt of text."""
    for block in message.content if isinstance(message.content, list) else ():
        if isinstance(block, dict) and block.get("type") != "text":
            raise ExecutiveError(
                f"A {message.type} message holds a block of type {block.get('type')!r}, but the "
                "executive takes text only. Let a sense describe it first."
            )
    return str(message.text)
