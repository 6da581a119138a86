"""A timeline shows what the trace holds: its bytes, its waits, and nothing that would run."""

import re
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from agent.cli.edge import run
from agent.errors import UsageError
from agent.residency import showing, trace
from agent.residency.arbiter import events
from agent.residency.arbiter.events import Choice, Priority
from agent.residency.arbiter.limits import MIB, Limits, Profile
from agent.residency.reading import TraceError
from agent.residency.simulation.plan import plan
from agent.residency.simulation.world import World
from agent.residency.timeline import history, picture
from agent.residency.timeline.axes import Clock, bytes_ticks, time_ticks
from agent.residency.timeline.window import Window, Wish, seconds

Lines = list[dict[str, Any]]
LIMITS = Limits(capacity_bytes=2000 * MIB, profiles=(Profile(name="full", bytes=300 * MIB),))
HEARING = Choice(variant="hearing", weights_bytes=50 * MIB, working_bytes=10 * MIB)
BEGAN = trace.Origin(
    card="one",
    epoch=1,
    host="here",
    began=trace.Moment(at="2026-03-01T23:59:50+00:00", t=100.0),
)
SVG = "{http://www.w3.org/2000/svg}"


def schedule(seed: int) -> Lines:
    """A trace of the simulator, in which much goes wrong."""
    told: Lines = []
    World(plan(seed), told.append).play()
    return told


def short_trace(holder: str = "h", origin: trace.Origin | None = BEGAN) -> Lines:
    """Waits from 102 to 103, works to 104; the owner takes the card from 105 to 120."""
    told: Lines = []
    record = trace.Recorder(LIMITS, told.append, origin=origin)
    record(events.Started(now=100.0, epoch=1, profile="full"))
    own = LIMITS.context_bytes + 300 * MIB
    record(events.Measured(now=101.0, taken_at=101.0, used_bytes=own, own_bytes=own))
    record(
        events.Asked(
            now=102.0, ask="a", holder=holder, choices=(HEARING,), priority=Priority.PERSON
        )
    )
    record(events.LoadFinished(now=103.0, load=next(iter(record.state.residences.values())).load))
    record(events.Released(now=104.0, token=next(iter(record.state.leases))))
    record(events.Paused(now=105.0))
    record(events.Resumed(now=120.0))
    record(events.Renewed(now=120.0, holder=holder))
    record.close()
    return told


def drawn(told: Lines, begins: float | None = None, ends: float | None = None) -> Any:
    seen = history.read(told, name="a trace")
    window = Window(
        begins=seen.begins if begins is None else begins, ends=seen.ends if ends is None else ends
    )
    return ET.fromstring(picture.draw(seen, window, zone=UTC))


def titles(svg: Any) -> list[str]:
    return [one.text for one in svg.iter(f"{SVG}title")]


@pytest.mark.parametrize("seed", range(12))
def test_at_each_moment_the_layers_add_up_to_what_the_trace_tells(seed: int) -> None:
    told = schedule(seed)
    seen = history.read(told, name="a schedule")
    levels = {one.t: one for one in seen.levels}
    level = seen.levels[0]
    last = {line["t"]: line["after"] for line in told if "event" in line}
    for t, after in last.items():
        level = levels.get(t, level)
        sums = [after[name] for name in ("reserved", "in_flight", "unconfirmed")]
        assert sum(level.layers.values()) - level.layers[history.FOREIGN] == sum(sums)
        assert level.used == after["used"]


@pytest.mark.parametrize("seed", range(12))
def test_each_ask_has_a_row_with_its_wait_and_its_work(seed: int) -> None:
    told = schedule(seed)
    seen = history.read(told, name="a schedule")
    effects = [effect for line in told[1:-1] for effect in line["effects"]]
    count = {
        kind: sum(one["kind"] == kind for one in effects)
        for kind in ("Granted", "Admitted", "Refused", "Withdrawn", "Revoked", "LoadSense")
    }
    taken_up = [one for one in seen.spans if one.note == "granted by an earlier arbiter"]
    worked = [one for one in seen.spans if one.works is not None]
    assert len(worked) - len(taken_up) == count["Granted"] + count["Admitted"]
    outcomes = [one.outcome.partition(":")[0] for one in seen.spans]
    assert outcomes.count("refused") == count["Refused"]
    assert outcomes.count("withdrawn") == count["Withdrawn"]
    assert (
        sum(one.phase == "coming" and one.name != "executive" for one in seen.weights)
        == (count["LoadSense"])
    )
    for one in seen.spans:
        assert one.ends is None or one.begins <= (one.works or one.begins) <= one.ends


@pytest.mark.parametrize("seed", range(6))
def test_every_picture_is_one_that_stands_alone(seed: int) -> None:
    svg = drawn(schedule(seed))
    assert svg.tag == f"{SVG}svg"
    names = {one.tag.removeprefix(SVG) for one in svg.iter()}
    assert names <= {"svg", "style", "defs", "pattern", "rect", "path", "text", "title", "g"}
    text = ET.tostring(svg, encoding="unicode")
    assert set(re.findall(r"url\(([^)]*)\)", text)) <= {"#unconfirmed", "#never"}
    assert "nan" not in text
    assert "prefers-color-scheme:dark" in text


def test_a_picture_tells_who_waited_for_what_and_when() -> None:
    told = titles(drawn(short_trace()))
    operation = next(one for one in told if one.startswith("operation a of h, for a person"))
    assert "asked at 23:59:52.000, waited 1.000 s" in operation
    assert "hearing on the card: 1.000 s" in operation
    assert "paused by the owner" in told
    assert "hearing: up to 50 MiB" in told
    assert any(
        one.startswith("hearing, 50 MiB: loading from 23:59:52.000, 1.000 s") for one in told
    )


def test_a_part_shows_that_part_and_what_was_there_when_it_began() -> None:
    svg = drawn(short_trace(), begins=103.5, ends=104.5)
    told = titles(svg)
    assert "hearing: up to 50 MiB" in told, "loaded before, and still there"
    assert "paused by the owner" not in told
    words = [one.text for one in svg.iter(f"{SVG}text")]
    assert "23:59:54" in " ".join(filter(None, words))


def test_names_of_programs_are_words_and_never_marks() -> None:
    hostile = '<script>alert("x")</script>\x00&\x1b[2J'
    svg = drawn(short_trace(holder=hostile))
    assert any('<script>alert("x")</script>&[2J' in one for one in titles(svg))
    assert not list(svg.iter(f"{SVG}script"))


def test_a_rule_that_was_broken_is_seen() -> None:
    told = short_trace()
    told[4]["after"]["reserved"] += 1
    assert any("rule 'ledger' broken" in one for one in titles(drawn(told)))


def test_the_whole_of_a_long_trace_keeps_its_peaks_and_stays_small() -> None:
    told = schedule(3)
    seen = history.read(told, name="a schedule")
    window = Window(begins=seen.begins - 1e6, ends=seen.ends + 1e6)
    svg = picture.draw(seen, window, zone=UTC)
    most = max(one.layers[history.WORKING] for one in seen.levels)
    assert most > 0
    assert f"{history.WORKING}: up to {trace_gib(most)}" in svg
    assert len(svg) < 60_000


def trace_gib(size: int) -> str:
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


@pytest.mark.parametrize(
    ("text", "expected"), [("10m", 600.0), ("1h30m", 5400.0), ("2.5s", 2.5), ("40ms", 0.04)]
)
def test_durations_are_read_as_people_write_them(text: str, expected: float) -> None:
    assert seconds(text, "--last") == expected


@pytest.mark.parametrize("text", ["", "10", "m", "10 minutes", "-5m", "5m!"])
def test_what_is_no_duration_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="--last"):
        seconds(text, "--last")


@pytest.mark.parametrize(
    ("wish", "begins", "ends"),
    [
        (Wish(), 100.0, 120.0),
        (Wish(last="5s"), 115.0, 120.0),
        (Wish(last="2h"), 100.0, 120.0),
        (Wish(begins="5s", ends="10s"), 105.0, 110.0),
        (Wish(begins="23:59:55"), 105.0, 120.0),
        (Wish(begins="23:59", ends="00:00:05"), 100.0, 115.0),
    ],
)
def test_a_part_is_named_by_time_of_day_or_from_the_begin(
    wish: Wish, begins: float, ends: float
) -> None:
    clock = Clock(100.0, {"at": BEGAN.began.at, "t": BEGAN.began.t}, UTC)
    assert wish.window(100.0, 120.0, clock) == Window(begins=begins, ends=ends)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(last="5s", begins="1s"), "together"),
        (Wish(begins="1h"), "Nothing of the trace is left"),
        (Wish(begins="10s", ends="5s"), "Nothing of the trace is left"),
        (Wish(begins="noon"), "no moment"),
    ],
)
def test_a_part_that_is_none_is_refused(wish: Wish, words: str) -> None:
    clock = Clock(100.0, None, UTC)
    with pytest.raises(UsageError, match=words):
        wish.window(100.0, 120.0, clock)


def test_a_time_of_day_needs_a_trace_that_tells_it() -> None:
    with pytest.raises(UsageError, match="does not tell any"):
        Wish(begins="14:05").window(0.0, 10.0, Clock(0.0, None, UTC))


def test_ticks_are_round() -> None:
    assert [one.text for one in bytes_ticks(24 * 2**30)] == ["0", "5", "10", "15", "20"]
    clock = Clock(100.0, {"at": BEGAN.began.at, "t": 100.0}, UTC)
    ticks = time_ticks(100.0, 160.0, clock=clock)
    assert [one.text for one in ticks][:3] == ["23:59:50", "00:00:00", "00:00:10"]
    assert ticks[1].at == 110.0
    fine = time_ticks(0.0, 0.4, clock=Clock(0.0, None, UTC))
    assert [one.text for one in fine][:2] == ["0.00 s", "0.05 s"]


def written(folder: Path, told: Lines) -> Path:
    file = folder / "trace-000001.jsonl"
    file.write_text("".join(f"{line}\n" for line in trace.lines(told)), "utf-8")
    return file


def test_the_table_says_what_changed_and_leaves_out_what_did_not(tmp_path: Path) -> None:
    told = short_trace()
    table = list(showing.told(showing.of_file(written(tmp_path, told)), Wish()))
    asked = next(line for line in table if "ask a of a person: hearing" in line)
    assert "700 MiB → 760 MiB" in asked
    assert "hearing is loaded, 50 MiB" in asked
    assert table[-1].startswith("1 transitions that changed nothing")
    assert len(table) == len(told) - 2, "all but the first and the last line, one of them summed up"


def test_the_newest_trace_is_the_last_of_the_card(tmp_path: Path) -> None:
    for epoch in (9, 10, 1_000_001):
        (tmp_path / f"trace-{epoch:06}.jsonl").touch()
    assert showing.newest(tmp_path).name == "trace-1000001.jsonl"
    with pytest.raises(UsageError, match="no arbiter has run"):
        showing.newest(tmp_path / "none")


@pytest.mark.parametrize("show", [showing.drawn, lambda *told: list(showing.told(*told))])
def test_a_trace_without_transitions_shows_nothing(
    tmp_path: Path, show: Callable[..., Any]
) -> None:
    source = showing.of_file(written(tmp_path, short_trace()[:1]))
    with pytest.raises(TraceError, match="holds no transition"):
        show(source, Wish())


def test_the_command_draws_prints_and_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = str(written(tmp_path, short_trace())), tmp_path / "out.svg"
    assert run(["residency", "trace", file, "--svg", str(out)], debug=False) == 0
    assert ET.parse(out).getroot().tag == f"{SVG}svg"
    assert run(["residency", "trace", file, "--json", "--last", "15s"], debug=False) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [trace_kind(line) for line in lines] == ["Paused", "Resumed", "Renewed"]
    assert run(["residency", "trace", file, "--svg", str(tmp_path)], debug=False) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert run(["residency", "trace", file, "--svg", str(out), "--json"], debug=False) == 2


def trace_kind(line: str) -> str:
    found = re.search(r'"kind": "(\w+)"', line)
    assert found is not None
    return found[1]
