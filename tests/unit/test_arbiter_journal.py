"""What an arbiter writes down outlives it, and a disk that is full does not end it."""

import json
import os
from pathlib import Path

import pytest

from agent.residency import check
from agent.residency.arbiter import effects, events
from agent.residency.arbiter.events import Choice, WhilePaused
from agent.residency.arbiter.limits import Limits
from agent.residency.process.arbiter import Arbiter
from agent.residency.process.journal import RETRY_S, Journal, Left
from agent.residency.process.simulated import SupposedCard, SupposedKeeper

GIB = 1 << 30


def test_a_first_arbiter_begins_clean(tmp_path: Path) -> None:
    assert Journal(tmp_path).left() == Left(epoch=0, clean=True, paused=None)


def test_what_is_left_is_found_again(tmp_path: Path) -> None:
    left = Left(epoch=7, clean=False, paused=WhilePaused.CPU)
    Journal(tmp_path).leave(left)
    assert Journal(tmp_path).left() == left


@pytest.mark.parametrize("text", ["", "{", "[]", '{"epoch": "x", "clean": 1, "paused": null}'])
def test_a_damaged_state_is_that_of_a_killed_one_and_epochs_rise(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    (tmp_path / "trace-000012.jsonl").write_text("")
    assert Journal(tmp_path).left() == Left(epoch=12, clean=False)


def test_the_oldest_traces_go(tmp_path: Path) -> None:
    journal = Journal(tmp_path, trace_bytes=100, traces_bytes=350)
    for epoch in range(1, 6):
        journal.begin(epoch)
        while not journal.long:
            journal.write({"filler": "x" * 20})
    journal.end()
    kept = sorted(path.name for path in tmp_path.glob("*.jsonl"))
    assert kept[-1] == "trace-000005.jsonl"
    assert len(kept) < 5
    assert sum((tmp_path / name).stat().st_size for name in kept) <= 350


def test_a_line_that_the_disk_refuses_leaves_no_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    journal = Journal(tmp_path, clock=lambda: now[0])
    journal.begin(1)
    journal.write({"line": 1})
    real = os.write

    def full(file: int, data: bytes) -> int:
        real(file, data[:4])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        journal.write({"line": 2})
    journal.write({"line": 3})
    assert (tmp_path / "trace-000001.jsonl").read_text() == '{"line":1}\n'
    assert journal.flaw is not None
    assert "No space left" in journal.flaw

    assert not journal.long, "a full disk is not tried again at once"
    now[0] += RETRY_S
    assert journal.long
    journal.begin(2)
    journal.write({"line": 1})
    assert journal.flaw is None
    assert (tmp_path / "trace-000002.jsonl").read_text() == '{"line":1}\n'


def judged(folder: Path) -> list[check.Report]:
    return [check.check_file(path) for path in sorted(folder.glob("*.jsonl"))]


async def test_a_long_trace_is_handed_over_to_a_new_one_when_all_is_quiet(tmp_path: Path) -> None:
    now = [0.0]
    card = SupposedCard(24 * GIB)
    keeper = SupposedKeeper(card)
    said: list[effects.Effect] = []
    journal = Journal(tmp_path, trace_bytes=2_000)
    arbiter = Arbiter(
        Limits(capacity_bytes=24 * GIB, profiles=()),
        card=card,
        keeper=keeper,
        journal=journal,
        hear=said.append,
        clock=lambda: now[0],
    )
    arbiter.start(profile=None)
    load = next(one for one in said if isinstance(one, effects.LoadExecutive))
    await keeper.load(load.profile)
    arbiter.post(events.LoadFinished(now=now[0], load=load.load))
    whisper = Choice(variant="whisper", weights_bytes=GIB, working_bytes=GIB)

    def granted(name: str) -> int:
        ask = events.Asked(now=now[0], ask=name, holder="one", choices=(whisper,))
        arbiter.post(ask)
        return max(one.token for one in said if isinstance(one, effects.Granted))

    arbiter.post(events.Asked(now=now[0], ask="first", holder="one", choices=(whisper,)))
    sense = next(one for one in said if isinstance(one, effects.LoadSense))
    arbiter.post(events.LoadFinished(now=now[0], load=sense.load))
    first = max(one.token for one in said if isinstance(one, effects.Granted))
    assert journal.long
    await arbiter.renew()
    assert arbiter.epoch == 1, "nothing is handed over while a lease is out"

    now[0] += 1.0
    arbiter.post(events.Released(now=now[0], token=first))
    arbiter.measure()
    await arbiter.renew()
    assert arbiter.epoch == 2
    assert arbiter.state.executive.place is not None, "the executive is found where it is"
    second = granted("second")
    assert second > first
    arbiter.post(events.Released(now=now[0], token=second))
    arbiter.close()

    reports = judged(tmp_path)
    assert [report.verdict for report in reports] == [check.Verdict.PROVED] * 2
    assert reports[1].tally.loads == 0, "what lay on the card was not loaded again"
    state = json.loads((tmp_path / "state.json").read_text())
    assert state["epoch"] == 2
