"""The benchmark of calls: requests whose right call is known, and counts that can be wrong."""

import json
from collections import Counter

import pytest

from agent.bench.calls import measure
from agent.bench.calls.asking import bare, bound, described, naive
from agent.bench.calls.requests import Request, generated
from agent.bench.calls.tools import TOOLS
from agent.errors import AgentError
from agent.testing import Scripted, ScriptedExecutive, ScriptedReply
from graphs.executive import CallPart
from tools.registry import Toolbox

BOX = Toolbox(TOOLS)
TIMER = Request(text="Time it: 5 minutes.", tool="set_timer", arguments={"minutes": 5})


def call(name: str, **arguments: object) -> ScriptedReply:
    return ScriptedReply(calls=(CallPart(id="c", name=name, arguments=arguments),))


def test_requests_are_distinct_over_all_tools_and_the_same_for_a_seed() -> None:
    made = generated(500, seed=0)
    assert made == generated(500, seed=0)
    assert made != generated(500, seed=1)
    assert len({one.text for one in made}) == 500
    assert Counter(one.tool for one in made) == {tool.name: 50 for tool in TOOLS}


def test_the_right_call_of_every_request_is_valid_and_stands_in_its_words() -> None:
    for one in generated(500, seed=3):
        BOX.validate(one.tool, dict(one.arguments))
        for value in _words(one.arguments):
            assert value.casefold() in one.text.casefold()


def _words(arguments: object) -> list[str]:
    if isinstance(arguments, dict):
        inner = [one for name, one in arguments.items() if name not in ("shuffle", "list_name")]
        return [word for one in inner for word in _words(one)]
    if isinstance(arguments, list):
        return [word for one in arguments for word in _words(one)]
    return [str(arguments)]


def test_more_requests_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="ask for fewer"):
        generated(50_000, seed=0)


async def scored(*script: Scripted) -> dict[str, measure.Score]:
    executive = ScriptedExecutive(script)
    found = await measure.scored(executive, [TIMER], watch=lambda _: None)
    assert not executive.left
    return found


async def test_valid_right_tool_and_right_arguments_are_counted_apart() -> None:
    words = "I cannot do that."
    right = (await scored(call("set_timer", minutes=5), words))["engine"]
    assert (right.valid, right.tool, right.right) == (1, 1, 1)
    other = (await scored(call("set_timer", minutes=6), words))["engine"]
    assert (other.valid, other.tool, other.right) == (1, 1, 0)
    wrong = (await scored(call("play_music", artist="Queen"), words))["engine"]
    assert (wrong.valid, wrong.tool, wrong.right) == (1, 0, 0)


async def test_the_engine_asks_again_at_most_twice_and_tells_why() -> None:
    executive = ScriptedExecutive(
        [call("set_timer"), call("set_timer", minutes=0), call("set_timer", minutes=700)]
    )
    called = await bound(executive, BOX, TIMER.text)
    assert not called.valid
    assert called.asked == 3
    assert "minutes: Field required" in str(executive.asked[1][0].messages[-1].content)
    assert all(wish.must_call for _, wish in executive.asked)


async def test_a_bare_chat_offers_the_same_tools_in_words_only() -> None:
    answer = '{"name": "set_timer", "arguments": {"minutes": "5"}}'
    executive = ScriptedExecutive([f"Sure!\n```json\n{answer}\n```"])
    called = await bare(executive, BOX, TIMER.text)
    prompt, wish = executive.asked[0]
    assert called.valid
    assert called.tool == "set_timer"
    assert wish.tools == ()
    assert not wish.must_call
    assert all(json.dumps(tool.parameters) in prompt.system for tool in BOX.specs())
    assert prompt.system == described(BOX.specs())


@pytest.mark.parametrize(
    "text",
    [
        "I set a timer.",
        '{"name": "set_timer"}',
        '{"name": "set_timer", "arguments": {"minutes": "soon"}}',
        '{"name": "timer", "arguments": {"minutes": 5}}',
        '{"name": "set_timer", "arguments": {"minutes": 5}',
        '{"name": ["set_timer"], "arguments": {}}',
        "[]",
    ],
)
def test_what_a_client_cannot_use_is_no_valid_call(text: str) -> None:
    assert not naive(text, BOX).valid


async def test_a_benchmark_without_requests_is_void() -> None:
    with pytest.raises(AgentError, match="void"):
        await measure.scored(ScriptedExecutive([]), [], watch=lambda _: None)


def test_words_are_the_same_but_for_case_and_final_point_and_numbers_are_exact() -> None:
    assert measure.same({"to": "Ann", "text": "See you."}, {"to": "ann", "text": "see you"})
    assert not measure.same({"to": "Ann"}, {"to": "Anna"})
    assert not measure.same({"minutes": 5}, {"minutes": 5.0})
    assert not measure.same({"shuffle": True}, {"shuffle": 1})
    assert not measure.same(["a", "b"], ["a"])


def test_the_interval_of_a_share_is_wilsons() -> None:
    assert measure.share(0, 10)["low"] == 0.0
    assert measure.share(500, 500)["high"] == 1.0
    assert measure.share(500, 500)["low"] == pytest.approx(0.9924, abs=1e-4)
    assert measure.share(50, 100)["low"] == pytest.approx(0.4038, abs=1e-4)


async def test_the_table_gives_both_ways_with_their_intervals() -> None:
    scores = await scored(call("set_timer", minutes=5), "Words.")
    told = {name: score.told() for name, score in scores.items()}
    lines = list(measure.lines({"model": "m", "tools": 10, "seed": 0, **told}))
    assert "engine" in lines[2]
    assert "100.0 %" in lines[2]
    assert "0.0 %" in lines[3]
