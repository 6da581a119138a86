"""A selftest counts what is right, keeps to its time, and finds promises that do not hold."""

import json
import re
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.selftest import calls, citing, holding, run, samples, shapes, sorting, stopping, tools
from agent.selftest.section import Box, Section, each
from agent.settings import Settings
from agent.testing import PROFILE, ScriptedExecutive, ScriptedReply
from graphs.errors import BrokenStreamError, ExecutiveUnreachableError, PromptTooLongError
from graphs.executive import (
    CallPart,
    EndPart,
    EndReason,
    Prompt,
    ReplyPart,
    TextPart,
    TokenCount,
    Wish,
)
from tools.base import ToolContext, ToolResult
from tools.executor import Request


def box(seconds: float = 60.0) -> Box:
    return Box(until=time.monotonic() + seconds)


def called(prompt: Prompt, _: Wish) -> ScriptedReply:
    """Call what the sample wants."""
    text = prompt.messages[-1].text
    case = next(one for one in samples.read("calls") if one["text"] == text)
    arguments = {name: accepted[0] for name, accepted in case["arguments"].items()}
    return ScriptedReply(calls=(CallPart(id="1", name=case["tool"], arguments=arguments),))


async def test_right_calls_are_counted_as_right() -> None:
    found = await calls.section(ScriptedExecutive([called] * 20), box())

    assert (found.done, found.planned) == (20, 20)
    assert found.figures["right"] == found.figures["valid"] == found.figures["as_written"] == 20
    assert found.figures["refused"] == len(tools.MALFORMED)
    assert found.broken == []


async def test_a_valid_call_of_the_wrong_tool_is_not_right() -> None:
    def wrong(_: Prompt, __: Wish) -> ScriptedReply:
        call = CallPart(id="1", name="set_alarm", arguments={"minutes": 3})
        return ScriptedReply(calls=(call,))

    found = await calls.section(ScriptedExecutive([wrong] * 20), box())

    assert found.figures["valid"] == 20
    assert found.figures["right"] == 0


async def test_a_call_with_a_field_too_many_is_not_run() -> None:
    def extra(prompt: Prompt, wish: Wish) -> ScriptedReply:
        (call,) = called(prompt, wish).calls
        return ScriptedReply(calls=(replace(call, arguments={**call.arguments, "bcc": "x"}),))

    found = await calls.section(ScriptedExecutive([extra] * 20), box())

    assert found.figures["valid"] == found.figures["right"] == 0
    assert found.figures["called"] == 20
    assert found.broken == []


class Lenient:
    """A choke point that has lost its guard: it runs whatever it is handed."""

    def __init__(self, record: tools.Record) -> None:
        self._tools = {tool.name: tool for tool in record.tools}

    async def execute(self, request: Request, context: ToolContext, **_: Any) -> ToolResult:
        tool = self._tools.get(request.name) or self._tools["switch_light"]
        return await tool.run(tool.arguments.model_construct(**request.arguments), context)


async def test_a_malformed_call_that_is_run_breaks_a_promise() -> None:
    record = tools.Record()
    found = Section(name="tool calls", planned=0)
    await calls.refuse(found, record, Lenient(record))  # type: ignore[arg-type]

    assert len(found.broken) == len(tools.MALFORMED)
    assert found.figures["refused"] == 0


class Truncating:
    """A server that reads the end of a prompt and says nothing of the rest."""

    profile = replace(PROFILE, context_tokens=2_048)

    async def count(self, prompt: Prompt, wish: Wish, **_: Any) -> TokenCount:
        text = "".join(str(message.text) for message in prompt.messages)
        return TokenCount(tokens=len(text) // 3, exact=False)

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        yield TextPart(text="I do not know.")
        yield EndPart(
            reason=EndReason.STOP,
            prompt_tokens=120,
            cached_tokens=0,
            answer_tokens=4,
            seconds=0.1,
        )


class Honest(Truncating):
    """A server that reads all, finds the needle, and refuses what is too long."""

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        tokens = (await self.count(prompt, wish)).tokens
        if tokens > self.profile.context_tokens:
            raise PromptTooLongError("too long")
        found = re.search(r"green cabinet is (\d+)", prompt.messages[-1].text)
        yield TextPart(text=found[1] if found else "")
        yield EndPart(
            reason=EndReason.STOP,
            prompt_tokens=tokens,
            cached_tokens=0,
            answer_tokens=4,
            seconds=0.1,
        )


async def test_a_prompt_that_was_cut_without_a_word_breaks_a_promise() -> None:
    found = await holding.section(Truncating(), box())

    assert found.figures["needles"] == 0
    assert found.figures["too_long_refused"] is False
    assert any("only 120 tokens were read" in fault for fault in found.broken)


async def test_a_context_that_holds_is_said_to_hold() -> None:
    found = await holding.section(Honest(), box())

    assert found.figures["needles"] == 3
    assert found.figures["too_long_refused"] is True
    assert found.figures["read"] > 1_800
    assert found.broken == []


async def test_answers_by_schema_are_judged_field_by_field() -> None:
    def answered(prompt: Prompt, _: Wish) -> str:
        text = prompt.messages[-1].text
        case = next(one for one in samples.read("facts") if one["text"] == text)
        bill = {name: case[name] for name in shapes.Bill.model_fields}
        return json.dumps(bill if case["currency"] == "EUR" else {**bill, "total": 1.0})

    found = await shapes.section(ScriptedExecutive([answered] * 6), box())

    assert found.figures == {"valid": 6, "right": 2, "fields": 30, "fields_right": 26}


async def test_mails_are_judged_by_their_category() -> None:
    def sorted_as(prompt: Prompt, _: Wish) -> str:
        mail = next(one for one in samples.read("mails") if one["body"] in prompt.messages[-1].text)
        return json.dumps({"category": mail["category"], "reason": "because"})

    replies = [sorted_as] * 11 + ["no JSON"]
    found = await sorting.section(ScriptedExecutive(replies), box())

    assert (found.figures["valid"], found.figures["right"]) == (11, 11)
    assert found.judged


async def test_an_answer_is_stopped_and_the_next_one_begins() -> None:
    story = "once upon a time there was a ship that sailed and sailed for ever"
    replies = ["yes"] + [story, "yes"] * stopping.ROUNDS
    executive = ScriptedExecutive(replies)
    found = await stopping.section(executive, box())

    assert found.figures["stopped_at_once"] == found.figures["freed_at_once"] == stopping.ROUNDS
    assert executive.left == 0


async def test_what_has_no_time_is_left_out_and_not_counted() -> None:
    found = await shapes.section(ScriptedExecutive([]), box(0.0))

    assert (found.done, found.planned) == (0, 6)
    assert found.figures["valid"] == 0


async def test_an_answer_that_is_none_is_counted_by_its_kind() -> None:
    found = Section(name="x", planned=2)

    async def ask(item: int) -> int:
        raise BrokenStreamError("broke off")

    assert [got async for _, got in each(found, box(), [1, 2], ask)] == [None, None]
    assert found.failed == ["BrokenStreamError", "BrokenStreamError"]
    assert found.done == 2


async def test_a_server_that_is_not_there_ends_a_section() -> None:
    async def ask(item: int) -> int:
        raise ExecutiveUnreachableError("nobody answers")

    with pytest.raises(ExecutiveUnreachableError):
        async for _ in each(Section(name="x", planned=1), box(), [1], ask):
            pass


def test_a_quotation_that_stands_nowhere_breaks_a_promise(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("# Rules\n\nA lost key costs **35** crowns.\n")
    answer = {"citations": [{"quote": "A lost key costs 35 crowns."}, {"quote": "It is free."}]}

    assert citing.invented(answer, [document]) == [
        "the quotation 'It is free.' stands in no document"
    ]


def test_every_sample_can_be_right() -> None:
    for case in samples.read("calls"):
        arguments = {name: accepted[0] for name, accepted in case["arguments"].items()}
        assert tools.as_written(case["tool"], arguments), case
    for case in samples.read("facts"):
        bill = shapes.Bill.model_validate({k: v for k, v in case.items() if k != "text"})
        assert bill.number in case["text"]
    counts: dict[str, int] = {}
    for mail in samples.read("mails"):
        counts[mail["category"]] = counts.get(mail["category"], 0) + 1
    assert counts == {one.name: 3 for one in sorting.DESK.categories}
    folder = samples.documents()
    for question in json.loads((folder / "questions.json").read_text()):
        if question["answer"] is not None:
            text = " ".join((folder / question["answer"]["source"]).read_text().split())
            assert re.search(question["answer"]["quote"], text), question


def test_a_report_names_no_path_and_no_address() -> None:
    settings = Settings(data_dir=Path("/srv/ann/data"), cache_dir=Path("/srv/ann/cache"))
    said = f"no {settings.ollama.url} at {Path.home()}/x, /srv/ann/data/y, /srv/ann/cache"

    assert run.discreet(said, settings) == "no OLLAMA at ~/x, DATA/y, CACHE"


def test_a_section_writes_its_figures_its_count_and_what_was_left_out() -> None:
    found = Section(
        name="triage",
        planned=12,
        done=5,
        told=["of 5, 5 sorted, 1 rightly"],
        failed=["EmptyAnswerError"],
        judged=False,
        left_out="7 of 12, for want of time",
        seconds=9.6,
    )
    told = run.told(found)

    assert told[0].startswith("triage")
    assert "n=5, 10 s  (not judged" in told[0]
    assert told[1:] == [
        "  of 5, 5 sorted, 1 rightly",
        "  no answer: 1 EmptyAnswerError",
        "  left out: 7 of 12, for want of time",
    ]
