"""An answer on a real terminal: shown as it is written, stopped with Ctrl-C, gone on with."""

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.script import Asked, Say, computed

DOCUMENT = Path(__file__).parents[2] / "docs" / "executive.md"
QUESTION = "What was wrong with the rain water pump?"
PACE_S = 0.06
"""A pause before each token, as a small machine makes it."""

at_once = pytest.mark.parametrize("pace_s", [0.0])
"""For an answer in which nothing is to be stopped or timed."""


def answering(asked: Asked) -> Say:
    """Answer as a model would that has read the passages, or go on with what stands."""
    messages = asked.body["messages"]
    last = messages[-1]
    begun = last["content"] if last["role"] == "assistant" else ""
    shown = "\n".join(message["content"] for message in messages)
    passages = re.split(r"^\[(\d+)\] ", shown, flags=re.MULTILINE)
    found = dict(zip(passages[1::2], passages[2::2], strict=True))
    turns, garage, weight = (
        next(number for number, text in found.items() if words in text)
        for words in ("hums and no longer turns", "put the new motor into", "38.5 kg")
    )
    answer = (
        f"The motor of the rain water pump hums and no longer turns [{turns}]. The driver has put "
        f"the new motor into the garage [{garage}]. The total weight of the delivery is 38.5 kg "
        f"[{weight}]."
    )
    assert answer.startswith(begun)
    return Say(text=answer.removeprefix(begun), thinking="First I look at the log.\n")


@pytest.fixture
def pace_s() -> float:
    return PACE_S


@pytest.fixture
def served(serving: Callable[[OllamaDouble], Any], pace_s: float) -> Iterator[Any]:
    model = DoubleModel(capabilities=("completion", "tools", "thinking"))
    double = OllamaDouble(computed(answering), models=[model], pace_s=pace_s)
    with serving(double) as server:
        yield server


@pytest.fixture
def person(reader: Any, served: Any) -> Any:
    """Somebody who has the demo pack in memory, and a server."""
    server = {"CORTICAL_OLLAMA__URL": served.url, "CORTICAL_OLLAMA__PROBE_TIMEOUT_S": "30"}
    return replace(reader, settings={**reader.settings, **server})


def wait_for(there: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
    """Wait until something of another process is there."""
    end = time.monotonic() + timeout_s
    while not there():
        assert time.monotonic() < end, "it did not come"
        select.select([], [], [], 0.01)


class Session:
    """A command on a terminal of its own."""

    def __init__(self, person: Any, *words: str, out: int | None = None) -> None:
        self._master, slave = pty.openpty()
        self.raw = ""
        self.process = subprocess.Popen(
            person.command(*words),
            env={**person.environment, "TERM": "xterm"},
            stdin=slave,
            stdout=slave if out is None else out,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one system call, which takes no lock
        )
        os.close(slave)

    def until(self, words: str, *, timeout_s: float = 60.0) -> None:
        """Read until these words stand on the screen."""
        end = time.monotonic() + timeout_s
        while words not in self.screen:
            assert self._read(end), f"{words!r} did not come: {self.raw!r}"

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._master, key.encode())

    def ended(self, *, timeout_s: float = 60.0) -> int:
        """Read to the end and return the exit code."""
        end = time.monotonic() + timeout_s
        while self._read(end):
            pass
        return self.process.wait(timeout=max(0.1, end - time.monotonic()))

    def _read(self, end: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return False
        try:
            piece = os.read(self._master, 65_536)
        except OSError:  # the other side is closed
            return False
        self.raw += piece.decode()
        return bool(piece)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=20)
        os.close(self._master)

    @property
    def screen(self) -> str:
        """What a person sees, without the way a line was made and unmade."""
        lines = []
        for line in self.raw.replace("\r\n", "\n").split("\n"):
            shown = re.sub(r"\x1b\[2?2?m", "", line.rpartition("\r\x1b[2K")[2])
            lines.append(shown)
        return "\n".join(lines)


@contextmanager
def session(person: Any, *words: str, out: int | None = None) -> Iterator[Session]:
    opened = Session(person, *words, out=out)
    try:
        yield opened
    finally:
        opened.close()


def steady(screen: str) -> str:
    """Return a screen without what differs from machine to machine and from run to run."""
    text = re.sub(r"\b\d+\.\d\d s", "0.00 s", screen)
    text = re.sub(r"\b\d+\.\d+\.\d+\b", "0.0.0", text)
    text = re.sub(r"run [0-9a-f]{8}", "run 00000000", text)
    text = re.sub(r"file:///\S*/deploy/", "file:///deploy/", text)
    text = re.sub(r"(The driver has put)[^\n]*\^C", r"\1^C", text)
    marks = list(dict.fromkeys(re.findall(r"\[\d+\]", text)))
    return re.sub(r"\[\d+\]", lambda mark: f"[{marks.index(mark[0]) + 1}]", text).strip()


def documented() -> list[tuple[str, str]]:
    """Return the commands of the session that the documents show, and what stands below each."""
    page = DOCUMENT.read_text()
    block = page[page.index(f'```text\n$ cortical ask "{QUESTION}"') :].split("```")[1]
    commands = block.removeprefix("text\n").split("$ ")[1:]
    return [(first, rest) for first, _, rest in (one.partition("\n") for one in commands)]


def test_an_answer_is_shown_as_it_is_written_stopped_and_gone_on_with(
    person: Any, served: Any
) -> None:
    with session(person, "ask", QUESTION, "--thread", "pump") as first:
        first.until("The driver has put")
        first.press("\x03")
        assert first.ended() == 130
    stopped = served.double.asked[0]
    runs = person.json("runs", "list", "--thread", "pump")
    with session(person, "ask", "--thread", "pump") as second:
        assert second.ended() == 0

    assert stopped.over.is_set()
    assert stopped.gone, "the server was told that nobody listens any more"
    assert [run["status"] for run in runs] == ["paused"]
    assert "cortical ask --thread pump" in first.screen
    kept = first.screen.split("\n")
    (words,) = [line for line in kept if line.startswith("The motor of")]
    words = words.partition("^C")[0]
    going_on = served.double.asked[1].body["messages"][-1]
    assert going_on["role"] == "assistant"
    assert going_on["content"].startswith(words.rstrip()), "no word that was shown is lost"
    assert second.screen.count("The motor of the rain water pump hums and no longer turns") == 1
    assert "The total weight of the delivery is 38.5 kg [" in second.screen
    assert "the motor of the rain water pump hums and no longer turns.”" in second.screen
    (run,) = person.json("runs", "list", "--thread", "pump")
    assert run["status"] == "done"
    expected = [
        (f'cortical ask "{QUESTION}" --thread pump', steady(first.screen)),
        ("cortical ask --thread pump", steady(second.screen)),
    ]
    assert [(command, steady(screen)) for command, screen in documented()] == expected


def test_a_second_ctrl_c_ends_at_once_and_the_run_goes_on_as_after_a_kill(
    person: Any, served: Any
) -> None:
    with session(person, "ask", QUESTION, "--thread", "twice") as opened:
        opened.until("The driver")
        opened.process.send_signal(signal.SIGSTOP)
        opened.press("\x03")
        opened.press("\x03")
        opened.process.send_signal(signal.SIGINT)
        opened.process.send_signal(signal.SIGCONT)
        assert opened.ended(timeout_s=20) == 130

    result = person.json("ask", "--thread", "twice")

    assert result["continued"]
    assert result["answer"].startswith("The motor of the rain water pump hums")


@at_once
def test_what_goes_into_a_pipe_is_the_checked_answer_alone(person: Any) -> None:
    done = person.run("ask", QUESTION, "--think")

    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("The motor of the rain water pump hums and no longer turns [")
    assert sum("and no longer turns [" in line for line in lines) == 1
    assert "First I look" not in done.out + done.err
    assert "\x1b" not in done.out + done.err


@at_once
def test_thinking_is_dim_on_a_terminal_and_in_no_pipe(person: Any, tmp_path: Path) -> None:
    words = ("ask", QUESTION, "--think", "--verbose")
    with (
        (tmp_path / "out").open("w") as out,
        session(person, *words, out=out.fileno()) as opened,
    ):
        assert opened.ended() == 0
    answer = (tmp_path / "out").read_text()

    thoughts = "".join(re.findall(r"\x1b\[2m(.*?)\x1b\[22m", opened.raw, re.DOTALL))
    assert thoughts.replace("\r\n", "\n") == "First I look at the log.\n"
    assert "First I look" not in answer
    assert answer.startswith("The motor of the rain water pump")
    assert re.search(r"\d+ tokens read \(\d+ of them found in the cache\), \d+ written, ", answer)


@at_once
def test_thinking_is_hidden_where_it_is_not_asked_for(person: Any, served: Any) -> None:
    with session(person, "ask", QUESTION) as opened:
        assert opened.ended() == 0

    assert served.double.asked[0].body["think"] is False
    assert "First I look" not in opened.screen


def test_usage_is_in_the_json(person: Any) -> None:
    result = person.json("ask", QUESTION)

    used = result["usage"]
    assert used["read"] == result["tokens"]["read"] > 100
    assert used["written"] == result["tokens"]["written"] > 20
    assert 0 <= used["cached"] < used["read"]
    assert used["first_token_s"] > 0
    assert 1 < used["tokens_per_s"] < 1.2 / PACE_S
    assert result["ended_by"] is None


def test_ctrl_c_at_a_question_ends_and_the_question_stays_open(person: Any, served: Any) -> None:
    calling = {"function": {"name": "remember", "arguments": {"fact": "The pump is blue."}}}
    served.double.script.responder = lambda _: Say(calls=[calling])
    with session(person, "ask", QUESTION, "--thread", "asks") as opened:
        opened.until("Do it? [y/N]")
        opened.press("\x03")
        assert opened.ended(timeout_s=20) == 130

    (run,) = person.json("runs", "list", "--thread", "asks")
    assert run["status"] == "waiting"


def test_a_stop_where_there_is_no_terminal_leaves_standard_output_empty(
    person: Any, served: Any
) -> None:
    words = ("ask", QUESTION, "--thread", "piped", "--json")
    with person.start(*words) as process:
        wait_for(lambda: bool(served.double.asked))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert out == ""
    assert err.endswith("Stopped; what was done is kept. To go on: cortical ask --thread piped\n")
    wait_for(served.double.asked[0].over.is_set)
    (run,) = person.json("runs", "list", "--thread", "piped")
    assert run["status"] == "paused"
