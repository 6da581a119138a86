"""`cortical talk` as a person uses it who has recordings in place of devices."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import wave
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.script import Asked, Say, computed
from tools.senses.base import SAMPLE_RATE_HZ, Speech
from tools.senses.media import decode_audio, encode_wav

QUESTIONS = Path(__file__).parents[2] / "deploy" / "demo" / "questions"


def recording(path: Path, *parts: Path | float) -> Path:
    """Write a recording made of others and of pauses in seconds."""
    found = [_part(part) for part in parts]
    samples = np.concatenate(found)
    samples += np.random.default_rng(0).normal(0, 5e-4, len(samples))
    pcm = np.clip(samples * 32767, -32768, 32767).astype(np.int16)
    path.write_bytes(encode_wav(Speech(samples=pcm, sample_rate_hz=SAMPLE_RATE_HZ)))
    return path


def _part(part: Path | float) -> Any:
    if isinstance(part, Path):
        return asyncio.run(decode_audio(part.read_bytes(), part.name)).samples
    return np.zeros(round(part * SAMPLE_RATE_HZ), np.float32)


def events(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def named(found: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in found if event["event"] == name]


def heard(path: Path) -> Any:
    with wave.open(str(path)) as reader:
        return np.frombuffer(reader.readframes(reader.getnframes()), np.int16)


def test_a_recording_is_answered_aloud_broken_into_and_the_conversation_goes_on(
    reader: Any, tmp_path: Path
) -> None:
    asked = QUESTIONS / "water-filter.wav"
    spoken = recording(tmp_path / "in.wav", 1.0, asked, 2.5, QUESTIONS / "washing-machine.wav", 1.0)
    out = tmp_path / "out.wav"
    done = reader.run("talk", "--microphone", spoken, "--speaker", out, "--thread", "t1", "--json")
    assert done.code == 0, done.err
    found = events(done.out)
    first, *_ = named(found, "heard")
    assert "water filter" in first["text"]
    said = named(found, "said")
    assert "six weeks" in said[0]["text"].lower()
    (interrupted, *_) = named(found, "interrupted")
    assert interrupted["heard"].removesuffix(" …") in said[0]["text"]
    assert "washing machine" in named(found, "heard")[1]["text"]
    assert named(found, "over")
    assert heard(out).any()
    assert not list((reader.home / "data" / "talk").glob("*.wav")), "no voice stays on the disk"

    short = tmp_path / "short.wav"
    short.write_bytes(recording(short, asked, 4.0).read_bytes()[:-90_000])
    plain = reader.run(
        "talk", "--microphone", short, "--speaker", out, "--thread", "t1", "--no-barge-in"
    )
    assert plain.code == 0, plain.err
    lines = plain.out.splitlines()
    assert lines[0].startswith("Listening")
    assert lines[1].startswith("note: short.wav: cut short")
    assert any(line.startswith("you: ") and "water filter" in line for line in lines)
    assert any(line.startswith("cortical: ") for line in lines)
    assert any(line.startswith("  [1] ") for line in lines)
    runs = [run for run in reader.json("runs", "list") if run["thread_id"] == "t1"]
    assert len(runs) == 3


def test_silence_and_noise_are_not_answered(reader: Any, tmp_path: Path) -> None:
    spoken = recording(tmp_path / "in.wav", 8.0)
    out = tmp_path / "out.wav"
    done = reader.run("talk", "--microphone", spoken, "--speaker", out, "--json")
    assert done.code == 0, done.err
    assert {event["event"] for event in events(done.out)} == {"tiers", "listening", "over"}
    assert not heard(out).any()


@pytest.mark.parametrize("kind", ["broken", "empty", "missing", "text"])
def test_a_recording_that_is_none_is_named_and_nothing_is_overwritten(
    reader: Any, tmp_path: Path, kind: str
) -> None:
    path, out = tmp_path / "in.wav", tmp_path / "out.wav"
    out.write_text("mine")
    contents = {
        "broken": (QUESTIONS / "water-filter.wav").read_bytes()[:40],
        "empty": b"",
        "text": b"This is no recording.",
    }
    if kind in contents:
        path.write_bytes(contents[kind])
    done = reader.run("talk", "--microphone", path, "--speaker", out)
    assert done.code in (1, 2)
    assert "in.wav" in done.err
    assert "Traceback" not in done.err
    assert out.read_text() == "mine"


def test_a_key_needs_a_terminal_and_a_microphone(reader: Any) -> None:
    done = reader.run("talk", "--push-to-talk")
    assert done.code == 2
    assert "needs a terminal" in done.err
    done = reader.run("talk", "--push-to-talk", "--microphone", QUESTIONS / "water-filter.wav")
    assert done.code == 2
    assert "--microphone" in done.err


def test_ctrl_c_ends_it_and_tells_how_to_go_on(reader: Any, tmp_path: Path) -> None:
    spoken = recording(tmp_path / "in.wav", QUESTIONS / "water-filter.wav", 120.0)
    out = tmp_path / "out.wav"
    process = reader.start(
        "talk", "--microphone", spoken, "--speaker", out, "--real-time", "--thread", "a b", "--json"
    )
    with process:
        while json.loads(process.stdout.readline())["event"] != "said":
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "cortical talk --thread 'a b'" in err
    assert "Traceback" not in err
    assert len(heard(out)) / 24_000 > 2, "what was said so far stands there"


def test_a_model_is_stopped_in_the_middle_of_its_answer_and_knows_what_was_heard(
    reader: Any, serving: Callable[[OllamaDouble], Any], tmp_path: Path
) -> None:
    asked: list[list[dict[str, Any]]] = []

    def answering(request: Asked) -> Say:
        asked.append(request.body["messages"])
        words = "The library opens at nine o'clock in the morning. " + "It never closes. " * 60
        return Say(text=words if len(asked) == 1 else "Yes.")

    spoken = recording(
        tmp_path / "in.wav",
        1.0,
        QUESTIONS / "water-filter.wav",
        2.0,
        QUESTIONS / "washing-machine.wav",
        2.0,
    )
    double = OllamaDouble(computed(answering), models=[DoubleModel()], pace_s=0.03)
    with serving(double) as server:
        place = {"CORTICAL_OLLAMA__URL": server.url, "CORTICAL_OLLAMA__PROBE_TIMEOUT_S": "30"}
        person = replace(reader, settings={**reader.settings, **place})
        out = tmp_path / "out.wav"
        found = person.run("talk", "--microphone", spoken, "--speaker", out, "--json")
    assert found.code == 0, found.err
    told = events(found.out)
    (interrupted,) = named(told, "interrupted")
    assert interrupted["heard"].startswith("The library opens")
    assert named(told, "said")[-1]["text"] == "Yes."
    thread = named(told, "over")[0]["thread_id"]
    runs = [run for run in person.json("runs", "list") if run["thread_id"] == thread]
    assert [run["status"] for run in runs] == ["done", "cancelled"]
    # What the model is shown as its own words is what was heard of them.
    own = [one["content"] for one in asked[-1] if one["role"] == "assistant"]
    assert own == [f"{interrupted['heard']} [the user broke in here]"]


def test_what_a_voice_asks_for_is_done_once_it_was_approved_at_the_terminal(
    user: Any, tmp_path: Path
) -> None:
    fact = tmp_path / "fact.wav"
    assert user.run("say", "Remember that the ladder is in the garden.", "-o", fact).code == 0
    spoken, out = recording(tmp_path / "in.wav", 1.0, fact, 2.0), tmp_path / "out.wav"
    unseen = user.run("talk", "--microphone", spoken, "--speaker", out, "--thread", "t1")
    assert unseen.code == 0, unseen.err
    assert "cortical ask --thread t1" in unseen.out
    assert user.json("memory", "list")["memories"] == []

    ours, theirs = pty.openpty()
    command = user.command("talk", "--microphone", spoken, "--speaker", out, "--thread", "t2")
    with subprocess.Popen(
        command, env=user.environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = read_until(ours, b"[y/N]")
        os.write(ours, b"y\n")
        shown += read_until(ours, b"cortical: Remembered")
        assert process.wait(timeout=60) == 0, shown
    os.close(ours)
    (remembered,) = user.json("memory", "list")["memories"]
    assert remembered["label"]["origins"] == ["recording"]


def read_until(terminal: int, words: bytes) -> bytes:
    shown = b""
    while words not in shown:
        shown += os.read(terminal, 4_096)
    return shown


async def test_a_key_is_pressed_at_the_terminal_which_is_lent_for_a_line_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from agent.talking.keys import Keys

    ours, theirs = pty.openpty()
    presses: asyncio.Queue[None] = asyncio.Queue()
    with os.fdopen(theirs, "r") as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        keys = Keys(lambda: presses.put_nowait(None))
        with keys.open():
            os.write(ours, b" ")
            await asyncio.wait_for(presses.get(), 5)

            def line() -> str:
                with keys.lent():
                    os.write(ours, b"yes \n")
                    return terminal.readline()

            assert await asyncio.to_thread(line) == "yes \n"
            assert presses.empty()
            os.write(ours, b"x\n")
            await asyncio.wait_for(presses.get(), 5)
            assert presses.empty()
    os.close(ours)
