"""A trace in the database proves what its file proves, whatever happened while it was copied."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.residency import check, copying, reading, showing, trace
from agent.residency.check import Verdict
from agent.residency.opening import Place
from agent.residency.process.config import ArbiterConfig
from agent.residency.process.journal import traces
from agent.residency.reading import TraceError
from agent.residency.simulation.plan import plan
from agent.residency.simulation.world import World
from agent.residency.testing import until
from agent.settings import ResidencySettings, Settings
from memory.card_traces import CardTraces
from memory.database import Pool

KEEP = timedelta(days=14)
BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CARD = "one"

Lines = list[dict[str, Any]]


class Later:
    """A clock some time after the traces were written."""

    def __init__(self, after: timedelta = timedelta()) -> None:
        self._after = after

    def now(self) -> datetime:
        return datetime.now(UTC) + self._after


def schedule(seed: int, epoch: int, *, host: str = "here") -> Lines:
    """A trace of the simulator, as the arbiter of a card would tell whose it is."""
    told: Lines = []
    World(plan(seed), told.append).play()
    began = trace.Moment(at=BEGAN.isoformat(), t=0.0)
    origin = trace.Origin(card=CARD, epoch=epoch, host=host, began=began)
    return [{"trace": 1, **trace.plain(origin), "limits": told[0]["limits"]}, *told[1:]]


def written(folder: Path, told: Lines, epoch: int) -> Path:
    file = folder / f"trace-{epoch:06}.jsonl"
    file.write_text("".join(f"{line}\n" for line in trace.lines(told)), "utf-8")
    return file


@pytest.fixture
def store(pool: Pool) -> CardTraces:
    return CardTraces(pool)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / CARD
    made.mkdir()
    return made


async def copied(folder: Path, store: CardTraces) -> None:
    await copying.copy(folder, store, keep=KEEP, clock=Later())


async def stored(store: CardTraces, epoch: int | None = None) -> showing.Source:
    found = await store.get(CARD, epoch)
    assert found is not None
    return showing.of_database(found, await store.lines(found))


async def rows(pool: Pool) -> list[dict[str, Any]]:
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT * FROM card_events ORDER BY trace_id, n")
        return await cursor.fetchall()


@pytest.mark.parametrize("seed", [3, 7, 12])
async def test_the_database_proves_what_the_file_proves(
    seed: int, folder: Path, store: CardTraces, pool: Pool
) -> None:
    file = written(folder, schedule(seed, 1), 1)
    await copied(folder, store)
    source = await stored(store)
    assert list(source.lines()) == list(reading.lines_of(file))
    assert showing.judged(source) == check.check_file(file)
    first, *_, last = await rows(pool)
    assert first["at"] == BEGAN
    assert (first["kind"], last["at"] > first["at"]) == ("Started", True)
    assert {"before", "after"} <= set(last["line"])


async def test_a_rule_that_was_broken_is_found_in_the_database_too(
    folder: Path, store: CardTraces
) -> None:
    told = schedule(7, 1)
    loads = [at for at, line in enumerate(told) if "LoadSense" in str(line.get("effects"))]
    told[loads[0]]["effects"] = []
    written(folder, told, 1)
    await copied(folder, store)
    report = showing.judged(await stored(store))
    assert report.verdict is Verdict.BROKEN
    assert report.broken_rules["ledger"] > 0


async def test_a_file_is_followed_as_it_grows_and_no_line_comes_twice(
    folder: Path, store: CardTraces, pool: Pool
) -> None:
    file = written(folder, schedule(7, 1), 1)
    data = file.read_bytes()
    for size in range(10, len(data), len(data) // 23):
        file.write_bytes(data[:size])
        await copied(folder, store)
        assert len(await rows(pool)) == max(0, data[:size].count(b"\n") - 1)
    assert showing.judged(await stored(store)).verdict is Verdict.UNFINISHED
    file.write_bytes(data)
    await copied(folder, store)
    before = await rows(pool)
    await copied(folder, store)
    assert await rows(pool) == before
    assert showing.judged(await stored(store)).verdict is Verdict.PROVED


async def test_programs_that_copy_at_once_copy_each_line_once(
    folder: Path, store: CardTraces, pool: Pool
) -> None:
    for epoch in (1, 2):
        written(folder, schedule(epoch, epoch), epoch)
    await asyncio.gather(*(copied(folder, store) for _ in range(4)))
    await copied(folder, store)
    lines = sum(len(schedule(epoch, epoch)) - 2 for epoch in (1, 2))
    assert len(await rows(pool)) == lines


async def test_a_copy_that_breaks_off_leaves_nothing_half(
    folder: Path, store: CardTraces, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(folder, schedule(7, 1), 1)
    monkeypatch.setattr(copying, "_PART_BYTES", 8_000)
    real, parts = copying._read, []

    def until_killed(path: Path, begins: int) -> bytes:
        parts.append(begins)
        if len(parts) == 4:
            raise OSError("the program ends here")
        return real(path, begins)

    with monkeypatch.context() as patched:
        patched.setattr(copying, "_read", until_killed)
        with pytest.raises(OSError, match="ends here"):
            await copied(folder, store)
    there = await rows(pool)
    assert 0 < len(there) < len(schedule(7, 1)) - 2
    assert [row["n"] for row in there] == list(range(1, len(there) + 1))
    await copied(folder, store)
    assert showing.judged(await stored(store)).verdict is Verdict.PROVED


async def test_a_trace_that_a_killed_arbiter_left_cut_is_judged_up_to_there(
    folder: Path, store: CardTraces
) -> None:
    file = written(folder, schedule(7, 1), 1)
    file.write_bytes(file.read_bytes()[:-200])
    await copied(folder, store)
    assert showing.judged(await stored(store, 1)).cut_line is None, "it may still be written"
    written(folder, schedule(8, 2), 2)
    await copied(folder, store)
    report = showing.judged(await stored(store, 1))
    assert report == check.check_file(file)
    assert (report.verdict, report.cut_line is not None) == (Verdict.UNFINISHED, True)


async def test_what_was_dropped_before_it_was_copied_is_said(
    folder: Path, store: CardTraces, caplog: pytest.LogCaptureFixture
) -> None:
    file = written(folder, schedule(1, 1)[:-40], 1)
    await copied(folder, store)
    file.unlink()
    written(folder, schedule(4, 4), 4)
    await copied(folder, store)
    with pytest.raises(TraceError, match="dropped before all of it was copied"):
        showing.judged(await stored(store, 1))
    for epoch in (2, 3):
        with pytest.raises(TraceError, match="before any of it was copied"):
            await stored(store, epoch)
    assert showing.judged(await stored(store)).verdict is Verdict.PROVED
    lost = [one.__dict__["epoch"] for one in caplog.records if one.msg == "trace_lost"]
    assert sorted(lost) == [1, 2, 3]
    caplog.clear()
    await copied(folder, store)
    assert not caplog.records, "it is said once"


async def test_what_was_copied_whole_is_not_lost_with_its_file(
    folder: Path, store: CardTraces
) -> None:
    killed = written(folder, schedule(1, 1)[:-1], 1)
    written(folder, schedule(2, 2), 2)
    await copied(folder, store)
    killed.unlink()
    await copied(folder, store)
    assert showing.judged(await stored(store, 1)).verdict is Verdict.UNFINISHED


@pytest.mark.parametrize(
    "damage",
    [
        b"\x00" * 40,
        b"[]",
        b'{"n": 9}',
        b'{"n": 9, "t": 1e999, "event": {"kind": "Ticked"}}',
        b'{"n": 9, "t": 1e300, "event": {"kind": "Ticked"}}',
        b'{"n": 9000000000, "t": 1.0, "event": {"kind": "Ticked"}}',
        b'{"n": 9, "t": 1.0, "lease": 1e30, "event": {"kind": "Ticked"}}',
        b'{"n": 9, "t": 1.0, "event": {"kind": "Ticked"}, "more": NaN}',
        b'{"end": "soon"}',
    ],
)
async def test_behind_a_damaged_line_nothing_is_taken_for_true(
    folder: Path, store: CardTraces, pool: Pool, damage: bytes
) -> None:
    file = written(folder, schedule(7, 1), 1)
    lines = file.read_bytes().split(b"\n")
    lines[9] = damage
    file.write_bytes(b"\n".join(lines))
    await copied(folder, store)
    with pytest.raises(TraceError, match="line 10 of its file is damaged"):
        showing.judged(await stored(store))
    assert len(await rows(pool)) == 8


async def test_names_that_postgres_refuses_are_stored_all_the_same(
    folder: Path, store: CardTraces
) -> None:
    told = schedule(7, 1)
    text = "".join(f"{line}\n" for line in trace.lines(told))
    asked = next(line for line in told if line.get("event", {}).get("kind") == "Asked")
    name = asked["event"]["ask"]
    (folder / "trace-000001.jsonl").write_text(text.replace(f'"{name}"', f'"{name}\\u0000\\ud800"'))
    await copied(folder, store)
    assert showing.judged(await stored(store)).verdict is Verdict.PROVED


async def test_traces_of_two_hosts_and_of_a_lost_directory_are_told_apart(
    folder: Path, store: CardTraces, tmp_path: Path
) -> None:
    written(folder, schedule(1, 1), 1)
    other = tmp_path / "other"
    other.mkdir()
    written(other, schedule(1, 1, host="there"), 1)
    await copied(folder, store)
    await copied(other, store)
    await copied(folder, store)
    assert showing.judged(await stored(store, 1)).verdict is Verdict.PROVED


async def test_old_traces_go_whole_and_do_not_come_back(
    folder: Path, store: CardTraces, pool: Pool
) -> None:
    old = written(folder, schedule(1, 1), 1)
    written(folder, schedule(2, 2), 2)
    await copied(folder, store)
    async with pool.connection() as connection:
        await connection.execute(
            "UPDATE card_traces SET last_at = now() - interval '1 hour' WHERE epoch = 2"
        )
    long_ago = (datetime.now(UTC) - 2 * KEEP).timestamp()
    os.utime(old, (long_ago, long_ago))
    assert await store.prune(datetime.now(UTC) - KEEP) == 1
    await copied(folder, store)
    assert await store.get(CARD, 1) is None
    assert {row["trace_id"] for row in await rows(pool)} == {
        found.trace_id for found in [await store.get(CARD)] if found is not None
    }


async def test_a_file_that_does_not_tell_whose_it_is_is_left_alone(
    folder: Path, store: CardTraces
) -> None:
    told: Lines = []
    World(plan(1), told.append).play()
    written(folder, told, 1)
    (folder / "trace-000002.jsonl").write_text('{"trace": 1, "card"')
    (folder / "trace-000003.jsonl").write_text('{"trace": 1, "card": 7, "epoch": 1e400}\n')
    (folder / "trace-000004.jsonl").write_text("[]\n")
    await copied(folder, store)
    assert await store.get(CARD) is None


async def test_who_follows_goes_on_when_the_database_was_away_and_says_so_once(
    folder: Path,
    store: CardTraces,
    pool: Pool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(copying, "FOLLOW_S", 0.01)
    config = ArbiterConfig(card="none", key=CARD, run_dir=str(folder), data_dir=str(folder))
    place = Place(files=config.files, config=config, simulated=True, senses=None)
    settings = Settings(residency=ResidencySettings(trace_days=36_500))  # the trace is of 2026
    looks: list[Path] = []

    def looked(here: Path) -> list[Path]:
        looks.append(here)
        return traces(here)

    monkeypatch.setattr(copying, "traces", looked)
    written(folder, schedule(7, 1), 1)
    async with pool.connection() as connection:
        await connection.execute("ALTER TABLE card_traces RENAME TO away")
        async with copying.followed(place, pool, settings):
            await until(lambda: len(looks) > 3)
            await connection.execute("ALTER TABLE away RENAME TO card_traces")
            await until(lambda: finished(store))
    assert [one.msg for one in caplog.records] == ["trace_not_copied"]
    assert showing.judged(await stored(store)).verdict is Verdict.PROVED


async def finished(store: CardTraces) -> bool:
    found = await store.get(CARD)
    return found is not None and found.ended_n is not None
