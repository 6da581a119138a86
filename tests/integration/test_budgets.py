"""A turn ends within its budgets, with the best answer so far and the reason.

A turn that is stopped loses no word.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from agent.clock import SystemClock
from agent.migrate import migrate
from agent.testing import PROFILE, FixedClock, Scripted, ScriptedExecutive, ScriptedReply
from agent.turns import Outcome, Turns
from graphs import assistant
from graphs.context import Limits, Services
from graphs.errors import EmptyAnswerError
from graphs.executive import (
    CallPart,
    Profile,
    Prompt,
    ReplyPart,
    TextPart,
    ThoughtPart,
    Wish,
)
from memory.artifact_store import ArtifactStore
from memory.database import Pool
from memory.labels import ENGINE_LABEL, Label, Origin
from memory.ledger import EffectLedger
from memory.recollection import Recollection
from memory.runs import RunRegistry, RunStatus
from memory.search import Searcher
from memory.store import DocumentStore as Documents
from memory.testing import HashingEmbedder, text_document
from memory.threads import Threads
from tools.base import Effect, Tool, ToolContext, ToolResult
from tools.executor import Executor
from tools.policy import ANSWER, Grant, Purpose
from tools.registry import Toolbox

THREAD = "t"


def silent(_: dict[str, Any]) -> None:
    """Watch nothing."""


DOCUMENT = Label(origins=frozenset({Origin.DOCUMENT}))


@pytest.fixture
async def dsn(dsn: str) -> str:
    """A database of the test's own, with the checkpointer's tables."""
    await migrate(dsn)
    return dsn


class Topic(BaseModel):
    """What to look for."""

    topic: str


def tool(
    name: str,
    effect: Effect = Effect.READ,
    then: Callable[[str], str] = lambda topic: f"There is nothing on {topic}.",
) -> Tool[Topic]:
    async def run(wanted: Topic, _: ToolContext) -> ToolResult:
        return ToolResult(text=then(wanted.topic), ok=True, label=ENGINE_LABEL)

    return Tool(name=name, description=name, arguments=Topic, effect=effect, run=run)


def call(name: str = "look", topic: str = "pumps") -> ScriptedReply:
    return ScriptedReply(calls=(CallPart(id="c", name=name, arguments={"topic": topic}),))


def calling(wish: Wish) -> bool:
    """Whether the executive may call; the tools are shown to it in any case."""
    return bool(wish.tools) and wish.may_call


class Calling(ScriptedExecutive):
    """Calls what it is told for as long as it has tools; then it says what it was shown last."""

    def __init__(self, calls: Callable[[int], ScriptedReply], profile: Profile = PROFILE) -> None:
        super().__init__([], profile=profile)
        self._calls = calls

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        number = len(self.asked)
        self._script.append(self._calls(number) if calling(wish) else "It is not known.")
        async for part in super().stream(prompt, wish):
            yield part


def services_of(
    pool: Pool, executive: Any, tools: Sequence[Tool[Any]] = (), **parts: Any
) -> Services:
    embedder = HashingEmbedder()
    given: dict[str, Any] = {
        **dict.fromkeys(field.name for field in fields(Services)),
        "executive": executive,
        "executor": Executor(Toolbox(tools), EffectLedger(pool), timeout_s=5),
        "recollection": Recollection(Searcher(pool, embedder), Documents(pool)),
        "embedder": embedder,
        "artifacts": ArtifactStore(pool),
        "clock": SystemClock(),
        "purpose": ANSWER,
        "collection": "default",
        "limits": Limits(),
        "think": False,
    }
    return Services(**{**given, **parts})


def turns_of(pool: Pool, services: Services) -> Turns:
    return Turns(
        pool=pool,
        registry=RunRegistry(pool),
        threads=Threads(pool),
        graphs={"assistant": lambda: assistant.build(services)},
        clock=services.clock,
        new_id=lambda: str(uuid4()),
    )


async def asked(
    turns: Turns, question: str = "What is known of pumps?", events: list[Any] | None = None
) -> Outcome:
    values = {"question": question, "files": []}
    watch = silent if events is None else events.append
    return await turns.run("assistant", thread_id=THREAD, values=values, watch=watch)


async def remembered(pool: Pool, text: str, label: Label = DOCUMENT) -> None:
    store, embedder = Documents(pool), HashingEmbedder()
    source = await store.source("default", "test:")
    await store.put(source, text_document("test:1", text, label=label))
    await store.embed_missing(embedder)


def ended(outcome: Outcome) -> str:
    budget: str = outcome.output["answer"]["ended"]["budget"]
    return budget


def shown(executive: ScriptedExecutive, number: int = -1) -> str:
    prompt, _ = executive.asked[number]
    return "\n".join(str(message.text) for message in prompt.messages)


@pytest.mark.parametrize("period", [1, 2, 3, 4])
async def test_a_model_that_calls_in_circles_is_stopped_within_five_calls(
    pool: Pool, period: int
) -> None:
    executive = Calling(lambda number: call(topic="abcd"[number % period]))
    services = services_of(pool, executive, [tool("look")], limits=Limits(rounds=30))

    outcome = await asked(turns_of(pool, services))

    assert len(outcome.output["tasks"]) == period + 1 <= 5
    assert ended(outcome) == "calls"
    assert outcome.output["answer"]["text"] == "It is not known."
    assert outcome.run.status is RunStatus.DONE
    assert "limits.same_calls" in (outcome.run.ended_by or "")
    warning = "made before, in step 1; its result stands there, and nothing has changed since"
    assert warning in shown(executive, period + 1)
    assert "No tool can be called any more" in shown(executive)


async def test_a_call_that_is_not_valid_is_not_made_for_ever(pool: Pool) -> None:
    executive = Calling(lambda _: call(name="no_such_tool"))
    services = services_of(pool, executive, [tool("look")], limits=Limits(rounds=30))

    outcome = await asked(turns_of(pool, services))

    assert len(outcome.output["tasks"]) <= 5
    assert outcome.run.status is RunStatus.DONE


async def test_a_call_that_reads_is_made_again_after_an_act_and_told_to_be_unchanged(
    pool: Pool,
) -> None:
    looked: list[str] = []

    def look(topic: str) -> str:
        looked.append(topic)
        return "The tank is full." if len(looked) < 3 else "The tank is empty."

    script: list[Scripted] = [
        call(),
        call("act", "one"),
        call(),
        call("act", "two"),
        call(),
        "It is empty.",
    ]
    executive = ScriptedExecutive(script)
    grants = Purpose(name="tank", grants=(Grant(tool="act"),))
    tools = [tool("look", then=look), tool("act", Effect.LOCAL)]
    services = services_of(pool, executive, tools, purpose=grants, limits=Limits(rounds=9))

    outcome = await asked(turns_of(pool, services))

    assert looked == ["pumps"] * 3
    told = shown(executive)
    assert told.count("The tank is full.") == 2
    assert told.count("The tank is full. (This result has not changed since step 1.)") == 1
    assert "The tank is empty.\n" in f"{told}\n"
    assert "ended" not in outcome.output["answer"]


async def test_a_model_that_calls_for_ever_with_other_arguments_ends_with_its_steps(
    pool: Pool,
) -> None:
    executive = Calling(lambda number: call(topic=f"pump {number}"))
    services = services_of(pool, executive, [tool("look")], limits=Limits(rounds=5))

    outcome = await asked(turns_of(pool, services))

    assert [calling(wish) for _, wish in executive.asked] == [True] * 4 + [False]
    assert ended(outcome) == "steps"
    assert "5 times" in shown(executive)
    assert outcome.run.ended_by == outcome.output["answer"]["ended"]["reason"]


async def test_tokens_that_are_nearly_spent_leave_an_answer_without_tools(pool: Pool) -> None:
    executive = Calling(lambda number: call(topic=f"pump {number}"))
    bounds = Limits(rounds=30, tokens=3_000)
    services = services_of(pool, executive, [tool("look")], limits=bounds)

    outcome = await asked(turns_of(pool, services))

    assert ended(outcome) == "tokens"
    assert outcome.output["answer"]["text"] == "It is not known."
    assert not calling(executive.asked[-1][1])
    assert outcome.run.prompt_tokens + outcome.run.answer_tokens <= bounds.tokens


async def test_tokens_that_are_spent_leave_the_engine_its_own_answer(pool: Pool) -> None:
    await remembered(pool, "The pump of the cellar is blue. It was built in 1931.")
    executive = Calling(lambda number: call(topic=f"pump {number}"))
    services = services_of(pool, executive, [tool("look")], limits=Limits(rounds=30, tokens=500))

    outcome = await asked(turns_of(pool, services), "Which colour has the pump of the cellar?")

    answer = outcome.output["answer"]
    assert ended(outcome) == "tokens"
    assert "The pump of the cellar is blue." in answer["text"]
    assert (
        answer["citations"][0]["quote"] in "The pump of the cellar is blue. It was built in 1931."
    )
    assert all(calling(wish) for _, wish in executive.asked), "nobody was asked a last time"


async def test_without_passages_the_engine_hands_the_last_result_on(pool: Pool) -> None:
    executive = Calling(lambda number: call(topic=f"pump {number}"))
    services = services_of(pool, executive, [tool("look")], limits=Limits(rounds=30, tokens=350))

    outcome = await asked(turns_of(pool, services))

    assert outcome.output["answer"]["text"].startswith("`look` gave: There is nothing on pump")


async def test_time_that_is_spent_leaves_the_engine_its_own_answer(pool: Pool) -> None:
    clock = FixedClock()

    def slow(topic: str) -> str:
        clock.advance(timedelta(seconds=50))
        return f"There is nothing on {topic}."

    executive = Calling(lambda number: call(topic=f"pump {number}"))
    services = services_of(
        pool, executive, [tool("look", then=slow)], clock=clock, limits=Limits(seconds=90.0)
    )

    outcome = await asked(turns_of(pool, services))

    assert ended(outcome) == "time"
    assert len(outcome.output["tasks"]) == 2
    assert outcome.output["answer"]["ended"]["reason"] == (
        "100 of 90 seconds have passed (limits.seconds)"
    )


class Halting(ScriptedExecutive):
    """Says its pieces, then nothing, until it is closed."""

    def __init__(self, *pieces: str, profile: Profile = PROFILE) -> None:
        super().__init__([], profile=profile)
        self._pieces = pieces
        self.said = asyncio.Event()
        self.closed = asyncio.Event()

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        self.asked.append((prompt, wish))
        try:
            if wish.think:
                yield ThoughtPart(text="canary-7d41")
            for piece in self._pieces:
                yield TextPart(text=piece)
            self.said.set()
            await asyncio.Event().wait()
        finally:
            self.closed.set()


async def test_time_that_runs_out_in_an_answer_leaves_what_was_written_of_it(pool: Pool) -> None:
    executive = Halting("The pump ", "is blue.")
    services = services_of(pool, executive, limits=Limits(seconds=0.5))

    async with asyncio.timeout(20):
        outcome = await asked(turns_of(pool, services))

    assert executive.closed.is_set()
    assert ended(outcome) == "time"
    assert outcome.output["answer"]["text"] == "The pump is blue. [cut off after 0.5 seconds]"
    assert outcome.run.status is RunStatus.DONE
    assert outcome.run.answer_tokens == 2


async def test_time_that_runs_out_before_a_word_leaves_the_engine_its_own_answer(
    pool: Pool,
) -> None:
    await remembered(pool, "The pump of the cellar is blue.")
    services = services_of(pool, Halting(), limits=Limits(seconds=0.5))

    async with asyncio.timeout(20):
        outcome = await asked(turns_of(pool, services), "Which colour has the pump of the cellar?")

    assert ended(outcome) == "time"
    assert "The pump of the cellar is blue." in outcome.output["answer"]["text"]


async def test_the_time_that_a_person_takes_to_decide_does_not_count(pool: Pool) -> None:
    clock = FixedClock()
    script: list[Scripted] = [call("act", "one"), "It is done."]
    services = services_of(
        pool,
        ScriptedExecutive(script),
        [tool("act", Effect.OUTWARD)],
        clock=clock,
        limits=Limits(seconds=90.0),
    )
    turns = turns_of(pool, services)
    waiting = await asked(turns)
    (pending,) = waiting.pending
    clock.advance(timedelta(days=2))

    outcome = await turns.resume(
        waiting.run, {pending.interrupt_id: {"type": "approve"}}, watch=silent
    )

    assert outcome.output["answer"]["text"] == "It is done."
    assert "ended" not in outcome.output["answer"]


async def test_a_last_ask_that_fails_ends_with_an_answer_and_not_with_an_error(
    pool: Pool,
) -> None:
    def nothing(_: Prompt, wish: Wish) -> ScriptedReply:
        if calling(wish):
            return call(topic=f"pump {len(executive.asked)}")
        raise EmptyAnswerError("The model ended without a word.")

    executive = ScriptedExecutive([nothing] * 6)
    services = services_of(pool, executive, [tool("look")], limits=Limits(rounds=3))

    outcome = await asked(turns_of(pool, services))

    assert ended(outcome) == "steps"
    assert outcome.output["answer"]["text"].startswith("`look` gave: ")


async def test_an_executive_without_judgement_ends_within_its_budgets_too(pool: Pool) -> None:
    await remembered(pool, "The pump of the cellar is blue.")
    executive = Halting(profile=replace(PROFILE, judgement=False))
    services = services_of(pool, executive, limits=Limits(seconds=0.5))

    async with asyncio.timeout(20):
        outcome = await asked(turns_of(pool, services), "Which colour has the pump of the cellar?")

    assert ended(outcome) == "time"
    assert "The pump of the cellar is blue." in outcome.output["answer"]["text"]


async def stopped(turns: Turns, executive: Halting, question: str = "What of pumps?") -> None:
    """Ask, and stop the turn when the executive has said its pieces."""
    task = asyncio.create_task(asked(turns, question))
    said = asyncio.create_task(executive.said.wait())
    await asyncio.wait([task, said], return_when=asyncio.FIRST_COMPLETED, timeout=20)
    assert executive.said.is_set(), task
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def gone_on(pool: Pool, executive: ScriptedExecutive, **parts: Any) -> Outcome:
    turns = turns_of(pool, services_of(pool, executive, [tool("look")], **parts))
    return await turns.finish("assistant", thread_id=THREAD, watch=silent)


async def test_an_answer_that_was_stopped_goes_on_from_the_words_that_it_had(pool: Pool) -> None:
    executive = Halting("The pump ", "is ")
    await stopped(turns_of(pool, services_of(pool, executive, [tool("look")])), executive)
    (paused,) = await RunRegistry(pool).newest(thread_id=THREAD)

    after = ScriptedExecutive(["blue."])
    outcome = await gone_on(pool, after)

    assert executive.closed.is_set()
    assert paused.status is RunStatus.PAUSED
    assert after.asked[0][0].begun == "The pump is"
    assert outcome.continued
    assert outcome.run.run_id == paused.run_id
    assert outcome.run.status is RunStatus.DONE
    assert outcome.output["answer"]["text"] == "The pump is blue."


async def test_what_a_stopped_try_took_counts_in_the_budgets_and_in_the_run(pool: Pool) -> None:
    executive = Halting("The pump ", "is ")
    services = services_of(pool, executive, [tool("look")])
    await stopped(turns_of(pool, services), executive)
    read = (await executive.count(*executive.asked[0])).tokens

    outcome = await gone_on(pool, ScriptedExecutive(["blue."]))

    (run,) = await RunRegistry(pool).newest(thread_id=THREAD)
    assert run.prompt_tokens >= 2 * read
    assert run.answer_tokens == 2 + 1
    assert outcome.output["answer"]["text"] == "The pump is blue."


async def test_a_budget_that_the_stopped_try_has_spent_ends_the_next(pool: Pool) -> None:
    clock = FixedClock()
    executive = Halting("The pump ", "is blue ")
    bounds = Limits(seconds=60.0)
    services = services_of(pool, executive, clock=clock, limits=bounds)
    task = asyncio.create_task(asked(turns_of(pool, services)))
    await asyncio.wait_for(executive.said.wait(), 20)
    clock.advance(timedelta(seconds=61))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    clock.advance(timedelta(days=1))

    nobody = ScriptedExecutive([])
    outcome = await gone_on(pool, nobody, clock=clock, limits=bounds)

    assert nobody.asked == []
    assert ended(outcome) == "time"
    assert outcome.output["answer"]["text"] == "The pump is blue [cut off when it was stopped]"


async def test_an_answer_can_be_stopped_again_and_again(pool: Pool) -> None:
    first = Halting("The pump ")
    await stopped(turns_of(pool, services_of(pool, first)), first)
    second = Halting("is ")
    turns = turns_of(pool, services_of(pool, second))
    task = asyncio.create_task(turns.finish("assistant", thread_id=THREAD, watch=silent))
    await asyncio.wait_for(second.said.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    outcome = await gone_on(pool, ScriptedExecutive(["blue."]))

    assert outcome.output["answer"]["text"] == "The pump is blue."


async def test_the_words_of_a_stopped_answer_carry_the_label_of_what_was_in_view(
    pool: Pool,
) -> None:
    await remembered(pool, "The pump is blue.", Label(origins=frozenset({Origin.MAIL})))
    executive = Halting("The pump ")
    await stopped(turns_of(pool, services_of(pool, executive)), executive)

    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT kind, origins FROM artifacts")
        rows = [tuple(row.values()) for row in await cursor.fetchall()]

    assert rows == [("draft", ["mail", "user"])]


async def everything(pool: Pool) -> str:
    """All that the database holds, as text; bytes as hexadecimal digits."""
    found = []
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        for row in await cursor.fetchall():
            rows = await connection.execute(f'SELECT t::text AS whole FROM "{row["tablename"]}" t')
            found += [one["whole"] for one in await rows.fetchall()]
    return "\n".join(found)


def held(words: str, dump: str) -> bool:
    return words in dump or words.encode().hex() in dump


async def test_thinking_is_nowhere_in_the_database(pool: Pool) -> None:
    script: list[Scripted] = [
        ScriptedReply(thought="canary-7d41", calls=call().calls),
        ScriptedReply(thought="canary-7d41", text="witness-93aa"),
    ]
    executive = ScriptedExecutive(script)
    events: list[Any] = []
    services = services_of(pool, executive, [tool("look")], think=True)

    await asked(turns_of(pool, services), events=events)
    dump = await everything(pool)

    assert [wish.think for _, wish in executive.asked] == [True, True]
    assert [event["text"] for event in events if event["event"] == "thought"] == [
        "canary-7d41",
        "canary-7d41",
    ]
    assert held("witness-93aa", dump), "the search finds what is stored"
    assert not held("canary-7d41", dump)


async def test_thinking_that_was_stopped_is_nowhere_in_the_database_either(pool: Pool) -> None:
    executive = Halting("witness-93aa ")
    services = services_of(pool, executive, think=True)
    await stopped(turns_of(pool, services), executive)

    dump = await everything(pool)

    assert executive.asked[0][1].think
    assert held("witness-93aa", dump)
    assert not held("canary-7d41", dump)


async def test_thinking_has_room_of_its_own_and_is_off_in_a_repair(pool: Pool) -> None:
    await remembered(pool, "The pump of the cellar is blue.")
    executive = ScriptedExecutive(["The pump is 99 years old [1].", "The pump is blue [1]."])
    bounds = Limits(answer_tokens=100, thought_tokens=1_000)
    services = services_of(pool, executive, think=True, limits=bounds)

    await asked(turns_of(pool, services), "Which colour has the pump of the cellar?")

    assert [(wish.think, wish.max_tokens) for _, wish in executive.asked] == [
        (True, 1_100),
        (False, 100),
    ]
