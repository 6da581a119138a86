"""The choke point: nothing runs that is not allowed, and no act twice."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from agent.testing import FixedClock
from memory.effects import Effect as Act
from memory.effects import EffectState, Entry
from memory.labels import ENGINE_LABEL, USER_LABEL, Label, Origin
from tools.base import Effect, Tool, ToolContext, ToolError, ToolResult
from tools.executor import ANYWHERE, RESULT_CHARACTERS_LIMIT, Executor, Request, digest
from tools.policy import ANSWER, Grant, Purpose, Ruling
from tools.registry import Toolbox

WEB = Label(origins=frozenset({Origin.WEB}))
FREELY = Purpose(name="all", grants=(Grant(tool="post"),))


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    times: int = 1


class MemoryLedger:
    """Keeps acts in a dictionary, under the rules of `tools.executor.Ledger`."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.acts: list[Act] = []

    async def intend(
        self, effect: Act, *, run_id: str, thread_id: str, token: int, now: datetime
    ) -> Entry:
        assert (run_id, thread_id, token) == ("r", "t", 7)
        known = self.entries.get(effect.key)
        if known is not None:
            return replace(known, fresh=False)
        self.acts.append(effect)
        self.entries[effect.key] = Entry(state=EffectState.INTENDED, receipt=None, fresh=True)
        return self.entries[effect.key]

    async def end(
        self, key: str, state: EffectState, receipt: str | None, *, now: datetime
    ) -> None:
        self.entries[key] = Entry(state=state, receipt=receipt, fresh=False)


@dataclass
class Bench:
    """A tool that notes what it was called with, behind the choke point."""

    run: Callable[[Words, ToolContext], Awaitable[ToolResult]] | None = None
    effect: Effect = Effect.OUTWARD
    repeatable: bool = False
    timeout_s: float = 5.0
    called: list[Words] = field(default_factory=list)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    @property
    def executor(self) -> Executor:
        async def run(wanted: Words, context: ToolContext) -> ToolResult:
            self.called.append(wanted)
            if self.run is not None:
                return await self.run(wanted, context)
            return ToolResult(text=f"posted {wanted.text}", ok=True, label=WEB)

        tool = Tool(
            name="post",
            description="",
            arguments=Words,
            effect=self.effect,
            run=run,
            target=lambda wanted: wanted.text,
            repeatable=self.repeatable,
        )
        return Executor(Toolbox([tool]), self.ledger, timeout_s=self.timeout_s)

    async def __call__(self, purpose: Purpose = FREELY, **arguments: Any) -> ToolResult:
        return await self.executor.execute(
            Request(id="1", name="post", arguments=arguments or {"text": "hi"}),
            context(),
            purpose=purpose,
        )


def context(label: Label = USER_LABEL) -> ToolContext:
    return ToolContext(
        run_id="r", thread_id="t", token=7, collections=(), clock=FixedClock(), label=label
    )


async def test_an_act_is_written_down_before_it_is_done_and_again_when_it_is() -> None:
    bench = Bench()

    async def look(_: Words, __: ToolContext) -> ToolResult:
        (entry,) = bench.ledger.entries.values()
        assert entry.state is EffectState.INTENDED
        return ToolResult(text="posted", ok=True, label=ENGINE_LABEL)

    bench.run = look
    assert (await bench(text="hi", times=2)).text == "posted"
    (act,) = bench.ledger.acts
    assert (act.tool, act.target, act.arguments) == ("post", "hi", {"text": "hi", "times": 2})
    assert act.label == USER_LABEL
    (entry,) = bench.ledger.entries.values()
    assert entry.state is EffectState.DONE


async def test_what_was_done_is_not_done_again_and_its_words_keep_their_label() -> None:
    bench = Bench()
    first = await bench()
    again = await bench()
    assert len(bench.called) == 1
    assert again == first
    assert again.label == WEB


async def test_what_was_cut_off_is_handed_to_a_person_not_repeated() -> None:
    bench = Bench()

    async def killed(_: Words, __: ToolContext) -> ToolResult:
        raise asyncio.CancelledError

    bench.run = killed
    with pytest.raises(asyncio.CancelledError):
        await bench()
    bench.run = None
    again = await bench()
    assert not again.ok
    assert "nobody can know" in again.text
    assert len(bench.called) == 1
    (entry,) = bench.ledger.entries.values()
    assert entry.state is EffectState.UNKNOWN


async def test_what_may_be_repeated_is_repeated_after_it_was_cut_off() -> None:
    bench = Bench(repeatable=True)

    async def killed(_: Words, __: ToolContext) -> ToolResult:
        raise asyncio.CancelledError

    bench.run = killed
    with pytest.raises(asyncio.CancelledError):
        await bench()
    bench.run = None
    assert (await bench()).ok
    assert len(bench.called) == 2


@pytest.mark.parametrize("repeatable", [False, True])
async def test_what_a_person_refused_is_never_tried(repeatable: bool) -> None:
    bench = Bench(repeatable=repeatable)
    key = f"r/{digest('post', Words(text='hi'))}"
    await bench.ledger.end(key, EffectState.REFUSED, None, now=FixedClock().now())
    result = await bench()
    assert not result.ok
    assert not bench.called
    assert bench.ledger.entries[key].state is EffectState.REFUSED


async def test_reading_is_not_written_down() -> None:
    bench = Bench(effect=Effect.READ)
    assert (await bench(ANSWER)).ok
    assert not bench.ledger.entries


async def test_an_act_that_has_to_be_asked_for_does_not_run() -> None:
    bench = Bench()
    result = await bench(ANSWER)
    assert not result.ok
    assert not bench.called
    assert not bench.ledger.entries


async def test_an_approval_holds_for_exactly_the_arguments_that_were_shown() -> None:
    bench = Bench()
    shown = bench.executor.judge(
        Request(id="1", name="post", arguments={"text": "hi"}), purpose=ANSWER, label=USER_LABEL
    )
    assert shown.verdict.ruling is Ruling.ASK

    async def post(**arguments: Any) -> ToolResult:
        return await bench.executor.execute(
            Request(id="1", name="post", arguments=arguments),
            context(),
            purpose=ANSWER,
            approved=frozenset({shown.digest}),
        )

    assert (await post(text="hi", times=1)).ok, "the default was part of what was shown"
    for arguments in ({"text": "ho"}, {"text": "hi", "times": 2}):
        assert not (await post(**arguments)).ok
    assert len(bench.called) == 1


async def test_an_approval_does_not_make_a_wrong_call_right() -> None:
    bench = Bench()
    result = await bench.executor.execute(
        Request(id="1", name="post", arguments={"text": "hi", "bcc": "mallory"}),
        context(),
        purpose=FREELY,
        approved=frozenset({""}),
    )
    assert not result.ok
    assert "bcc" in result.text
    assert not bench.called


async def test_a_fault_that_the_executive_can_mend_is_told_to_it() -> None:
    async def fails(_: Words, __: ToolContext) -> ToolResult:
        raise ToolError("Too many words. Take fewer.")

    result = await Bench(run=fails)()
    assert result == ToolResult(text="Too many words. Take fewer.", ok=False, label=ANYWHERE)


async def test_a_fault_of_ours_ends_the_run() -> None:
    async def breaks(_: Words, __: ToolContext) -> ToolResult:
        raise LookupError("ours")

    with pytest.raises(LookupError, match="ours"):
        await Bench(run=breaks)()


async def test_a_tool_that_takes_too_long_is_stopped_and_said_to_be() -> None:
    stopped = []

    async def hangs(_: Words, __: ToolContext) -> ToolResult:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(True)
        raise AssertionError

    result = await Bench(run=hangs, timeout_s=0.01)()
    assert stopped
    assert (result.ok, result.text) == (False, "'post' did not end within 0.01 seconds.")


async def test_a_timeout_of_the_tools_own_is_not_taken_for_ours() -> None:
    async def gives_up(_: Words, __: ToolContext) -> ToolResult:
        raise TimeoutError("the server did not answer")

    with pytest.raises(TimeoutError, match="the server"):
        await Bench(run=gives_up)()


@pytest.mark.parametrize("effect", [Effect.READ, Effect.LOCAL])
async def test_a_result_beyond_all_bounds_begins_with_how_much_of_it_is_not_kept(
    effect: Effect,
) -> None:
    """The second time an act is told from its receipt, which is bounded too."""

    async def talks(_: Words, __: ToolContext) -> ToolResult:
        return ToolResult(text="x" * (RESULT_CHARACTERS_LIMIT + 5), ok=True, label=WEB)

    bench = Bench(run=talks, effect=effect)
    for result in [await bench(), await bench()]:
        assert result.text == (
            f"[the last 5 of {RESULT_CHARACTERS_LIMIT + 5} characters of this result are not kept]"
            "\n" + "x" * RESULT_CHARACTERS_LIMIT
        )
        assert (result.left_out, result.label) == (5, WEB)


async def test_a_target_that_cannot_be_told_refuses_the_call() -> None:
    def target(_: Words) -> str:
        raise ToolError("'hi' is not an address.")

    async def run(_: Words, __: ToolContext) -> ToolResult:
        raise AssertionError("it must not run")

    tool = Tool(
        name="post", description="", arguments=Words, effect=Effect.OUTWARD, run=run, target=target
    )
    executor = Executor(Toolbox([tool]), MemoryLedger(), timeout_s=1)
    request = Request(id="1", name="post", arguments={"text": "hi"})
    assert executor.judge(request, purpose=FREELY, label=USER_LABEL).verdict.ruling is Ruling.REFUSE
    result = await executor.execute(request, context(), purpose=FREELY)
    assert result.text == "'hi' is not an address."


def test_the_digest_tells_tools_and_arguments_apart_and_nothing_else() -> None:
    class Loose(BaseModel):
        one: Any = None
        two: Any = None

    assert digest("a", Loose(one=1, two=2)) == digest("a", Loose(two=2, one=1))
    different = [
        digest("a", Loose()),
        digest("b", Loose()),
        digest("a", Loose(one=1)),
        digest("a", Loose(two=1)),
        digest("a", Loose(one="1")),
        digest("a", Loose(one="ü")),
        digest("a", Loose(one="\ud800")),
        digest("a", Loose(one=[1])),
    ]
    assert len(set(different)) == len(different)


async def test_a_receipt_is_readable_in_the_ledger() -> None:
    bench = Bench()
    await bench(text="grün")
    (entry,) = bench.ledger.entries.values()
    assert entry.receipt is not None
    assert "grün" in entry.receipt
    assert json.loads(entry.receipt)["label"] == WEB.to_json()
