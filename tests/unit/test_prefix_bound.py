"""What no layout can spare, and the figures that are made of it."""

import pytest

from agent.bench.prefix import report
from agent.bench.prefix.bound import Need, Template, least, shown_again
from agent.bench.prefix.steered import Took
from agent.errors import AgentError

SYSTEM, FIRST, SECOND, THIRD = (1, 2, 3), (10, 11, 12, 13), (20, 21), (30, 31, 32)
ANSWER = (90, 91, 92, 93, 94)
BARE = Template(closing=0, opening=0)


def need(*texts: tuple[int, ...], wrote: tuple[tuple[int, ...], ...] = ()) -> Need:
    return Need(texts=texts, wrote=wrote)


def took(prompt: int, cached: int, first_s: float = 0.1, *, refused: bool = False) -> Took:
    return Took(
        prompt_tokens=prompt,
        cached_tokens=cached,
        answer_tokens=5,
        first_token_s=first_s,
        seconds=2 * first_s,
        refused=refused,
    )


def test_a_text_counts_once_however_often_it_is_shown() -> None:
    needs = [need(SYSTEM, FIRST), need(SYSTEM, FIRST, SECOND), need(SYSTEM, FIRST, SECOND)]
    assert least(needs, BARE) == [3 + 4, 2, 0]


def test_a_text_that_stands_twice_in_one_request_counts_once() -> None:
    assert least([need(SYSTEM, FIRST, FIRST)], BARE) == [3 + 4]


def test_the_end_of_the_turn_is_evaluated_with_every_request() -> None:
    assert least([need(SYSTEM), need(SYSTEM)], Template(closing=6, opening=4)) == [3 + 6, 6]


def test_a_turn_that_goes_on_is_opened_too() -> None:
    needs = [need(SYSTEM), Need(texts=(SYSTEM, FIRST), goes_on=True)]
    assert least(needs, Template(closing=6, opening=4)) == [3 + 6, 4 + 6 + 4]


def test_a_text_is_named_once_when_it_comes() -> None:
    named = Need(texts=(SYSTEM, FIRST), marks=((FIRST, 3), (SECOND, 3)))
    assert least([named, named], BARE) == [7 + 3, 0]


def test_what_the_model_wrote_itself_is_in_the_cache() -> None:
    needs = [need(SYSTEM, FIRST, wrote=(ANSWER,)), need(SYSTEM, FIRST, ANSWER, SECOND)]
    assert least(needs, BARE) == [7, 2]


def test_where_a_new_text_takes_the_place_of_an_old_one_they_may_begin_alike() -> None:
    like_first = (10, 11, 40, 41)
    assert least([need(SYSTEM, FIRST), need(SYSTEM, like_first)], BARE) == [7, 2]


def test_an_old_text_that_is_still_needed_gives_up_its_place_to_none() -> None:
    like_first = (10, 11, 40, 41)
    assert least([need(FIRST), need(FIRST, like_first)], BARE) == [4, 4]


def test_both_sequences_go_on_alike_at_one_place_only() -> None:
    like_first, like_third = (10, 11, 40), (30, 31, 41)
    needs = [need(FIRST, THIRD), need(like_first, like_third)]
    assert least(needs, BARE) == [7, 6 - 2]


def test_what_comes_back_into_view_is_told_apart() -> None:
    needs = [need(SYSTEM, FIRST), need(SYSTEM, SECOND), need(SYSTEM, FIRST)]
    assert least(needs, BARE) == [7, 2, 0]
    assert shown_again(needs) == len(FIRST)
    assert shown_again(needs[:2]) == 0


def test_an_answer_that_is_shown_on_does_not_come_back() -> None:
    needs = [need(SYSTEM, wrote=(ANSWER,)), need(SYSTEM, ANSWER)]
    assert shown_again(needs) == 0


def test_figures_tell_what_was_evaluated_beyond_the_least() -> None:
    groups = [[took(100, 0, 0.2), took(130, 90, 0.1)], [took(150, 120, 0.3)]]
    told = report.figures(groups, least=150)
    assert told["requests"] == 3
    assert told["prompt_tokens"] == 380
    assert told["evaluated_tokens"] == 100 + 40 + 30
    assert told["again_tokens"] == 20
    assert told["times_least"] == pytest.approx(170 / 150, abs=1e-3)
    assert told["first_token_ms"] == {"p50": 200.0, "p95": 300.0}
    # The answer of the first question waits for the whole request before it.
    assert told["answer_begins_ms"] == {"p50": 300.0, "p95": 500.0}


def test_a_prompt_that_does_not_fit_is_told_and_spoils_no_figure() -> None:
    groups = [[took(100, 0), took(120, 90)], [took(9_000, 0, 0.0, refused=True)]]
    told = report.figures(groups, least=100)
    assert (told["requests"], told["refused"]) == (3, 1)
    assert told["evaluated_tokens"] == 130
    assert told["first_token_ms"]["p50"] == 100.0


@pytest.mark.parametrize(
    ("groups", "least_tokens"),
    [
        ([], 10),
        ([[]], 10),
        ([[took(100, 0, refused=True)]], 10),
        ([[took(100, 0), took(100, 0)]], 10),
        ([[took(100, 0), took(100, 90)]], 0),
    ],
    ids=["nothing", "no request", "all refused", "no cache told", "nothing needed"],
)
def test_a_benchmark_that_measured_nothing_is_void(
    groups: list[list[Took]], least_tokens: int
) -> None:
    with pytest.raises(AgentError, match="void"):
        report.figures(groups, least_tokens)


def test_layouts_are_compared_by_how_much_sooner_they_begin() -> None:
    ours = report.figures([[took(100, 0, 0.1), took(100, 90, 0.1)]], 100)
    theirs = report.figures([[took(200, 0, 0.3), took(200, 20, 0.3)]], 100)
    times = report.compared({report.OURS: ours, "peer": theirs})["peer"]
    assert times["first_token_p50"] == 3.0
    assert times["evaluated_tokens"] == pytest.approx(380 / 110, abs=0.01)
