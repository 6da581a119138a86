"""What LangChain's `create_agent` sends to its model for work that is handed over.

The model is a stand-in that writes the calls and answers it is told to, and notes what it was sent:
messages and tools, as a chat client would get them. Agents are made as the documentation shows: for
mails one invocation each, with a `response_format`; for research a retrieval tool and a thread that
an `InMemorySaver` keeps, alone or with `SummarizationMiddleware`.
"""

from collections.abc import Sequence
from typing import Any

PACKAGES = ("langchain", "langchain-core", "langgraph")

TRIGGER, KEEP = ("fraction", 0.8), ("fraction", 0.3)
"""Of the context: when the history is summarised, and how much of it stays as it is."""
SUMMARY_MARK = "<messages>"
"""Stands in what the middleware asks its model, and in nothing else."""


def triage(
    *,
    system: str,
    examples: list[list[str]],
    schema: dict[str, Any],
    mails: list[str],
    answers: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Sort each mail by an invocation of its own; return what the model was sent."""
    from langchain.agents import create_agent

    model = _model(context_tokens=None)
    agent = create_agent(model, tools=[], system_prompt=system, response_format=schema)
    shown = [
        message for mail, answer in examples for message in (("user", mail), ("assistant", answer))
    ]
    for mail, answer in zip(mails, answers, strict=True):
        model.script.append({"name": schema["title"], "args": answer})
        agent.invoke({"messages": [*shown, ("user", mail)]})
    return list(model.sent)


def research(
    *,
    system: str,
    tools: list[dict[str, Any]],
    inquiries: list[dict[str, Any]],
    context_tokens: int,
    summarise: bool,
    summary: str,
) -> list[list[dict[str, Any]]]:
    """Answer questions on one thread; return what the model was sent, question by question.

    An inquiry has a question, the calls with their results in the order in which they are made, and
    the answer.
    """
    from langchain.agents import create_agent
    from langchain.agents.middleware import SummarizationMiddleware
    from langgraph.checkpoint.memory import InMemorySaver

    model = _model(context_tokens=context_tokens, summary=summary)
    results: dict[str, str] = {}
    more = [SummarizationMiddleware(model, trigger=TRIGGER, keep=KEEP)] if summarise else []
    agent = create_agent(
        model,
        tools=[_tool(one, results) for one in tools],
        system_prompt=system,
        checkpointer=InMemorySaver(),
        middleware=more,
    )
    found = []
    for inquiry in inquiries:
        before = len(model.sent)
        for call in inquiry["calls"]:
            results[repr(call["args"])] = call["result"]
            model.script.append({"name": call["name"], "args": call["args"]})
        model.script.append(inquiry["answer"])
        agent.invoke(
            {"messages": [("user", inquiry["question"])]},
            {"configurable": {"thread_id": "1"}, "recursion_limit": 100},
        )
        found.append(model.sent[before:])
    return found


def _tool(spec: dict[str, Any], results: dict[str, str]) -> Any:
    from langchain_core.tools import StructuredTool

    return StructuredTool.from_function(
        func=lambda **arguments: results[repr(arguments)],
        name=spec["name"],
        description=spec["description"],
        args_schema=spec["parameters"],
        infer_schema=False,
    )


def _model(*, context_tokens: int | None, summary: str = "") -> Any:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage
    from langchain_core.outputs import ChatGeneration, ChatResult
    from langchain_core.utils.function_calling import convert_to_openai_tool
    from pydantic import Field

    class Scripted(BaseChatModel):
        """Writes what it is told, and notes what it was sent."""

        script: list[Any] = Field(default_factory=list)
        sent: list[dict[str, Any]] = Field(default_factory=list)

        @property
        def _llm_type(self) -> str:
            return "scripted"

        def bind_tools(self, tools: Sequence[Any], **more: Any) -> Any:
            return self.bind(tools=[convert_to_openai_tool(one) for one in tools], **more)

        def _generate(
            self,
            messages: list[BaseMessage],
            stop: list[str] | None = None,  # noqa: ARG002 - LangChain's signature
            run_manager: Any = None,  # noqa: ARG002 - LangChain's signature
            **more: Any,
        ) -> ChatResult:
            told = [_told(message) for message in messages]
            summing = not more.get("tools") and SUMMARY_MARK in told[-1]["content"]
            reply = summary if summing else self.script.pop(0)
            request = {
                "messages": told,
                "tools": [one["function"] for one in more.get("tools") or ()],
                "tool_choice": more.get("tool_choice"),
                "reply": reply,
            }
            self.sent.append(request)
            if isinstance(reply, str):
                message = AIMessage(reply)
            else:
                call = {**reply, "id": f"call-{len(self.sent)}"}
                message = AIMessage("", tool_calls=[call])
            return ChatResult(generations=[ChatGeneration(message=message)])

    profile: dict[str, Any] = {"tool_calling": True}
    if context_tokens is not None:
        profile["max_input_tokens"] = context_tokens
    return Scripted(profile=profile)  # type: ignore[arg-type]  # LangChain's type is this dict


def _told(message: Any) -> dict[str, Any]:
    return {
        "type": message.type,
        "content": message.text if isinstance(message.text, str) else message.text(),
        "tool_calls": [
            {"id": call["id"], "name": call["name"], "args": call["args"]}
            for call in getattr(message, "tool_calls", ())
        ],
        "tool_call_id": getattr(message, "tool_call_id", None),
        "name": message.name,
    }
