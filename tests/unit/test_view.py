"""What the executive is shown, and what is said to be left out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from agent.testing import PROFILE, ScriptedExecutive
from graphs import view
from graphs.context import Step
from graphs.executive import Prompt, TokenCount, Wish
from graphs.state import Summary, Task, TurnState
from memory.artifacts import Artifact
from memory.documents import Chunk, Document
from memory.labels import ENGINE_LABEL, USER_LABEL, Label, Origin
from memory.places import Place

NewStep = Callable[..., Step]
DOCUMENT = Label(origins=frozenset({Origin.DOCUMENT}))
WEB = Label(origins=frozenset({Origin.WEB}))
WISH = Wish(max_tokens=100)


def chunk(number: int, label: Label = DOCUMENT) -> Chunk:
    document = Document(
        id=number,
        collection="default",
        uri=f"file:///{number}",
        title=f"Title {number}",
        kind="text",
        language="en",
        label=label,
        modified_at=None,
    )
    return Chunk(
        id=number,
        document=document,
        ordinal=0,
        text=f"Text of passage {number}.",
        context="",
        place=Place(page=number),
        label=label,
    )


class Passages:
    """A recollection of these passages."""

    def __init__(self, *chunks: Chunk) -> None:
        self._chunks = {one.id: one for one in chunks}

    async def search(self, text: str, *, k: int, collections: Sequence[str]) -> list[Any]:
        raise AssertionError("nothing is searched here")

    async def chunks(self, ids: Sequence[int]) -> list[Chunk]:
        return [self._chunks[one] for one in ids if one in self._chunks]


class Words(ScriptedExecutive):
    """Counts a token for each word, with a context of so many."""

    def __init__(self, context_tokens: int) -> None:
        changed = {**{name: getattr(PROFILE, name) for name in PROFILE.__dataclass_fields__}}
        changed["context_tokens"] = context_tokens
        super().__init__([], profile=type(PROFILE)(**changed))

    async def count(self, prompt: Prompt, wish: Wish, *, room: int | None = None) -> TokenCount:
        texts = [prompt.system, *(message.text for message in prompt.messages)]
        return TokenCount(tokens=len(" ".join(texts).split()), exact=True)


def state(scores: Sequence[float] = (), **parts: Any) -> TurnState:
    """Return what the view needs of the state, with passages from 1 on."""
    plain = {
        "asked": "Why?",
        "asked_by": USER_LABEL.to_json(),
        "messages": [],
        "tasks": [],
        "passages": [
            {"chunk": number, "score": score} for number, score in enumerate(scores, start=1)
        ],
    }
    return cast(TurnState, {**plain, **parts})


def said(*texts: str) -> list[AnyMessage]:
    """Return a history of questions and answers by turns."""
    return [
        AIMessage(text, id=str(at)) if at % 2 else HumanMessage(text, id=str(at))
        for at, text in enumerate(texts)
    ]


async def laid_out(
    new_step: NewStep, given: TurnState, context_tokens: int = 10_000, **parts: Any
) -> tuple[Prompt, list[Any]]:
    events: list[Any] = []
    step = new_step(
        executive=Words(context_tokens),
        recollection=Passages(*(chunk(number) for number in range(1, 9))),
        events=events,
        **parts,
    )
    made = await view.fitted(given, step, await view.opened(given, step), WISH)
    return made.prompt, events


async def test_passages_stand_under_their_numbers_before_the_question(new_step: NewStep) -> None:
    prompt, events = await laid_out(new_step, state([0.2, 0.9]))
    assert prompt.messages[-1].text == (
        "Passages:\n\n[1] Title 1, page 1\nText of passage 1.\n\n"
        "[2] Title 2, page 2\nText of passage 2.\n\nQuestion: Why?"
    )
    assert events == []


async def test_without_passages_that_is_said(new_step: NewStep) -> None:
    prompt, _ = await laid_out(new_step, state())
    assert "(memory holds no passage on this)" in prompt.messages[-1].text


async def test_the_lowest_passages_are_left_out_first_and_said_to_be(new_step: NewStep) -> None:
    full, _ = await laid_out(new_step, state([0.5, 0.9, 0.1, 0.7]))
    tokens = (await Words(1).count(full, WISH)).tokens
    prompt, events = await laid_out(new_step, state([0.5, 0.9, 0.1, 0.7]), tokens + 100 - 1)
    shown = prompt.messages[-1].text
    assert [number for number in "1234" if f"[{number}]" in shown] == ["2", "4"]
    assert "(2 of 4 passages left out for want of room)" in shown
    assert events == [{"event": "left_out", "what": "passages", "count": 2, "of": 4}]


async def test_what_fits_to_the_last_token_is_left_whole(new_step: NewStep) -> None:
    full, _ = await laid_out(new_step, state([0.5, 0.9]))
    tokens = (await Words(1).count(full, WISH)).tokens
    prompt, events = await laid_out(new_step, state([0.5, 0.9]), tokens + WISH.max_tokens)
    assert prompt == full
    assert events == []


async def test_a_prompt_that_can_never_fit_is_handed_on_without_passages(
    new_step: NewStep,
) -> None:
    prompt, events = await laid_out(new_step, state([0.5, 0.9]), 10)
    assert "(2 of 2 passages left out for want of room)" in prompt.messages[-1].text
    assert events[0]["count"] == 2


async def test_an_earlier_answer_loses_its_marks_and_keeps_its_code(new_step: NewStep) -> None:
    code = "```c\nint last = rows[1];\n```"
    answered = said("a", f"Take the last [1], `rows[1]`:\n\n{code}")
    prompt, _ = await laid_out(new_step, state(messages=answered))
    assert prompt.messages[1].text == f"Take the last, `rows[1]`:\n\n{code}"


async def test_this_turns_question_is_shown_once(new_step: NewStep) -> None:
    asked = [*said("a", "b"), HumanMessage("Why?", id="client"), HumanMessage("Why?", id="run:q")]
    prompt, _ = await laid_out(new_step, state(messages=asked))
    assert [message.text for message in prompt.messages[:-1]] == ["a", "b"]
    assert prompt.messages[-1].text.endswith("Question: Why?")


async def test_the_beginning_of_a_prompt_stays_the_same_from_turn_to_turn(
    new_step: NewStep,
) -> None:
    first, _ = await laid_out(new_step, state([0.5], messages=said("a", "b")))
    second, _ = await laid_out(
        new_step, state([0.1, 0.2], messages=said("a", "b", "Why?", "So."), asked="And?")
    )
    assert first.system == second.system
    assert second.messages[:2] == first.messages[:2]


def task(number: int, round_: int, artifact: str | None) -> Task:
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
        ok=None if artifact is None else True,
    )


def stored(name: str, label: Label = ENGINE_LABEL) -> Artifact:
    return Artifact(id=name, kind="result", body={"text": f"result {name}"}, label=label)


async def kept(step: Step, *artifacts: Artifact) -> None:
    for one in artifacts:
        await step.services.artifacts.put(
            one, thread_id="t", run_id="r", now=step.services.clock.now()
        )


async def test_calls_and_results_are_shown_in_rounds(new_step: NewStep) -> None:
    tasks = [task(1, 1, "a"), task(2, 1, "b"), task(3, 2, "c"), task(4, 3, None)]
    step = new_step(executive=Words(10_000), recollection=Passages())
    await kept(step, *(stored(name) for name in "abc"))
    given = state(tasks=tasks)
    made = await view.fitted(given, step, await view.opened(given, step), WISH)
    messages = made.prompt.messages[1:]
    assert [type(message) for message in messages] == [
        AIMessage,
        ToolMessage,
        ToolMessage,
        AIMessage,
        ToolMessage,
    ]
    calls = [
        call["id"]
        for message in messages
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    ]
    assert calls == ["call-1", "call-2", "call-3"]
    answered = [m.tool_call_id for m in messages if isinstance(m, ToolMessage)]
    assert answered == calls
    assert [m.text for m in messages if isinstance(m, ToolMessage)] == [
        "result a",
        "result b",
        "result c",
    ]


def test_a_result_that_is_gone_is_said_to_be() -> None:
    ((result,),) = view.worked([task(1, 1, "a")], {}, {})
    assert "no longer stored" in result.text


async def test_passages_that_a_call_found_stand_in_its_result_and_numbers_go_on(
    new_step: NewStep,
) -> None:
    step = new_step(
        executive=Words(10_000), recollection=Passages(*(chunk(number) for number in range(1, 5)))
    )
    before = state([0.9, 0.5])
    first = await view.fitted(before, step, await view.opened(before, step), WISH)
    await kept(step, replace(stored("a"), body={"text": "Found the passages [3]."}))
    found = [*before["passages"], {"chunk": 4, "score": 0.0, "call": "call-1"}]
    after = state(passages=found, tasks=[task(1, 1, "a")])
    second = await view.fitted(after, step, await view.opened(after, step), WISH)
    assert second.prompt.messages[:1] == first.prompt.messages
    assert second.prompt.messages[-1].text == (
        "Found the passages [3].\n\n[3] Title 4, page 4\nText of passage 4."
    )


async def label_of(new_step: NewStep, given: TurnState, *chunks: Chunk, **parts: Any) -> Label:
    step = new_step(recollection=Passages(*chunks), **parts)
    return (await view.opened(given, step)).label


async def test_the_label_joins_all_that_is_in_view(new_step: NewStep) -> None:
    assert not (await label_of(new_step, state())).outside
    assert (await label_of(new_step, state([0.1]), chunk(1))).origins == {
        Origin.USER,
        Origin.DOCUMENT,
    }
    heard = state(asked_by=Label(origins=frozenset({Origin.RECORDING})).to_json())
    assert (await label_of(new_step, heard)).outside


async def test_results_of_tools_are_in_view_with_their_labels(new_step: NewStep) -> None:
    step = new_step(recollection=Passages())
    await step.services.artifacts.put(
        stored("a", WEB), thread_id="t", run_id="r", now=step.services.clock.now()
    )
    seen = await view.opened(state(tasks=[task(1, 1, "a")]), step)
    assert Origin.WEB in seen.label.origins


async def test_an_answer_that_was_made_of_outside_words_is_outside_in_later_turns(
    new_step: NewStep,
) -> None:
    question = view.labelled(HumanMessage("a"), USER_LABEL)
    told = view.labelled(AIMessage("b", id="told"), USER_LABEL.join(WEB))
    inside = view.labelled(AIMessage("b"), USER_LABEL)
    assert not (await label_of(new_step, state(messages=[question, inside]))).outside
    assert Origin.WEB in (await label_of(new_step, state(messages=[question, told]))).origins
    assert (
        Origin.WEB
        in (
            await label_of(new_step, state(messages=[question, told], summary=summary(told, WEB)))
        ).origins
    )


def summary(last: AnyMessage, label: Label) -> Summary:
    return Summary(
        text="- b", covers=2, last=str(last.id), lines=1, dropped=0, label=label.to_json()
    )


async def test_of_a_chat_clients_messages_only_the_users_are_the_users(new_step: NewStep) -> None:
    assert not (await label_of(new_step, state(messages=[HumanMessage("a")]))).outside
    assert (await label_of(new_step, state(messages=[AIMessage("a")]))).outside


def second(**parts: Any) -> TurnState:
    """Return a second turn: the first is kept with passages 1 and 2, and 1 was found again."""
    plain = {
        "asked": "And then?",
        "messages": said("Why?", "So [2].", "And then?"),
        "kept": [
            {"question": "0", "asked": "Why?", "passages": 2, "above": [], "tasks": []}
            | {"tokens": 100}
        ],
        "passages": [
            {"chunk": 1, "score": 0.2, "earlier": True, "again": 0.6},
            {"chunk": 2, "score": 0.9, "earlier": True},
            {"chunk": 3, "score": 0.4},
        ],
    }
    return state(**(plain | parts))


async def test_an_earlier_turn_stands_as_it_was_letter_for_letter(new_step: NewStep) -> None:
    before, _ = await laid_out(new_step, state([0.2, 0.9], messages=said("Why?")))
    prompt, events = await laid_out(new_step, second())
    assert prompt.messages[: len(before.messages)] == before.messages
    assert prompt.messages[len(before.messages)].text == "So [2]."
    assert events == []


async def test_what_is_found_again_is_named_and_numbers_go_on(new_step: NewStep) -> None:
    prompt, _ = await laid_out(new_step, second())
    assert prompt.messages[-1].text == (
        "Passages:\n\n(found again, see above: [1])\n\n[3] Title 3, page 3\nText of passage 3.\n\n"
        "Question: And then?"
    )


async def test_a_result_of_an_earlier_turn_that_stands_in_full_keeps_its_label(
    new_step: NewStep,
) -> None:
    step = new_step(recollection=Passages(*(chunk(number) for number in range(1, 9))))
    await kept(step, stored("a", WEB))
    inside = [view.labelled(one, USER_LABEL) for one in said("Why?", "So [2].", "And then?")]
    given = second(messages=inside)
    assert Origin.WEB not in (await view.opened(given, step)).label.origins
    given["kept"][0]["tasks"] = [task(1, 1, "a")]
    assert Origin.WEB in (await view.opened(given, step)).label.origins


async def test_where_there_is_no_room_earlier_turns_become_question_and_answer_at_once(
    new_step: NewStep,
) -> None:
    whole, _ = await laid_out(new_step, second())
    tokens = (await Words(1).count(whole, WISH)).tokens
    events: list[Any] = []
    step = new_step(
        executive=Words(tokens + WISH.max_tokens - 1),
        recollection=Passages(*(chunk(number) for number in range(1, 9))),
        events=events,
    )
    given = second()
    made = await view.fitted(given, step, await view.opened(given, step), WISH)
    assert [message.text for message in made.prompt.messages[:2]] == ["Why?", "So."]
    shown = made.prompt.messages[-1].text
    assert [number for number in "123" if f"[{number}] Title" in shown] == ["1", "3"]
    assert made.update == {"kept": []}
    assert events == [{"event": "left_out", "what": "earlier turns in full", "count": 1, "of": 1}]
    # The next ask of the turn shows the same, also where there would be room again.
    again, _ = await laid_out(new_step, cast(TurnState, {**given, **made.update}))
    assert again == made.prompt


async def test_what_a_call_found_again_comes_back_where_earlier_turns_go(new_step: NewStep) -> None:
    passages = second()["passages"]
    passages[1] = {**passages[1], "recalled": True}
    prompt, _ = await laid_out(new_step, second(passages=passages))
    assert "see above: [1])" in prompt.messages[-1].text
    prompt, _ = await laid_out(new_step, second(passages=passages, kept=[]))
    assert all(f"[{number}] Title" in prompt.messages[-1].text for number in (1, 2, 3))


async def test_a_history_that_a_client_has_changed_is_shown_as_it_is_now(new_step: NewStep) -> None:
    prompt, _ = await laid_out(new_step, second(messages=said("Else?", "No [1].")[:0]))
    assert "[1] Title 1" in prompt.messages[-1].text
    assert len(prompt.messages) == 1


async def test_marks_of_answers_whose_passages_are_not_shown_are_left_out(
    new_step: NewStep,
) -> None:
    history = said("Is x[1] meant [2]?", "So it is [2].", "And then?")
    prompt, _ = await laid_out(new_step, state([0.2], messages=history, asked="And then?"))
    texts = [message.text for message in prompt.messages[:2]]
    assert texts == ["Is x[1] meant [2]?", "So it is."]


async def test_a_passage_that_is_gone_takes_no_number_from_the_others(new_step: NewStep) -> None:
    given = state(passages=[{"chunk": 1, "score": 0.9}, {"chunk": 99, "score": 0.8}])
    given["passages"].append({"chunk": 2, "score": 0.7})
    prompt, _ = await laid_out(new_step, given)
    shown = prompt.messages[-1].text
    assert "[2] (this passage is no longer stored)" in shown
    assert "[3] Title 2, page 2" in shown
