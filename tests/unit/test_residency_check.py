"""The checker on whole, broken, cut and empty traces, and its command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.cli.edge import run
from agent.residency import check, trace
from agent.residency.arbiter import events
from agent.residency.arbiter.events import Choice
from agent.residency.arbiter.limits import MIB, Limits, Profile
from agent.residency.check import Verdict
from agent.residency.reading import TraceError

LIMITS = Limits(capacity_bytes=2000 * MIB, profiles=(Profile(name="full", bytes=300 * MIB),))
HEARING = Choice(variant="hearing", weights_bytes=50 * MIB, working_bytes=10 * MIB)


@pytest.fixture
def whole() -> list[dict[str, Any]]:
    """A short trace in which all is well."""
    told: list[dict[str, Any]] = []
    record = trace.Recorder(LIMITS, told.append)
    record(events.Started(now=0.0, epoch=1, profile="full"))
    own = LIMITS.context_bytes + 300 * MIB
    record(events.Measured(now=1.0, taken_at=1.0, used_bytes=own, own_bytes=own))
    record(events.Asked(now=2.0, ask="a", holder="h", choices=(HEARING,)))
    load = next(iter(record.state.residences.values())).load
    record(events.LoadFinished(now=3.0, load=load))
    record(events.Released(now=4.0, token=next(iter(record.state.leases))))
    record.close()
    return told


def written(path: Path, told: list[dict[str, Any]]) -> Path:
    file = path / "trace.jsonl"
    file.write_text("".join(f"{line}\n" for line in trace.lines(told)), "utf-8")
    return file


def test_a_whole_trace_is_proved_also_from_its_file(
    whole: list[dict[str, Any]], tmp_path: Path
) -> None:
    report = check.check_file(written(tmp_path, whole))
    assert report.verdict is Verdict.PROVED
    assert (report.tally.granted, report.tally.loads) == (1, 1)


def test_each_line_tells_the_bytes_before_and_after(whole: list[dict[str, Any]]) -> None:
    asked = whole[3]
    assert asked["actor"] == "h"
    assert asked["before"]["in_flight"] == 0
    assert asked["after"]["in_flight"] == 60 * MIB
    assert whole[4]["after"]["reserved"] == asked["after"]["reserved"] + 60 * MIB
    assert whole[5]["lease"] == whole[4]["effects"][0]["token"]


def test_a_trace_without_an_end_is_not_proved(whole: list[dict[str, Any]]) -> None:
    assert check.check(whole[:-1]).verdict is Verdict.UNFINISHED


def test_an_ask_without_an_answer_is_a_violation(whole: list[dict[str, Any]]) -> None:
    report = check.check([*whole[:4], {"end": 3}])
    assert report.broken_rules == {"answered": 1}


def lost_line(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return told[:3] + told[4:]


def other_version(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**told[0], "trace": 2}, *told[1:]]


def less_limits(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"trace": 1, "limits": {"capacity_bytes": 5}}, *told[1:]]


def unknown_event(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*told[:2], {**told[2], "event": {"kind": "Dreamt"}}, *told[3:]]


def false_end(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*told[:-1], {"end": 99}]


def after_the_end(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*told, told[-2]]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda _told: [], "is empty"),
        (lambda told: told[:1], "holds no ask"),
        (lambda told: told[1:], "does not begin as a trace"),
        (lost_line, "lines were lost"),
        (other_version, "of version 1"),
        (less_limits, "lacks limits"),
        (unknown_event, "cannot be understood"),
        (false_end, "ends 99 transitions"),
        (after_the_end, "comes after its end"),
    ],
)
def test_what_cannot_be_judged_is_an_error(
    whole: list[dict[str, Any]],
    spoil: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    words: str,
) -> None:
    with pytest.raises(TraceError, match=words):
        check.check(spoil(whole))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"trace": 1, "limi', "Line 1 .* is cut or damaged"),
        ("[]\n", "is no transition"),
        ("\x00\xff", "is cut or damaged"),
    ],
)
def test_a_file_that_is_no_trace_is_an_error(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "trace.jsonl"
    file.write_text(text, "utf-8")
    with pytest.raises(TraceError, match=words):
        check.check_file(file)


def test_a_trace_is_judged_up_to_wherever_its_last_line_was_cut(
    whole: list[dict[str, Any]], tmp_path: Path
) -> None:
    whole[3]["actor"] = whole[3]["event"]["holder"] = "hörer"  # a cut may fall within a letter
    file = written(tmp_path, whole)
    data = file.read_bytes()
    breaks = [at for at, byte in enumerate(data) if byte == ord("\n")]
    verdicts = set()
    for size in range(breaks[3] + 1, len(data)):
        file.write_bytes(data[:size])
        report = check.check_file(file)
        between = size - 1 not in breaks and size not in breaks
        assert report.cut_line == (sum(at < size for at in breaks) + 1 if between else None)
        assert report.violations == ()
        verdicts.add((report.verdict, size == breaks[-1]))
    # Only the very last byte, the line break behind the end, may be missed.
    assert verdicts == {(Verdict.UNFINISHED, False), (Verdict.PROVED, True)}


def test_before_the_first_ask_a_cut_trace_holds_nothing_to_be_proved(
    whole: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = written(tmp_path, whole)
    data = file.read_bytes()
    first = data.index(b"\n")
    asked = data.index(b"\n", data.index(b'"kind":"Asked"'))
    for size in range(asked):
        file.write_bytes(data[:size])
        words = "is empty" if size == 0 else "is cut" if size < first else "holds no ask"
        with pytest.raises(TraceError, match=words):
            check.check_file(file)


def test_a_broken_line_in_the_middle_is_damage(whole: list[dict[str, Any]], tmp_path: Path) -> None:
    file = written(tmp_path, whole)
    told = file.read_text("utf-8").splitlines(keepends=True)
    for number in range(1, len(told)):
        file.write_text("".join([*told[: number - 1], told[number - 1][:-9], "\n", *told[number:]]))
        with pytest.raises(TraceError, match=f"Line {number} .* is cut or damaged"):
            check.check_file(file)


def test_what_the_power_left_as_zeros_is_a_cut_line(
    whole: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = written(tmp_path, whole[:-1])
    file.write_bytes(file.read_bytes() + bytes(200))
    report = check.check_file(file)
    assert (report.verdict, report.cut_line) == (Verdict.UNFINISHED, len(whole))
    assert "was not written whole" in "\n".join(check.lines(report))


def test_the_command_ends_with_0_only_for_a_proof(
    whole: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(written(tmp_path, whole))
    assert run(["residency", "check", file], debug=False) == 0
    assert "proved" in capsys.readouterr().out
    written(tmp_path, whole[:-1])
    assert run(["residency", "check", file, "--json"], debug=False) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "unfinished"
    written(tmp_path, [])
    assert run(["residency", "check", file], debug=False) == 1
    assert "is empty" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot be read"):
        check.check_file(tmp_path / "none")
