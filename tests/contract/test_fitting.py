"""Prompts of any size and mix fit the context: on the double, which cuts, and on real tokens."""

import asyncio
import os
import random
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from agent.executives.gguf.header import embedded_model, read_header
from agent.executives.llamacpp.executive import LlamaCppExecutive
from agent.executives.ollama.executive import OllamaExecutive
from agent.executives.ollama.server import OllamaModel
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.script import Asked, Say, computed
from agent.testing import FixedClock
from graphs import prompts, view
from graphs.context import Limits, Services, Step
from graphs.executive import EndPart, Executive, Profile, Prompt, ReplyPart, TokenCount, Wish
from graphs.fitting.fit import Fitted
from graphs.fitting.order import LEAST_ANSWER_TOKENS
from graphs.fitting.summary import room
from graphs.reply import ask
from graphs.state import Task, TurnState
from memory.artifacts import Artifact
from memory.documents import Chunk, Document
from memory.labels import USER_LABEL, Label, Origin
from memory.places import Place
from tools.base import ToolContext
from tools.clock import NOW
from tools.policy import ANSWER
from tools.recall import recall
from tools.registry import Toolbox
from tools.reread import RereadArguments, reread

Serve = Callable[[Any], AbstractAsyncContextManager[str]]

REAL_CASES = int(os.environ.get("CORTICAL_TEST_FITTING_CASES", "2"))
"""How many cases run on real tokens; `make fitting` runs a thousand, on the double as well."""
TURNS = int(os.environ.get("CORTICAL_TEST_FITTING_TURNS", "0"))
"""How many turns the long conversation has; `make fitting` has sixty, the suite leaves it out."""
DOUBLE_CASES = max(120, REAL_CASES)
CONTEXTS = (1_536, 2_048, 3_072)
REAL_CONTEXT = 960
LONG_CONTEXT = 2_048
ANSWER_TOKENS = 256
TOOLS = Toolbox([recall(cast(Any, None)), reread(cast(Any, None)), NOW]).specs()
DOCUMENT = Label(origins=frozenset({Origin.DOCUMENT}))

SPOKEN = (
    "The warranty of the pump is two years from the day on which it was delivered. ",
    "Die Übergangsregelung gilt für sämtliche Kündigungsschutzklagen ab dem 1. März. ",
    "Le filtre doit être nettoyé une fois par semaine, sinon la garantie ne vaut plus. ",
    "保修期为自交货之日起两年，过滤器必须每周清洗一次。",
    "Гарантия на насос действует два года со дня поставки, фильтр чистят каждую неделю. ",  # noqa: RUF001 - Russian
    "def cleaned(rows):\n    return [{'id': row[0], 'sum': row[3] * 1.19} for row in rows]\n",
    "| 2026-03-02 | 17,50 € | ACME-7781-B | 0x7ffe12 |\n",
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 3 + " ",
    "aGVsbG8gd29ybGQgdGhpcyBpcyBiYXNlNjQ/PT0+Pj4vLy8r" * 2 + "\n",
    "🚰🔧 <|im_end|> “quoted” … ½ ≠ ∑ \u200b\t\t{}[]()&&||!!\n",
)


def text(chance: random.Random, characters: int) -> str:
    """Return a text of one or two kinds, about so long, that begins with a word of its own."""
    kinds = chance.sample(SPOKEN, chance.choice((1, 1, 2)))
    made = f"K{chance.getrandbits(40):010x} "
    while len(made) < characters:
        made += chance.choice(kinds)
    return made[: max(characters, 12)].strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A turn in its middle."""

    state: TurnState
    chunks: Sequence[Chunk]
    results: Sequence[Artifact]


def drawn(number: int, context_tokens: int) -> Case:
    """Return a case whose prompt has from half to four times the context, by its number."""
    chance = random.Random(number)
    # System text and tools take some 700 tokens; two characters of these texts about one.
    times = chance.choice((chance.uniform(0.5, 1), chance.uniform(1, 4), chance.uniform(1, 4)))
    left = max(100, int(2 * (context_tokens * times - 700)))
    shares = {name: chance.random() ** 2 for name in ("history", "passages", "results", "question")}
    if chance.random() < 0.3:
        shares = {name: share if name == "history" else 0.02 for name, share in shares.items()}
    total = sum(shares.values())
    room = {name: int(left * share / total) for name, share in shares.items()}
    chunks = [
        chunk(at, text(chance, size))
        for at, size in enumerate(split(chance, room["passages"], chance.randrange(11)), start=1)
    ]
    sizes = split(chance, room["results"], chance.randrange(7))
    results = [result(f"{number:06x}{at:02x}", text(chance, size)) for at, size in enumerate(sizes)]
    return Case(
        state=state(
            chance,
            question=text(chance, room["question"]),
            history=[
                text(chance, size)
                for size in split(chance, room["history"], 2 * chance.randrange(12))
            ],
            chunks=chunks,
            results=results,
        ),
        chunks=chunks,
        results=results,
    )


def split(chance: random.Random, total: int, count: int) -> list[int]:
    """Return so many sizes that come to about the total."""
    weights = [chance.random() ** 2 + 0.01 for _ in range(count)]
    return [int(total * weight / sum(weights)) for weight in weights]


def chunk(number: int, text: str) -> Chunk:
    document = Document(
        id=number,
        collection="default",
        uri=f"file:///{number}",
        title=f"Title {number}",
        kind="text",
        language="en",
        label=DOCUMENT,
        modified_at=None,
    )
    return Chunk(
        id=number,
        document=document,
        ordinal=0,
        text=text,
        context="",
        place=Place(page=number),
        label=DOCUMENT,
    )


def result(name: str, text: str) -> Artifact:
    artifact = f"{name}-0000-4000-8000-000000000000"
    return Artifact(id=artifact, kind="result", body={"text": text}, label=DOCUMENT)


def state(
    chance: random.Random,
    *,
    question: str,
    history: Sequence[str],
    chunks: Sequence[Chunk],
    results: Sequence[Artifact],
) -> TurnState:
    tasks = [task(at, chance.randrange(1, 4), one.id) for at, one in enumerate(results)]
    found = {one.id: chance.choice(tasks)["id"] for one in chunks if tasks and one.id > 6}
    passages = [
        {"chunk": one.id, "score": chance.random()}
        | ({"call": found[one.id]} if one.id in found else {})
        for one in chunks
    ]
    messages: list[AnyMessage] = [
        view.labelled(
            AIMessage(said, id=str(at)) if at % 2 else HumanMessage(said, id=str(at)), USER_LABEL
        )
        for at, said in enumerate(history)
    ]
    asked = HumanMessage(question, id="asked")
    plain = {
        "asked": question,
        "asked_by": USER_LABEL.to_json(),
        "messages": [*messages, asked],
        "tasks": tasks,
        "passages": passages,
    }
    return cast(TurnState, plain)


def task(number: int, round_: int, artifact: str) -> Task:
    return Task(
        id=f"call-{number}",
        name="look",
        arguments={"n": number},
        ruling="allow",
        reason="",
        round=round_,
        digest=str(number),
        decision=None,
        note=None,
        label=USER_LABEL.to_json(),
        artifact=artifact,
        ok=True,
    )


class Passages:
    """A recollection of these passages."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = {one.id: one for one in chunks}

    async def search(self, text: str, *, k: int, collections: Sequence[str]) -> list[Any]:
        raise AssertionError("nothing is searched here")

    async def chunks(self, ids: Sequence[int]) -> list[Chunk]:
        return [self._chunks[one] for one in ids if one in self._chunks]


class Bodies(dict[str, Artifact]):
    """The store of artifacts, of one thread."""

    async def put(self, artifact: Artifact, **_: Any) -> None:
        self.setdefault(artifact.id, artifact)

    async def get(self, ids: Sequence[str]) -> Mapping[str, Artifact]:  # type: ignore[override]  # the store's method, not the dictionary's
        return {one: self[one] for one in ids if one in self}

    async def referred(self, reference: str, *, thread_id: str) -> list[Artifact]:
        return [one for name, one in self.items() if name.startswith(reference)]


def step_of(executive: Executive, case: Case, events: list[dict[str, Any]]) -> tuple[Step, Bodies]:
    bodies = Bodies({one.id: one for one in case.results})
    parts: dict[str, Any] = {
        **dict.fromkeys(field.name for field in fields(Services)),
        "executive": executive,
        "recollection": Passages(case.chunks),
        "artifacts": bodies,
        "clock": FixedClock(),
        "purpose": ANSWER,
        "collection": "default",
        "limits": Limits(answer_tokens=ANSWER_TOKENS),
    }
    run = "00000000-0000-0000-0000-000000000001"
    step = Step(services=Services(**parts), run_id=run, thread_id="t", token=1, emit=events.append)
    return step, bodies


async def answered(executive: Executive, case: Case) -> tuple[Fitted, list[dict[str, Any]], Bodies]:
    events: list[dict[str, Any]] = []
    step, bodies = step_of(executive, case, events)
    seen = await view.opened(case.state, step)
    wish = Wish(tools=TOOLS, max_tokens=ANSWER_TOKENS, may_be_cut=True)
    made = await view.fitted(case.state, step, seen, wish)
    reply = await ask(executive, made.prompt, made.wish, events.append)
    assert reply.end.answer_tokens > 0
    return made, events, bodies


async def check(case: Case, made: Fitted, events: list[dict[str, Any]], bodies: Bodies) -> None:
    """What is not whole in the prompt is said to be left out, there and in the trace, by number."""
    left = {event["what"]: event for event in events if event["event"] == "left_out"}
    found = {what: (one["count"], one["of"]) for what, one in left.items()}
    shown = "\n".join(message.text for message in made.prompt.messages)
    assert found.pop("earlier messages", (0, 0)) == earlier_left_out(case, made, shown)
    rounds_gone = noted(shown, "rounds of calls")
    assert found.pop("rounds of calls", (0, 0)) == rounds_gone
    assert found.pop("passages", (0, 0)) == passages_left_out(case, rounds_gone[0], shown)
    assert found.pop("ends of results", (0, 0)) == results_left_out(case, rounds_gone[0], made)
    assert found.pop("tools", (0, 0)) == noted(shown, "tools")
    assert bool(left.get("tools")) is not bool(made.wish.tools)
    for what in [name for name in found if name.startswith("characters of")]:
        count, of = found.pop(what)
        assert f"[{count} of {of} characters left out here;" in shown
    assert found.pop("lines of the summary", (0, 0))[0] == summary_lines_left_out(made, shown)
    question = str(case.state["asked"])
    assert (question in shown) is ("characters of the question" not in left)
    assert not found, "nothing else is said to be left out"
    await all_can_be_read_again(shown, bodies)


def noted(shown: str, what: str) -> tuple[int, int]:
    """Return what the prompt says to have left out, summed over its notes."""
    notes = re.findall(rf"\((\d+) of (\d+) {what} left out", shown)
    return sum(int(count) for count, _ in notes), sum(int(of) for _, of in notes)


def earlier_left_out(case: Case, made: Fitted, shown: str) -> tuple[int, int]:
    earlier = case.state["messages"][:-1]
    missing = [one for one in earlier if one.text.split()[0] not in prompt_behind_summary(shown)]
    said = re.search(r"the first (\d+) messages condensed:", shown)
    assert int(said[1]) if said else not missing
    assert len(missing) == (int(said[1]) if said else 0)
    assert missing == earlier[: len(missing)], "the oldest are condensed"
    assert bool(made.update.get("summary")) is bool(missing)
    return (len(missing), len(earlier)) if missing else (0, 0)


def summary_lines_left_out(made: Fitted, shown: str) -> int:
    said = re.search(r"\((\d+) older lines left out\)", shown)
    summary = made.update.get("summary")
    assert (summary["dropped"] if summary else 0) == (int(said[1]) if said else 0)
    return int(said[1]) if said else 0


def prompt_behind_summary(shown: str) -> str:
    return shown.rpartition("(End of what was condensed.)")[2]


def passages_left_out(case: Case, rounds_gone: int, shown: str) -> tuple[int, int]:
    gone = hidden_calls(case, rounds_gone)
    there = [
        one
        for one, passage in zip(case.chunks, case.state["passages"], strict=True)
        if passage.get("call") not in gone
    ]
    missing = [one for one in there if one.text not in shown]
    said, _ = noted(shown, "passages")
    assert said == len(missing)
    return (len(missing), len(there)) if missing else (0, 0)


def hidden_calls(case: Case, rounds_gone: int) -> set[str]:
    rounds = sorted({one["round"] for one in case.state["tasks"]})[:rounds_gone]
    return {one["id"] for one in case.state["tasks"] if one["round"] in rounds}


def results_left_out(case: Case, rounds_gone: int, made: Fitted) -> tuple[int, int]:
    gone = hidden_calls(case, rounds_gone)
    tasks = {one["id"]: one for one in case.state["tasks"] if one["id"] not in gone}
    bodies = {one.id: one.body["text"] for one in case.results}
    given = {
        message.tool_call_id: message.text
        for message in made.prompt.messages
        if isinstance(message, ToolMessage)
    }
    assert given.keys() == tasks.keys()
    short = [
        call for call, one in tasks.items() if bodies[one["artifact"] or ""] not in given[call]
    ]
    for call in short:
        size = len(bodies[tasks[call]["artifact"] or ""])
        assert re.search(rf"\[the first \d+ of {size} characters; `reread`", given[call])
    return (len(short), len(tasks)) if short else (0, 0)


async def all_can_be_read_again(shown: str, bodies: Bodies) -> None:
    """Every reference in the prompt leads to the whole text."""
    tool = reread(bodies)
    context = cast(ToolContext, type("Context", (), {"thread_id": "t"})())
    for size, name in re.findall(
        r"of (\d+) characters[^\"]*?`reread` with reference \"(\w{8})\"", shown
    ):
        text, part, parts = "", 1, 1
        while part <= parts:
            said = (await tool.run(RereadArguments(reference=name, part=part), context)).text
            head, _, body = said.partition("\n")
            parts = int(head.rstrip(":").split()[-1])
            text, part = text + body, part + 1
        assert len(text) == int(size)


def playing(asked: Asked) -> Say:
    """Answer; condense in words every other time, and fail with none the other."""
    if asked.body["messages"][0]["content"] == prompts.CONDENSE:
        return Say(text="- The user asked about a pump." if len(str(asked.body)) % 2 else "")
    return Say(text="It is two years.")


def served(url: str, context_tokens: int) -> OllamaExecutive:
    model = OllamaModel(
        name="qwen3:14b",
        size_bytes=0,
        parameters="14.8B",
        quantisation="Q4_K_M",
        capabilities=frozenset({"completion", "tools"}),
        trained_tokens=40_960,
    )
    return OllamaExecutive(model, url=url, version="0.33.3", context_tokens=context_tokens)


@pytest.mark.timeout(1_800)
async def test_prompts_of_any_size_are_answered_and_none_is_cut_without_a_word(
    serve: Serve,
) -> None:
    double = OllamaDouble(computed(playing))
    sizes = []
    async with serve(double) as url:
        executives = [served(url, size) for size in CONTEXTS]
        for number in range(DOUBLE_CASES):
            executive = executives[number % len(executives)]
            context = executive.profile.context_tokens
            case = drawn(number, context)
            made, events, bodies = await answered(executive, case)
            asked = double.asked[-1]
            assert asked.read_tokens == asked.prompt_tokens, f"case {number} was cut"
            assert asked.prompt_tokens + made.wish.max_tokens <= context
            assert made.wish.max_tokens >= LEAST_ANSWER_TOKENS
            await check(case, made, events, bodies)
            sizes.append(any(event["event"] == "left_out" for event in events))
            double.asked.clear()
    assert 0.3 * DOUBLE_CASES < sum(sizes) < 0.98 * DOUBLE_CASES, "both kinds were drawn"


class Brief:
    """An executive that is asked for a few tokens only, whatever was wished for."""

    def __init__(self, executive: Executive, *, tokens: int = 8) -> None:
        self._executive = executive
        self._tokens = tokens
        self.prompt_tokens = 0

    @property
    def profile(self) -> Profile:
        return self._executive.profile

    async def count(self, prompt: Prompt, wish: Wish, *, room: int | None = None) -> TokenCount:
        return await self._executive.count(prompt, wish, room=room)

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        self.prompt_tokens = (await self._executive.count(prompt, wish)).tokens
        async for part in self._executive.stream(prompt, replace(wish, max_tokens=self._tokens)):
            if isinstance(part, EndPart):
                assert part.prompt_tokens == self.prompt_tokens, "what was counted was read"
            yield part


def embedded(context_tokens: int) -> Iterator[LlamaCppExecutive]:
    """Load the embedded model as one with judgement, so that it is shown whole prompts."""
    header = replace(read_header(embedded_model()), size_bytes=2_000_000_000)
    executive = LlamaCppExecutive(header, context_tokens=context_tokens, tier="embedded")
    yield executive
    asyncio.run(executive.aclose())


@pytest.fixture(scope="module")
def small() -> Iterator[LlamaCppExecutive]:
    yield from embedded(REAL_CONTEXT)


@pytest.fixture(scope="module")
def large() -> Iterator[LlamaCppExecutive]:
    yield from embedded(LONG_CONTEXT)


@pytest.mark.timeout(7_200)
async def test_prompts_of_real_tokens_fit_and_what_was_counted_is_read(
    small: LlamaCppExecutive,
) -> None:
    for number in range(REAL_CASES):
        case = drawn(number, REAL_CONTEXT)
        brief = Brief(small) if number % 2 else Unsure(small)
        made, events, bodies = await answered(brief, case)
        assert 0 < brief.prompt_tokens <= REAL_CONTEXT - made.wish.max_tokens
        assert made.wish.max_tokens >= LEAST_ANSWER_TOKENS
        await check(case, made, events, bodies)


def turn(question: str, history: Sequence[str], **parts: Any) -> TurnState:
    made = state(random.Random(0), question=question, history=history, chunks=[], results=[])
    return cast(TurnState, {**made, **parts})


async def asked(executive: Executive, given: TurnState, case: Case) -> tuple[Fitted, EndPart]:
    step, _ = step_of(executive, case, [])
    wish = Wish(tools=TOOLS, max_tokens=ANSWER_TOKENS, may_be_cut=True)
    made = await view.fitted(given, step, await view.opened(given, step), wish)
    reply = await ask(executive, made.prompt, made.wish, lambda _: None)
    return made, reply.end


async def test_a_second_round_evaluates_only_what_was_added(large: LlamaCppExecutive) -> None:
    chunks = [chunk(at, SPOKEN[0] * 3) for at in (1, 2, 3)]
    found = [result("00000001", "Found the passages [2] [3].")]
    case = Case(state=turn("How long?", []), chunks=chunks, results=found)
    before = [{"chunk": 1, "score": 0.9}, {"chunk": 2, "score": 0.5}]
    executive = Brief(large, tokens=8)
    first = turn("How long?", ["What is it?", "A pump."], passages=before)
    _, one = await asked(executive, first, case)
    after = [*before, {"chunk": 3, "score": 0.0, "call": "call-0"}]
    second = turn(
        "How long?",
        ["What is it?", "A pump."],
        passages=after,
        tasks=[task(0, 1, found[0].id)],
    )
    made, two = await asked(executive, second, case)

    assert "[3] Title 3" in made.prompt.messages[-1].text
    assert two.cached_tokens >= one.prompt_tokens - 1
    assert two.prompt_tokens - two.cached_tokens <= two.prompt_tokens - one.prompt_tokens + 1


async def test_a_second_turn_evaluates_again_only_from_the_last_turn_on(
    large: LlamaCppExecutive,
) -> None:
    history = ["What is it?", "A pump. " * 30, "Who made it?", "Lindner made it. " * 30]
    chunks = [chunk(at, SPOKEN[0] * 3) for at in (1, 2, 3)]
    case = Case(state=turn("How long?", []), chunks=chunks, results=[])
    passages = [{"chunk": 1, "score": 0.9}, {"chunk": 2, "score": 0.5}]
    executive = Brief(large, tokens=8)
    made, _ = await asked(executive, turn("How long?", history, passages=passages), case)
    longer = [*history, "How long?", "Two years."]
    other = [{"chunk": 3, "score": 0.9}]
    _, two = await asked(executive, turn("And the filter?", longer, passages=other), case)

    kept = Prompt(system=made.prompt.system, messages=made.prompt.messages[:-1])
    bare = Prompt(system=made.prompt.system, messages=())
    spared = (await large.count(kept, made.wish)).tokens
    assert spared > (await large.count(bare, made.wish)).tokens + 200
    # A count has the beginning of the answer's turn at its end.
    assert two.cached_tokens >= spared - 4


async def test_a_turn_behind_one_that_is_kept_evaluates_nothing_before_its_answer(
    large: LlamaCppExecutive,
) -> None:
    history = ["What is it?", "A pump. " * 30]
    chunks = [chunk(at, SPOKEN[0] * 3) for at in (1, 2, 3)]
    case = Case(state=turn("How long?", []), chunks=chunks, results=[])
    passages = [{"chunk": 1, "score": 0.9}, {"chunk": 2, "score": 0.5}]
    executive = Brief(large, tokens=8)
    first = turn("How long?", history, passages=passages)
    _, one = await asked(executive, first, case)
    asking = str(first["messages"][-1].id)
    kept = {"question": asking, "asked": "How long?", "passages": 2, "above": [], "tasks": []}
    stay = [{**passage, "earlier": True} for passage in passages]
    second = turn(
        "And the filter?",
        [*history, "How long?", "Two years."],
        passages=[*stay, {"chunk": 3, "score": 0.9}],
        kept=[{**kept, "tokens": one.prompt_tokens + one.answer_tokens}],
    )
    _, two = await asked(executive, second, case)
    assert two.cached_tokens >= one.prompt_tokens - 1
    assert two.prompt_tokens > one.prompt_tokens + 40


@pytest.mark.skipif(not TURNS, reason="CORTICAL_TEST_FITTING_TURNS is not set")
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("judgement", [True, False])
async def test_a_long_conversation_goes_on_and_its_summary_stays_small(
    large: LlamaCppExecutive,
    judgement: bool,
) -> None:
    executive = Brief(large, tokens=64) if judgement else Unsure(large)
    messages: list[AnyMessage] = []
    kept: dict[str, Any] = {}
    condensed = 0
    for number in range(TURNS):
        chance = random.Random(number)
        chunks = [chunk(at, text(chance, 400)) for at in range(1, 4)]
        passages = [{"chunk": at, "score": 1 / at} for at in range(1, 4)]
        question = f"Question {number}: {text(chance, chance.choice((40, 200, 3_000)))}"
        given = turn(question, [], passages=passages)
        given["messages"] = [*messages, HumanMessage(question, id=f"q{number}")]
        given = cast(TurnState, {**given, **kept})
        case = Case(state=given, chunks=chunks, results=[])
        made, end = await asked(executive, given, case)
        assert end.prompt_tokens + end.answer_tokens <= LONG_CONTEXT
        if "summary" in made.update:
            kept, condensed = made.update, condensed + 1
            small_enough(kept["summary"], covers=2 * number)
        said = text(chance, 300)
        messages += [
            view.labelled(HumanMessage(question, id=f"q{number}"), USER_LABEL),
            view.labelled(AIMessage(said, id=f"a{number}"), USER_LABEL.join(DOCUMENT)),
        ]
    assert condensed > TURNS // 10
    assert Origin.DOCUMENT in Label.from_json(kept["summary"]["label"]).origins


def small_enough(summary: Mapping[str, Any], *, covers: int) -> None:
    assert 0 < summary["covers"] <= covers
    assert len(summary["text"].encode()) <= 3 * room(LONG_CONTEXT)
    assert summary["lines"] == len(summary["text"].splitlines())


class Unsure(Brief):
    """The same model, whose judgement is not relied on: old turns are condensed by the engine."""

    def __init__(self, executive: Executive) -> None:
        super().__init__(executive, tokens=12)

    @property
    def profile(self) -> Profile:
        return replace(self._executive.profile, judgement=False)
