"""Tool calls: whether they are valid, and whether they are right."""

import uuid
from collections.abc import Mapping
from typing import Any, NoReturn

from langchain_core.messages import HumanMessage

from agent.clock import SystemClock
from agent.selftest import samples, tools
from agent.selftest.section import Box, Section, each
from graphs.executive import CallPart, Executive, Prompt, Wish
from graphs.reply import Reply, ask
from memory.labels import USER_LABEL
from tools.base import ToolContext
from tools.executor import Executor, Request
from tools.policy import ANSWER
from tools.registry import Toolbox

SYSTEM = "You run a household. Call the one tool that does what is asked."
_CALL_TOKENS = 200


async def section(executive: Executive, box: Box) -> Section:
    """Ask for each thing once, with all tools on offer, and run what is called."""
    record = tools.Record()
    choke_point = Executor(Toolbox(record.tools), _NoLedger(), timeout_s=5.0)
    cases = samples.read("calls")
    found = Section(name="tool calls", planned=len(cases))
    found.figures = {"called": 0, "as_written": 0, "valid": 0, "right": 0}

    async def asked(case: Mapping[str, Any]) -> Reply:
        prompt = Prompt(system=SYSTEM, messages=(HumanMessage(case["text"]),))
        wish = Wish(tools=choke_point.toolbox.specs(), max_tokens=_CALL_TOKENS)
        return await ask(executive, prompt, wish, lambda _: None)

    async for case, reply in each(found, box, cases, asked):
        await _judge(found, record, choke_point, case, () if reply is None else reply.calls)
    await refuse(found, record, choke_point)
    figures = found.figures
    found.told = [
        f"{figures['called']} of {found.done} requests led to a call; of {found.done}, "
        f"{figures['valid']} valid ({figures['as_written']} as written), {figures['right']} right",
        f"{len(tools.MALFORMED)} malformed calls: {figures['refused']} refused",
    ]
    return found


async def _judge(
    found: Section,
    record: tools.Record,
    choke_point: Executor,
    case: Mapping[str, Any],
    calls: tuple[CallPart, ...],
) -> None:
    """Run the calls of one answer; it is valid if all of them are, right if it is the one meant."""
    if not calls:
        return
    found.count("called")
    before = len(record.ran)
    results = [await _run(choke_point, call.name, call.arguments) for call in calls]
    ran = record.ran[before:]
    for name, arguments in ran:
        if not tools.valid(name, arguments):
            found.broken.append(f"{name} was run with arguments that are not valid")
    if len(ran) > sum(results):
        found.broken.append("a call was run that was told to be refused")
    found.count("as_written", int(all(tools.as_written(c.name, c.arguments) for c in calls)))
    found.count("valid", int(all(results)))
    right = len(ran) == 1 and ran[0][0] == case["tool"] and _fits(ran[0][1], case["arguments"])
    found.count("right", int(right))


def _fits(arguments: Any, wanted: Mapping[str, list[Any]]) -> bool:
    given = arguments.model_dump(mode="json")
    return all(
        any(_plain(given[name]) == _plain(one) for one in accepted)
        for name, accepted in wanted.items()
    )


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.casefold().strip(" .!?'\"")
    return sorted(map(_plain, value)) if isinstance(value, list) else value


async def refuse(found: Section, record: tools.Record, choke_point: Executor) -> None:
    """Hand over calls that no model should make: none may be run."""
    found.figures["refused"] = 0
    for name, arguments in tools.MALFORMED:
        before = len(record.ran)
        ok = await _run(choke_point, name, arguments)
        if ok or len(record.ran) > before:
            found.broken.append(f"the malformed call {name!a} {arguments} was run")
        else:
            found.count("refused")


async def _run(choke_point: Executor, name: str, arguments: dict[str, Any]) -> bool:
    context = ToolContext(
        run_id="selftest",
        thread_id="selftest",
        token=0,
        collections=(),
        clock=SystemClock(),
        label=USER_LABEL,
    )
    request = Request(id=uuid.uuid4().hex, name=name, arguments=arguments)
    return (await choke_point.execute(request, context, purpose=ANSWER)).ok


class _NoLedger:
    """Stands where acts are written down: the tools here only read, so there are none."""

    async def intend(self, *_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a tool that reads is no act")

    async def end(self, *_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a tool that reads is no act")
