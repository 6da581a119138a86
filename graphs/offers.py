"""Which calls the executive may make next, and what becomes of those that are not valid.

A call that is not valid goes back to the model with the reason. The first time it is asked as
before; the second time its answer is bound to the schema of a call, of the tool that was meant
where that is clear. After that the turn goes on without the call.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage

from graphs.act import wished
from graphs.context import Limits, Step
from graphs.executive import CallPart, Profile
from graphs.state import Task, TurnState
from graphs.tools_shown import FINDER, chosen, narrowed
from memory.labels import Label
from tools.base import ToolSpec
from tools.calls.faults import CallError
from tools.calls.reading import read_object

REPAIRS_LIMIT = 2
"""How often in a turn the model is asked again for a call that was not valid."""

_QUESTIONS = 3
_KEPT_TOOLS = 2
"""Of turns that are kept so many times the tools of one turn may be shown."""

_TAGS = ("<tool_call>", "<function=", "[TOOL_CALLS]", "<|python_tag|>", "<|tool_call")


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What the executive may call."""

    tools: tuple[ToolSpec, ...]
    shown: tuple[str, ...]
    """Names of the tools that are shown in this turn, whatever is offered now."""
    must_call: bool = False


def offered(state: TurnState, step: Step) -> Offer:
    """Return what may be called next, and tell whoever watches what is left out and why."""
    shown = _shown(state, step)
    box = step.services.executor.toolbox
    faulty = _faulty(state["tasks"])
    latest = faulty.get(state["rounds"], [])
    if len(faulty) > REPAIRS_LIMIT:
        return Offer(tools=box.specs(_without(shown, faulty)), shown=shown)
    if latest:
        step.emit({**_told("call_asked_again", latest[-1]), "time": len(faulty)})
    if latest and len(faulty) == REPAIRS_LIMIT:
        return Offer(tools=box.specs(_meant(latest) or shown), shown=shown, must_call=True)
    return Offer(tools=box.specs(shown), shown=shown)


def made(calls: Sequence[CallPart], text: str, cut: str, offer: Offer) -> tuple[CallPart, ...]:
    """Return the calls of an answer; words that stand where a call should are a faulty one."""
    if not offer.tools:
        return ()
    if calls:
        return tuple(calls)
    fault = _instead(text, cut, offer)
    return (CallPart(id="call", name="", arguments={}, fault=fault),) if fault else ()


def taken(calls: Sequence[CallPart], state: TurnState, step: Step, label: Label) -> list[Task]:
    """Judge calls and return them as tasks; tell whoever watches what is given up."""
    tasks = wished(calls, state, step, label)
    faulty = [task for task in tasks if task.get("fault")]
    if faulty and len(_faulty(state["tasks"])) >= REPAIRS_LIMIT:
        step.emit(_told("call_given_up", faulty[-1]))
    return tasks


def _instead(text: str, cut: str, offer: Offer) -> str:
    """Return what is wrong with words that stand where a call should; empty: nothing is."""
    if offer.must_call and cut:
        return f"The call was cut off {cut}. Make it shorter."
    if offer.must_call or written_call(text, [tool.name for tool in offer.tools]):
        return "The call was written as words, which are never run. Make it as a tool call."
    return ""


def written_call(text: str, names: Sequence[str]) -> bool:
    """Whether words are nothing but a call of one of the tools, in whatever form."""
    start = text.lstrip()
    if start.startswith(_TAGS):
        return True
    if not start.startswith(("{", "[", "```")):
        return False
    try:
        found = read_object(start.removeprefix("[").rstrip().removesuffix("]"))
    except CallError:
        return any(f"{key}: {json.dumps(name)}" in start for key in _KEYS for name in names)
    return _names_tool(found.value, names)


_KEYS = ('"name"', '"tool"')


def _names_tool(value: dict[str, Any], names: Sequence[str]) -> bool:
    """Whether an object is a call: flat, or as it stands on the wire."""
    inner = value.get("function")
    if isinstance(inner, dict):
        return _names_tool(inner, names)
    listed = value.get("tool_calls")
    if isinstance(listed, list):
        return any(isinstance(one, dict) and _names_tool(one, names) for one in listed)
    named = value.get("name") or value.get("tool") or inner
    return named in names and bool({"arguments", "parameters", "args", "input"} & set(value))


def _shown(state: TurnState, step: Step) -> tuple[str, ...]:
    """Return the tools of this turn: chosen when it is asked for the first time.

    Behind turns that are kept theirs stay, unless they would become too many: a prompt begins with
    its tools, and others would have all of it evaluated again.
    """
    known = tuple(state.get("tools_shown") or ())
    if known and state["rounds"]:
        return known
    specs = step.services.executor.toolbox.specs()
    there = {one.name for one in specs}
    limits = step.services.limits
    shown = shown_by(step.services.executive.profile, specs, _asked_lately(state), limits)
    both = tuple(name for name in dict.fromkeys([*known, *shown]) if name in there)
    if len(both) <= _KEPT_TOOLS * limits.tools_shown:
        shown = both
    left = [one.name for one in specs if one.name not in shown and one.name != FINDER]
    if left:
        of = len(shown) + len(left) - (FINDER in shown)
        event = {"event": "left_out", "what": "tools", "count": len(left), "of": of}
        step.emit({**event, "names": left, "why": "they match the question less"})
    return shown


def _asked_lately(state: TurnState) -> str:
    """Return the question with those before it: "and tomorrow?" needs the tool of the last one."""
    earlier = [one.text for one in state["messages"] if isinstance(one, HumanMessage)]
    return "\n".join(dict.fromkeys([state["asked"], *earlier[-_QUESTIONS:]]))


def shown_by(
    profile: Profile, specs: Sequence[ToolSpec], question: str, limits: Limits
) -> tuple[str, ...]:
    """Return the tools that a model is shown: few where its choice is worth little."""
    if not profile.judgement:
        return narrowed(specs, question)
    return chosen(specs, question, limit=limits.tools_shown)


def _faulty(tasks: Sequence[Task]) -> dict[int, list[Task]]:
    """Return the calls that were not valid, by their round."""
    found: dict[int, list[Task]] = {}
    for task in tasks:
        if task.get("fault"):
            found.setdefault(task["round"], []).append(task)
    return found


def _meant(tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return the one tool that all of the calls meant, if that is clear."""
    names = {task.get("meant") for task in tasks}
    name = names.pop() if len(names) == 1 else None
    return (name,) if name else ()


def _without(shown: Sequence[str], faulty: dict[int, list[Task]]) -> tuple[str, ...]:
    """Return what is left when calls are given up: nothing where it is not clear what to avoid."""
    beyond = [tasks for _, tasks in sorted(faulty.items())][REPAIRS_LIMIT:]
    avoided = {task.get("meant") for tasks in beyond for task in tasks}
    if len(beyond) > 1 or None in avoided:
        return ()
    return tuple(name for name in shown if name not in avoided)


def _told(event: str, task: Task) -> dict[str, Any]:
    return {"event": event, "tool": task["name"], "fault": task["fault"], "why": task["reason"]}
