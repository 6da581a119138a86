"""Runs that are watched, ended and taken up from another terminal."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
RECORDING = DEMO / "questions" / "spare-key.wav"


@contextmanager
def _stopped(user: Any, thread: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Give a turn that stands still while it hears something, and the id of its run."""
    with user.start("ask", "--file", RECORDING, "--thread", thread) as process:
        try:
            for line in process.stderr:
                if line.strip() == "… perceive":
                    process.send_signal(signal.SIGSTOP)
                    break
            (run,) = user.json("runs", "list", "--thread", thread)
            assert run["status"] == "running"
            yield process, str(run["run_id"])
        finally:
            process.kill()


def test_a_turn_is_ended_from_another_terminal(reader: Any) -> None:
    with _stopped(reader, "ended-from-elsewhere") as (process, run):
        with reader.start("runs", "cancel", run[:8]) as cancelling:
            while reader.json("runs", "show", run)["cancel_asked_at"] is None:
                pass
            process.send_signal(signal.SIGCONT)
            out, err = cancelling.communicate(timeout=60)
        assert (cancelling.returncode, out, err) == (0, f"run {run[:8]}: cancelled\n", "")
        _, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "Ended by `cortical runs cancel`" in err

    watched = reader.run("runs", "watch", run)
    assert watched.code == 0
    assert watched.out.splitlines()[-1] == f"run {run[:8]}: cancelled"
    again = reader.run("runs", "cancel", run)
    assert (again.code, "has ended already" in again.err) == (2, True)
    refused = reader.run("runs", "resume", run)
    assert (refused.code, "has ended (cancelled)" in refused.err) == (2, True)


def test_a_turn_whose_process_was_killed_is_seen_and_taken_up(reader: Any) -> None:
    with _stopped(reader, "taken-up") as (process, run):
        process.kill()
        process.communicate(timeout=20)
    left = reader.run("runs", "watch", run)
    assert (left.code, left.out.splitlines()[-1]) == (
        1,
        f"run {run[:8]}: nobody works on it. To go on: cortical runs resume {run[:8]}",
    )
    resumed = reader.json("runs", "resume", run[:8])
    assert (resumed["status"], resumed["run_id"], resumed["continued"]) == ("done", run, True)
    assert [step["node"] for step in resumed["route"]][:2] == ["begin", "perceive"]
    assert reader.run("runs", "watch", "no-such-run").code == 2
