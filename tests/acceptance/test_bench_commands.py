"""Benchmarks as a user runs them."""

from typing import Any

from agent.bench import conversation


def test_what_the_engine_adds_is_told_for_a_step_a_turn_and_a_model_call(user: Any) -> None:
    report = user.json("bench", "overhead", "--steps", "20", "--rounds", "3")

    assert (report["steps"], report["rounds"]) == (20, 3)
    for kind in ("langgraph", "cortical"):
        assert 0 < report[kind]["ms_per_step_min"] <= report[kind]["ms_per_step"]
        assert report[kind]["statements_per_step"] > 1
    assert report["added"]["prompt_tokens"] > 0
    assert 0 < report["turn"]["sql_ms"] < report["turn"]["ms"]
    for way in ("double", "in process"):
        assert report["model_call"][way]["large"]["own_ms"]["p50"] > 0


def test_texts_a_second_are_told(user: Any) -> None:
    done = user.run("bench", "embed", "--texts", "16", "--rounds", "1")

    assert done.code == 0, done.err
    assert "cortical multiplies" in done.out


def test_the_same_conversation_is_held_with_the_same_model_behind_each_adapter(user: Any) -> None:
    report = user.json("bench", "conversation")
    adapters = report["adapters"]

    assert [one["adapter"].split(",")[0] for one in adapters] == ["ollama", "openai", "in process"]
    for one in adapters:
        steps = [line.split()[0] for line in one["lines"]]
        assert steps == ["user", "assistant", "user", "call", "result", "user", "verdict"]
        assert one["goes_on"] == 1
        assert conversation.CUT in one["lines"][1]
        said = one["lines"][-1].partition("{")
        assert conversation.Verdict.model_validate_json(said[1] + said[2]).euros >= 1
    # The same model reads the same beginning through each of them.
    assert len({one["prompt_tokens"][0] for one in adapters}) == 1
    assert len({one["lines"][1].partition(conversation.CUT)[0] for one in adapters}) == 1
    shown = "\n".join(conversation.lines(report))
    assert shown.count("verdict") == 3


def test_the_elements_of_drawn_screenshots_are_scored_beside_simpler_ways(user: Any) -> None:
    report = user.json("bench", "screen", "--screenshots", "1", "--seed", "9")

    ours = report["ways"]["see --screen"]
    assert ours["drawn"] > 10
    for name, way in report["ways"].items():
        if name != "see --screen":
            assert way["recall_with_kind"] < ours["recall_with_kind"]
    assert report["read_s"] > 0


def test_what_the_voice_detector_misses_and_makes_up_is_told_and_so_is_breaking_in(
    user: Any,
) -> None:
    report = user.json("bench", "voice", "--utterances", "2")

    assert report["utterances"] == 2
    alone = [one for one in report["scores"]["cortical"] if one["snr_db"] is None]
    spoken = [one for one in report["scores"]["cortical"] if one["snr_db"] is not None]
    assert (len(alone), len(spoken)) == (3, 12)
    assert all(one["extra"] == 0 for one in alone)
    assert all(one["found"] == 1 and one["miss"] < 0.2 for one in spoken)
    assert [one["answers"] for one in report["breaking_in"]] == [1, 1, 1]
    assert report["breaking_in"][0]["interrupted_itself"] == 0
    assert report["first_sound"]["first_sound_s"] < report["first_sound"]["written_s"]
    assert user.run("bench", "voice", "--recordings", user.home / "nowhere").code == 2
