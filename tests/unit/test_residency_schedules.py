"""Random schedules on the simulated card, and days of work beside other policies."""

import copy
import json
from pathlib import Path

import pytest

from agent.bench.residency import day, measure
from agent.errors import UsageError
from agent.residency.arbiter import events
from agent.residency.arbiter.decide import decide
from agent.residency.arbiter.effects import Effect
from agent.residency.arbiter.limits import MIB
from agent.residency.arbiter.state import CardState
from agent.residency.simulation import runs, schedules
from agent.residency.simulation.card import Owner, SimulatedCard
from agent.residency.simulation.clock import VirtualClock
from agent.residency.simulation.plan import plan


def test_hundreds_of_random_schedules_keep_every_rule() -> None:
    total = runs.many(0, 150)
    assert total.good, total
    assert total.granted > 2_500
    assert total.excused, "no other program ever took more than the safety: the test is too mild"


def test_while_other_programs_grow_within_the_safety_nothing_ever_fails_to_fit() -> None:
    gentle = [seed for seed in range(400, 500) if plan(seed).gentle]
    assert len(gentle) > 40
    assert not any(runs.one(seed)[0].out_of_memory for seed in gentle)


def test_a_decision_changes_nothing_but_its_result_and_is_the_same_each_time() -> None:
    def watched(state: CardState, event: events.Event) -> tuple[CardState, tuple[Effect, ...]]:
        before = copy.deepcopy(state)
        result = decide(state, event)
        assert state == before
        assert decide(state, event) == result
        return result

    for seed in range(5):
        runs.one(seed, decide=watched)


def test_a_schedule_is_the_same_each_time() -> None:
    assert runs.one(7) == runs.one(7)


def test_no_schedules_are_not_good() -> None:
    assert not runs.Sum().good


def test_the_report_of_schedules_names_what_went_wrong() -> None:
    report = {
        **dict.fromkeys(runs._COUNTED, 0),
        "rules": {"budget": 3},
        "seeds": [5],
        "longest_wait_s": 1.0,
        "most_passed": 0,
        "took_s": 1.0,
        "processes": 1,
    }
    told = "\n".join(schedules.lines(report))
    assert "rule 'budget' broken 3 times" in told
    assert "5" in told.splitlines()[-1]


def test_the_clock_calls_in_the_order_of_times_and_then_of_putting_down() -> None:
    clock = VirtualClock()
    called: list[str] = []
    clock.at(2, lambda: called.append("later"))
    clock.at(1, lambda: called.append("first"))
    clock.at(1, lambda: called.append("second"))
    clock.run(1.5)
    assert (called, clock.now) == (["first", "second"], 1)


def test_the_card_holds_no_more_than_fits() -> None:
    card = SimulatedCard(100 * MIB)
    assert card.take("a", Owner.WORKER, 70 * MIB)
    assert not card.take("b", Owner.EXECUTIVE, 31 * MIB)
    card.give("a", left_bytes=20 * MIB)
    assert (card.own_bytes, card.free_bytes) == (20 * MIB, 80 * MIB)


@pytest.fixture(scope="module")
def report() -> dict[str, object]:
    return measure.measure([], seed=3, watch=lambda _event: None)


def test_on_a_day_of_work_the_executive_stays_and_the_trace_is_proved(
    report: dict[str, list[dict[str, object]]],
) -> None:
    ours = [row for row in report["rows"] if str(row["policy"]).startswith(measure.OURS)]
    assert len(ours) == 6
    assert all(row["verdict"] == "proved" and row["reloads_in_turn"] == 0 for row in ours)
    assert all(row["out_of_memory"] == 0 and row["unfinished"] == 0 for row in ours)


def test_every_policy_ends_the_same_work(report: dict[str, list[dict[str, object]]]) -> None:
    assert {row["turns"] for row in report["rows"]} == {60}
    assert not any(row["unfinished"] for row in report["rows"])


def test_far_fewer_bytes_are_moved_than_by_load_and_free(
    report: dict[str, list[dict[str, float]]],
) -> None:
    assert all(goal["moved_of_load_and_free"] < 1 / 3 for goal in report["goals"])


def test_the_table_says_what_was_assumed(report: dict[str, object]) -> None:
    told = measure.lines(report)
    assert any("1,500 tokens/s" in line for line in told)
    assert sum("llama-swap" in line for line in told) >= 3


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "is empty"),
        (['{"foreign": []}'], "holds no job"),
        (['{"seed": 1}'], "Line 1"),
        (['{"foreign": []}', "{"], "Line 2"),
        (['{"foreign": []}', json.dumps({"at_s": 1, "kind": "x", "steps": []})], "Line 2"),
        (
            [
                '{"foreign": []}',
                '{"at_s": 1, "kind": "x", "person_waits": true, "steps": [{"do": "smell"}]}',
            ],
            "smell",
        ),
    ],
)
def test_a_file_that_is_no_day_is_an_error(texts: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        day.parse(texts, "the day")


def test_a_day_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        day.read(tmp_path / "none")
