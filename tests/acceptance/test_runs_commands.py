"""Runs that are watched, ended and taken up from another terminal."""

import signal
import subprocess
from pathlib import Path
from typing import Any

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
RECORDING = DEMO / "questions" / "spare-key.wav"


def _begun(user: Any, thread: str) -> tuple[subprocess.Popen[str], str]:
    """Begin a turn that hears something; return its process and the id of its run."""
    process = user.start("ask", "--file", RECORDING, "--thread", thread)
    for line in process.stderr:
        if line.strip() == "… perceive":
            break
    (run,) = user.json("runs", "list", "--thread", thread)
    assert run["status"] == "running"
    return process, str(run["run_id"])


def test_a_turn_is_ended_from_another_terminal(reader: Any) -> None:
    process, run = _begun(reader, "ended-from-elsewhere")
    done = reader.run("runs", "cancel", run[:8])
    assert (done.code, done.out) == (0, f"run {run[:8]}: cancelled\n")
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
    process, run = _begun(reader, "taken-up")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    left = reader.run("runs", "watch", run)
    assert (left.code, left.out.splitlines()[-1]) == (
        1,
        f"run {run[:8]}: nobody works on it. To go on: cortical runs resume {run[:8]}",
    )
    resumed = reader.json("runs", "resume", run[:8])
    assert (resumed["status"], resumed["run_id"], resumed["continued"]) == ("done", run, True)
    nodes = [step["node"] for step in resumed["route"]]
    assert nodes[:2] == ["begin", "perceive"]
    assert reader.run("runs", "watch", "no-such-run").code == 2
