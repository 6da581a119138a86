"""The same work in the layout of LangChain's `create_agent`, recorded by a peer's process."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage

from agent.bench.peer import Peer
from agent.bench.prefix import script
from agent.bench.prefix import triage as batch
from agent.bench.prefix.loop import Inquiry
from agent.bench.prefix.mails import DESK, Sorted
from agent.bench.prefix.requests import Request
from agent.errors import PeerError
from graphs import prompts, triage
from graphs.executive import Prompt, Wish
from tools.base import Effect, ToolSpec

SCRIPT = "langchain_agent"
SUMMARY = (
    "The user asked several questions about the documents. They were answered with a citation "
    "each; the passages that were found then are no longer shown. Open are further questions on "
    "the same documents, which need searches of their own."
)
"""What the model writes where the middleware asks it to sum the history up."""


async def triaged(peer: Peer, mails: Sequence[Sorted]) -> list[Request]:
    """Return what an agent is asked that is invoked once for each mail."""
    answer = await peer.ask(
        "triage",
        system=triage.system(DESK),
        examples=[
            [triage.shown(one.mail), triage.answer(one.category, one.reason)]
            for one in DESK.examples
        ],
        schema={
            "title": "sorted",
            "description": "The category of the mail and the reason.",
            **triage.schema(DESK.categories),
        },
        mails=[triage.shown(one.mail) for one in mails],
        answers=[json.loads(batch.reply(one)) for one in mails],
    )
    return [_request(sent) for sent in answer.value]


async def researched(
    peer: Peer,
    inquiries: Sequence[Inquiry],
    tools: Sequence[ToolSpec],
    *,
    context_tokens: int,
    summarise: bool,
) -> list[list[Request]]:
    """Return what an agent is asked for each question, on one thread."""
    answer = await peer.ask(
        "research",
        system=prompts.ANSWER,
        tools=[
            {"name": one.name, "description": one.description, "parameters": one.parameters}
            for one in tools
        ],
        inquiries=[
            {
                "question": one.question,
                "calls": [
                    {"name": "recall", "args": {"query": search.query}, "result": search.shown}
                    for search in one.searches
                ],
                "answer": one.answer,
            }
            for one in inquiries
        ],
        context_tokens=context_tokens,
        summarise=summarise,
        summary=SUMMARY,
    )
    return [[_request(sent) for sent in asked] for asked in answer.value]


def _request(sent: Mapping[str, Any]) -> Request:
    """Return what was sent as a prompt of ours: the same texts in the same order."""
    messages = [_message(one) for one in sent["messages"]]
    system = ""
    if messages and isinstance(messages[0], SystemMessage):
        system = str(messages.pop(0).text)
    tools = tuple(
        ToolSpec(
            name=one["name"],
            description=one.get("description", ""),
            parameters=one["parameters"],
            effect=Effect.READ,
        )
        for one in sent["tools"]
    )
    must_call = sent["tool_choice"] not in (None, "auto", "none")
    wish = Wish(tools=tools, must_call=must_call)
    return Request(
        prompt=Prompt(system=system, messages=tuple(messages)),
        wish=wish,
        reply=_reply(sent["reply"], wish),
    )


def _reply(reply: Any, wish: Wish) -> str:
    """Return the answer as a model writes it that has these tools."""
    if isinstance(reply, str):
        return script.answer(reply, wish)
    return script.call(reply["name"], reply["args"])


def _message(told: Mapping[str, Any]) -> AnyMessage:
    match told["type"]:
        case "system":
            return SystemMessage(told["content"])
        case "human":
            return HumanMessage(told["content"])
        case "ai":
            return AIMessage(told["content"], tool_calls=told["tool_calls"])
        case "tool":
            return ToolMessage(
                told["content"], tool_call_id=told["tool_call_id"], name=told["name"]
            )
        case other:
            raise PeerError(f"The agent of LangChain sent a message of type {other!r}.")
