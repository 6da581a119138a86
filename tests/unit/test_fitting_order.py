"""What is given up first, and how little of it."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from graphs.fitting.layout import laid_out
from graphs.fitting.order import LEAST_ANSWER_TOKENS, LEAST_PASSAGES, Rules, given_up
from graphs.fitting.parts import (
    RESULT_CHARACTERS,
    Cuts,
    Earlier,
    Parts,
    Result,
    Shown,
    Whole,
    omissions,
    text_id,
)
from graphs.fitting.summary import bounded, extracted, room, summed_up
from graphs.state import Summary
from memory.labels import USER_LABEL, Label, Origin

WEB = Label(origins=frozenset({Origin.WEB}))
RULES = Rules(answer_tokens=700, page=1_000, too_large={})


def shown(number: int, rank: int) -> Shown:
    return Shown(number=number, text=f"[{number}] Title\nText {number}.", rank=rank)


def result(name: str, size: int, passages: tuple[Shown, ...] = ()) -> Result:
    return Result(
        call=name,
        name="look",
        arguments={},
        text="x" * min(size, RESULT_CHARACTERS),
        characters=size,
        artifact=f"{name * 8}-0000",
        passages=passages,
    )


def earlier(*texts: str, label: Label = USER_LABEL) -> tuple[Earlier, ...]:
    messages: list[AnyMessage] = [
        AIMessage(text, id=str(at)) if at % 2 else HumanMessage(text, id=str(at))
        for at, text in enumerate(texts)
    ]
    return tuple(Earlier(message=one, label=label) for one in messages)


def parts(**more: Any) -> Parts:
    plain: dict[str, Any] = {
        "thread_id": "t",
        "system": "Be brief.",
        "earlier": earlier("a", "b", "c", "d", "e", "f"),
        "summary": None,
        "passages": tuple(shown(number, number - 1) for number in range(1, 5)),
        "question": "Why?",
        "asked_by": USER_LABEL,
        "rounds": ((result("a", 4_000),), (result("b", 500), result("c", 9_000))),
        "tools": 3,
    }
    return Parts(**{**plain, **more})


def test_results_go_first_then_old_turns_then_passages_then_room_then_the_rest() -> None:
    steps = list(given_up(parts(), RULES))
    order = [
        next(name for name in ORDER if ORDER[name](step, before))
        for before, step in itertools.pairwise(steps)
    ]
    assert list(dict.fromkeys(order)) == [
        "results",
        "turns",
        "passages",
        "answer",
        "last turn",
        "other passages",
        "heads",
        "rounds",
        "tools",
    ]


ORDER: dict[str, Callable[[Cuts, Cuts], bool]] = {
    "results": lambda new, old: (
        len(new.results) > len(old.results)
        and 300 not in old.results.values()
        and max(new.results.values()) > 300
    ),
    "turns": lambda new, old: old.condensed < new.condensed < 6,
    "last turn": lambda new, old: old.condensed < new.condensed == 6,
    "passages": lambda new, old: len(new.passages) > len(old.passages) and new.answer_tokens == 700,
    "other passages": lambda new, old: len(new.passages) > len(old.passages),
    "answer": lambda new, old: new.answer_tokens < old.answer_tokens,
    "heads": lambda new, old: new.results != old.results,
    "rounds": lambda new, old: new.rounds > old.rounds,
    "tools": lambda new, old: new.tools and not old.tools,
}


def test_each_step_gives_up_what_the_one_before_did() -> None:
    steps = list(given_up(parts(), RULES))
    for old, new in itertools.pairwise(steps):
        assert old.passages <= new.passages
        assert old.results.keys() <= new.results.keys()
        assert old.condensed <= new.condensed
        assert old.answer_tokens >= new.answer_tokens >= LEAST_ANSWER_TOKENS
        assert old.rounds <= new.rounds


def test_the_oldest_large_result_becomes_a_head_first_and_a_small_one_stays() -> None:
    first, second = [step for step in given_up(parts(), RULES) if step.results][:2]
    assert first.results == {"a": 1_000}
    assert second.results == {"a": 1_000, "c": 1_000}


def test_the_lowest_rank_of_any_search_goes_first_and_the_best_stay() -> None:
    found = (shown(5, 0), shown(6, 1))
    given = parts(earlier=(), rounds=((result("a", 10, found),),))
    gone: list[set[int]] = [set(step.passages) for step in given_up(given, RULES) if step.passages]
    assert [min(new - old) for old, new in zip([set(), *gone], gone[:4], strict=False)] == [
        4,
        3,
        2,
        6,
    ]
    kept = [step for step in given_up(given, RULES) if len(step.passages) == 6 - LEAST_PASSAGES]
    assert kept[0].passages == {4, 3, 2, 6}
    assert kept[-1].answer_tokens == LEAST_ANSWER_TOKENS


def test_an_answer_that_was_wished_short_keeps_its_room() -> None:
    rules = replace(RULES, answer_tokens=50)
    assert {step.answer_tokens for step in given_up(parts(), rules)} == {50}


def test_a_head_is_said_with_its_size_and_its_reference() -> None:
    cuts = Cuts(answer_tokens=1, results={"a": 1_000})
    prompt = laid_out(parts(), cuts)
    assert prompt.messages[8].text == (
        "x" * 1_000
        + '\n[the first 1000 of 4000 characters; `reread` with reference "aaaaaaaa" gives the rest]'
    )


def test_of_a_huge_result_a_prompt_of_any_size_shows_the_head_and_says_so() -> None:
    """Also where it stands in a turn before, and where more of it is given up."""
    huge = result("a", RESULT_CHARACTERS + 5)
    whole = Whole(at=0, asked="a", passages=(), above=(), rounds=((huge,),), answers=())
    made = parts(rounds=((huge, result("b", 500)),), wholes=(whole,))
    cuts = Cuts(answer_tokens=1)
    said = f"\n[the first {RESULT_CHARACTERS} of {RESULT_CHARACTERS + 5} characters; `reread` with"
    shown = [one.text for one in laid_out(made, cuts).messages if "reread" in one.text]
    assert [text.startswith("x" * RESULT_CHARACTERS + said) for text in shown] == [True, True]
    told = [(one.what, one.count, one.of) for one in omissions(made, cuts)]
    assert told == [("ends of results", 1, 2), ("ends of results of earlier turns", 1, 1)]
    less = laid_out(made, Cuts(answer_tokens=1, results={"a": 300}))
    assert any(f"[the first 300 of {RESULT_CHARACTERS + 5} ch" in m.text for m in less.messages)


def test_a_question_that_is_too_large_is_shown_by_its_head_and_its_tail() -> None:
    given = parts(question="begin" + "x" * 990 + "end")
    cuts = Cuts(answer_tokens=1, texts={"question": 400})
    asked = laid_out(given, cuts).messages[6].text
    reference = text_id("t", given.question)[:8]
    assert "Question: beginxxx" in asked
    assert asked.endswith(f'reference "{reference}" gives them]\n{"x" * 97}end')
    (said,) = omissions(given, cuts)
    assert (said.what, said.count, said.of) == ("characters of the question", 598, 998)


def test_a_summary_stands_before_the_first_message_in_the_same_words_each_turn() -> None:
    summary = Summary(text="- So.", covers=2, last="1", lines=1, dropped=0, label={})
    now = laid_out(parts(summary=summary), Cuts(answer_tokens=1, condensed=2))
    longer = parts(summary=summary, earlier=earlier(*"abcdefgh"))
    later = laid_out(longer, Cuts(answer_tokens=1, condensed=2))
    assert now.messages[0].text == (
        "(Earlier in this conversation, the first 2 messages condensed:)\n- So.\n"
        "(End of what was condensed.)\n\nc"
    )
    assert later.messages[:4] == now.messages[:4]


def test_a_later_round_only_adds_behind_the_end() -> None:
    first = parts(rounds=parts().rounds[:1])
    cuts = Cuts(answer_tokens=1)
    before, after = laid_out(first, cuts), laid_out(parts(), cuts)
    assert after.messages[: len(before.messages)] == before.messages


def test_of_each_turn_a_summary_keeps_the_question_and_the_first_sentence_of_the_answer() -> None:
    lines = extracted(earlier("How long is it?", "Two years. It begins in May."))
    assert lines == ["- The user: How long is it?", "- Answer: Two years."]


def test_a_summary_has_its_bound_and_says_how_many_lines_it_dropped() -> None:
    older = summed_up(["- one", "- two"], None, earlier("a", "b", label=WEB), 96)
    assert (older["covers"], older["last"], older["dropped"]) == (2, "1", 0)
    lines = [*older["text"].splitlines(), *(f"- line {number} {'x' * 60}" for number in range(9))]
    newer = summed_up(lines, older, earlier(*"abcd"), 96)
    assert newer["lines"] + newer["dropped"] == len(lines)
    assert newer["text"].splitlines() == lines[-newer["lines"] :]
    assert len(newer["text"].encode()) <= 3 * 96
    assert Label.from_json(newer["label"]).origins == {Origin.WEB, Origin.USER}


@pytest.mark.parametrize("line", ["x" * 5_000, "保" * 3_000])
def test_a_line_longer_than_a_summary_is_kept_in_part(line: str) -> None:
    kept = bounded(["- old", line, line], room(2_048))
    assert len(kept) == 3
    assert len("\n".join(kept).encode()) <= 3 * room(2_048)
    assert [one.endswith("…") for one in kept] == [False, True, True]
