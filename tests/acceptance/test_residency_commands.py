"""The card as its owner meets it, simulated."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

DEMO = Path(__file__).parents[2] / "deploy" / "demo"


@pytest.fixture
def owner(user: Any) -> Any:
    """Somebody with a simulated card."""
    (user.home / "run").mkdir()
    user.settings["XDG_RUNTIME_DIR"] = str(user.home / "run")
    user.settings["CORTICAL_RESIDENCY__CARD"] = "simulated:24GiB"
    yield user
    told = user.run("residency", "status", "--json").value
    if told is not None:
        os.kill(told["arbiter"]["pid"], signal.SIGTERM)


def test_a_sense_takes_a_lease_and_the_owner_sees_and_takes_the_card(
    owner: Any, tmp_path: Path
) -> None:
    nobody = owner.run("residency", "status")
    assert (nobody.code, nobody.out.split(":")[0]) == (0, "No arbiter runs")

    sound = tmp_path / "hello.wav"
    assert owner.run("say", "Hello there.", "-o", sound).code == 0
    told = owner.json("residency", "status")
    assert [one["variant"] for one in told["residents"]] == ["kokoro-82m"]
    assert (told["leases"], told["waiting"]) == ([], [])

    paused = owner.run("residency", "pause", "--work", "cpu")
    assert paused.out == "Paused: work goes to the CPU.\n"
    assert owner.run("say", "Hello again.", "-o", sound).code == 0
    shown = owner.run("residency", "top", "--times", "2").out
    assert shown.count("paused by the owner: work goes to the CPU") == 2
    assert "on the card: nothing" in shown
    assert owner.run("residency", "resume").out == "The card is lent out again.\n"

    picture = tmp_path / "card.svg"
    assert owner.run("residency", "trace", "--svg", picture, "--last", "10m").code == 0
    assert "paused by the owner" in picture.read_text("utf-8")
    assert "is granted kokoro-82m on the card" in owner.run("residency", "trace").out

    pid, trace = told["arbiter"]["pid"], told["arbiter"]["trace"]
    os.kill(pid, signal.SIGTERM)
    while Path(f"/proc/{pid}").exists():
        pass
    proved = owner.run("residency", "check", trace)
    assert proved.code == 0, proved.out
    assert proved.out.startswith("proved:")


def test_ingestion_is_a_job_and_what_it_had_is_proved_from_the_database(owner: Any) -> None:
    picture = DEMO / "pack" / "invoice.png"
    assert owner.run("ingest", picture).code == 0
    assert owner.run("see", picture).code == 0
    shown = owner.run("residency", "trace", "--database", "--json").out
    asked = [
        line["event"]
        for line in map(json.loads, shown.splitlines())
        if line["event"]["kind"] == "Asked"
    ]
    by_sense = [(one["choices"][0]["variant"].partition("@")[0], one["priority"]) for one in asked]
    assert by_sense[0] == ("text-embedded", 1), "a job, for which nobody waits"
    assert ("embedding-embedded", 1) in by_sense
    assert by_sense[-1] == ("text-embedded", 0)

    pid = owner.json("residency", "status")["arbiter"]["pid"]
    unfinished = owner.run("residency", "check", "--database")
    assert (unfinished.code, unfinished.out.split(":")[0]) == (1, "unfinished")
    os.kill(pid, signal.SIGTERM)
    while Path(f"/proc/{pid}").exists():
        pass
    proved = owner.run("residency", "check", "--database", "--epoch", "1")
    assert (proved.code, proved.out.split(":")[0]) == (0, "proved"), proved.err
    unknown = owner.run("residency", "check", "--database", "--card", "another")
    assert (unknown.code, "holds no trace of the card 'another'" in unknown.err) == (2, True)


def test_without_a_card_the_commands_say_what_would_show_one(user: Any) -> None:
    user.settings["CORTICAL_RESIDENCY__CARD"] = "none"
    done = user.run("residency", "status")
    assert done.code == 2
    assert 'residency.card = "simulated:24GiB"' in done.err


def test_a_wrong_wish_is_named(user: Any) -> None:
    user.settings["CORTICAL_RESIDENCY__CARD"] = "simulated:huge"
    assert "residency.card" in user.run("residency", "status").err
    user.settings["CORTICAL_RESIDENCY__CARD"] = "simulated:24GiB"
    done = user.run("residency", "pause", "--work", "sleep")
    assert (done.code, "neither wait nor cpu" in done.err) == (2, True)


def test_the_benchmark_of_the_arbiter_scores_and_its_trace_is_proved(user: Any) -> None:
    report = user.json("bench", "arbiter", "--programs", "2", "--asks", "20")
    assert report["asks"] == 40
    assert report["trace"] == "proved"
    assert 0 < report["p50_ms"] <= report["p99_ms"]
