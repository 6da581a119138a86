"""A process that is killed in the middle of a turn loses nothing that was finished."""

import signal
import subprocess
from pathlib import Path
from typing import Any

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
RECORDING = DEMO / "questions" / "spare-key.wav"


def _killed_at(user: Any, node: str, *words: str | Path) -> None:
    """Begin a command and kill it hard when it says that a node has begun."""
    with user.start(*words) as process:
        for line in process.stderr:
            if line.strip() == f"… {node}":
                process.send_signal(signal.SIGKILL)
                break
        else:
            raise AssertionError(f"the command ended without reaching {node}")
        process.wait(timeout=20)
    assert process.returncode == -signal.SIGKILL


def test_finished_nodes_do_not_run_again_after_a_kill(reader: Any) -> None:
    words = ("ask", "--file", RECORDING, "--thread", "killed-in-reason")
    _killed_at(reader, "reason", *words)

    result = reader.json(*words)

    assert result["continued"]
    assert result["found"]
    nodes = [step["node"] for step in result["route"]]
    assert nodes == ["begin", "perceive", "recall", "reason", "act", "reason"]
    runs = reader.json("runs", "list", "--thread", "killed-in-reason")
    assert [run["status"] for run in runs] == ["done"]


def test_a_turn_that_was_killed_before_its_first_checkpoint_is_begun_again(reader: Any) -> None:
    words = ("ask", "How often must the water filter be cleaned?", "--thread", "killed-at-once")
    _killed_at(reader, "begin", *words)

    result = reader.json(*words)

    assert result["found"]
    nodes = [step["node"] for step in result["route"]]
    assert nodes.count("recall") == 1
    assert nodes.count("act") == 1


def test_a_new_question_comes_after_the_one_that_was_cut_off(reader: Any) -> None:
    thread = "killed-then-another"
    _killed_at(reader, "recall", "ask", "What does error code E6 mean?", "--thread", thread)

    result = reader.json("ask", "How often must the water filter be cleaned?", "--thread", thread)

    assert "six weeks" in result["citations"][0]["quote"]
    statuses = [run["status"] for run in reader.json("runs", "list", "--thread", thread)]
    assert statuses == ["done", "done"]


def test_a_thread_that_another_process_works_on_is_left_alone(reader: Any) -> None:
    thread = "busy"
    with reader.start("ask", "--file", RECORDING, "--thread", thread) as first:
        for line in first.stderr:
            if line.strip() == "… perceive":
                first.send_signal(signal.SIGSTOP)
                break
        try:
            second = reader.run("ask", "What is the number of the invoice?", "--thread", thread)
        finally:
            first.send_signal(signal.SIGCONT)
        out, _ = first.communicate(timeout=60)
    assert second.code == 1
    assert thread in second.err
    assert "another process" in second.err
    assert first.returncode == 0
    assert "Traceback" not in out


def test_ten_searches_at_once_start_everything_once(user: Any) -> None:
    processes = [user.start("search", f"pump {number}", "--json") for number in range(10)]
    codes = []
    for process in processes:
        try:
            process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        codes.append(process.returncode)
    assert codes == [0] * 10
    assert user.run("database", "stop").out == "Stopped.\n"
    assert user.run("database", "stop").out == "It was not running.\n"


def test_asking_nothing_finishes_the_turn_that_was_cut_off(reader: Any) -> None:
    thread = "killed-then-nothing"
    _killed_at(reader, "reason", "ask", "What does error code E6 mean?", "--thread", thread)

    result = reader.json("ask", "--thread", thread)

    assert result["continued"]
    assert "hot" in result["citations"][0]["quote"]
    assert reader.run("ask", "--thread", thread).code == 2
