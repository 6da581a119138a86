"""A selftest of the embedded model as a person runs it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., str]


@pytest.fixture(scope="module")
def report(reader: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str]:
    """One short selftest: its JSON, and the text that another one writes into a file."""
    out = tmp_path_factory.mktemp("report") / "report.json"
    done = reader.run("selftest", "--seconds", "60", "--json", "--out", out, timeout_s=300)
    assert done.code == 0, done.err
    assert out.read_text().startswith("{")
    return done.value, out.read_text()


def test_every_section_tells_its_figures_and_how_much_was_asked(report: tuple[Any, str]) -> None:
    value, _ = report
    sections = {one["name"]: one for one in value["sections"]}

    assert list(sections) == [
        "tool calls",
        "answers by schema",
        "stop",
        "triage",
        "context",
        "speed",
        "cited answers",
    ]
    for section in sections.values():
        assert section["done"] == section["planned"] or "for want of time" in section["left_out"]
    calls = sections["tool calls"]
    assert calls["done"] >= 3
    assert calls["figures"]["valid"] == calls["figures"]["called"] == calls["done"]
    assert calls["figures"]["refused"] == 8
    assert not sections["triage"]["judged"]
    assert not sections["cited answers"]["judged"]
    assert calls["judged"]
    assert value["broken"] == []


def test_a_report_names_the_model_and_the_machine_and_nobody(
    report: tuple[Any, str], reader: Any
) -> None:
    value, text = report

    assert value["model"]["quantisation"] == "Q4_1"
    assert value["model"]["digest"].startswith("gguf:")
    assert value["model"]["tier"] == "embedded"
    assert value["machine"]["cores"] >= 1
    assert value["machine"]["versions"]["cortical"]
    assert str(reader.home) not in text
    assert str(Path.home()) not in text


def test_nothing_of_a_selftest_stays_in_memory(report: tuple[Any, str], reader: Any) -> None:
    runs = reader.json("runs", "list")
    found = reader.json("search", "lost key of the boathouse", "-k", "20")

    assert not [run for run in runs if "boathouse" in str(run["input"])]
    assert not [hit for hit in found["hits"] if "boathouse.md" in hit["source"]]


def test_the_plain_report_can_be_pasted(user: Any, served: Start) -> None:
    user.settings["CORTICAL_OLLAMA__URL"] = served({"models": [{"name": "qwen3:14b"}]})
    done = user.run("selftest", "--seconds", "20", timeout_s=200)

    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("cortical selftest, ")
    assert any(re.match(r"tool calls +n=\d+, \d+ s", line) for line in lines)
    assert "No promise of the engine was broken." in lines


def test_a_model_of_a_server_is_tested_to_the_end(user: Any, served: Start) -> None:
    user.settings["CORTICAL_OLLAMA__URL"] = served({"models": [{"name": "qwen3:14b"}]})
    done = user.run("selftest", "--json", timeout_s=300)

    assert done.code == 0, done.err
    value = done.value
    assert [one["left_out"] for one in value["sections"]] == [""] * 7, value["sections"]
    assert value["model"]["quantisation"] == "Q4_K_M"
    assert value["model"]["tool_calls"] == "native"
    context = next(one for one in value["sections"] if one["name"] == "context")
    assert context["figures"]["needles"] == 3
    assert context["figures"]["too_long_refused"]
    cited = next(one for one in value["sections"] if one["name"] == "cited answers")
    assert cited["done"] == 10
    assert all(one["judged"] for one in value["sections"])


def test_a_folder_for_the_report_is_wrong_use(user: Any, tmp_path: Path) -> None:
    done = user.run("selftest", "--out", tmp_path)

    assert done.code == 2
    assert "is a folder" in done.err


def test_a_model_that_is_not_there_fails(user: Any) -> None:
    user.settings["CORTICAL_EXECUTIVE__CHOICE"] = "ollama:qwen3:14b"
    done = user.run("selftest")

    assert done.code == 1
    assert "No Ollama server answers" in done.err
