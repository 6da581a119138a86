"""What is particular to a model in process: one slot, its threads, its memory, its signals."""

import asyncio
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from agent.executives.llamacpp.executive import LlamaCppExecutive
from graphs.errors import ExecutiveError, ModelMissingError
from graphs.executive import EndPart, EndReason, Prompt, ReplyPart, TextPart, Wish

CONTEXT_TOKENS = 512


@pytest.fixture(scope="module")
def executive() -> Iterator[LlamaCppExecutive]:
    made = LlamaCppExecutive.embedded(context_tokens=CONTEXT_TOKENS)
    yield made
    asyncio.run(made.aclose())


def prompt(text: str) -> Prompt:
    return Prompt(system="You answer briefly.", messages=(HumanMessage(text),))


async def parts_of(
    executive: LlamaCppExecutive, text: str, wish: Wish | None = None
) -> list[ReplyPart]:
    return [part async for part in executive.stream(prompt(text), wish or Wish(max_tokens=8))]


def text_of(parts: list[ReplyPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextPart))


async def test_a_full_context_ends_the_answer_and_nothing_is_shifted(
    executive: LlamaCppExecutive,
) -> None:
    endless = Wish(max_tokens=500, schema={"type": "string", "minLength": 5_000})
    end = (await parts_of(executive, "word " * (CONTEXT_TOKENS - 64), endless))[-1]

    assert isinstance(end, EndPart)
    assert end.reason is EndReason.LENGTH
    assert end.prompt_tokens > CONTEXT_TOKENS - 64
    assert end.prompt_tokens + end.answer_tokens == CONTEXT_TOKENS


async def test_a_prompt_that_is_being_read_can_be_cancelled(executive: LlamaCppExecutive) -> None:
    await parts_of(executive, "Hello")
    task = asyncio.create_task(parts_of(executive, "pump " * 440))
    waiting = asyncio.create_task(parts_of(executive, "Say hello."))
    await executive.count(prompt("x"), Wish())
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert text_of(await waiting)


async def test_a_stream_that_is_closed_while_it_waits_its_turn_never_runs(
    executive: LlamaCppExecutive,
) -> None:
    first = asyncio.create_task(parts_of(executive, "Tell a story.", Wish(max_tokens=40)))
    second = asyncio.create_task(parts_of(executive, "Tell another.", Wish(max_tokens=900)))
    await executive.count(prompt("x"), Wish())
    second.cancel()

    assert text_of(await first)
    with pytest.raises(asyncio.CancelledError):
        await second


def test_several_event_loops_share_the_model(executive: LlamaCppExecutive) -> None:
    answers: list[str] = []

    def run(word: str) -> None:
        answers.append(text_of(asyncio.run(parts_of(executive, f"Say {word}."))))

    threads = [threading.Thread(target=run, args=(word,)) for word in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 2
    assert all(answers)


async def test_a_model_that_was_freed_is_loaded_again_when_it_is_asked() -> None:
    executive = LlamaCppExecutive.embedded(context_tokens=512)
    await executive.aclose()
    first = text_of(await parts_of(executive, "Hello"))
    await executive.aclose()
    second = text_of(await parts_of(executive, "Hello"))
    await executive.aclose()

    assert first == second != ""


async def test_a_directory_too_deep_for_a_socket_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with pytest.raises(ExecutiveError, match="TMPDIR"):
        await parts_of(LlamaCppExecutive.embedded(context_tokens=512), "Hello")

    assert not list(deep.iterdir())


async def test_a_file_that_is_cut_short_is_named(tmp_path: Path) -> None:
    short = tmp_path / "short.gguf"
    await asyncio.to_thread(_cut, short)
    executive = LlamaCppExecutive.of(short, context_tokens=512)

    with pytest.raises(ModelMissingError, match=r"short\.gguf"):
        await parts_of(executive, "Hello")


def _cut(short: Path) -> None:
    from agent.executives.gguf.header import embedded_model

    model = embedded_model()
    with model.open("rb") as file:
        short.write_bytes(file.read(8_000_000))


PROGRAM = """
import asyncio, os, signal
from langchain_core.messages import HumanMessage
from agent.executives.llamacpp.executive import LlamaCppExecutive
from graphs.executive import Prompt, Wish

async def main():
    executive = LlamaCppExecutive.embedded()
    prompt = Prompt(system="", messages=(HumanMessage("pump " * 600),))
    wish = Wish(max_tokens=4, schema={"type": "string", "minLength": 90})
    async for _ in executive.stream(prompt, wish):
        pass
    mapped = any(line.rstrip().endswith(".gguf") for line in open("/proc/self/maps"))
    listening = [line for line in open("/proc/net/tcp") if line.split()[3] == "0A"]
    own = {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
           if os.path.exists(f"/proc/self/fd/{fd}")}
    ports = [line for line in listening if f"socket:[{line.split()[9]}]" in own]
    await executive.aclose()
    return mapped, ports

mapped, ports = asyncio.run(main())
assert mapped, "the weights are not mapped"
assert not ports, "it listens on the network"
(peak,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
peak_mb = int(peak.split()[1]) / 1024
assert peak_mb < 420, f"{peak_mb:.0f} MB"
try:
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
except KeyboardInterrupt:
    print("interrupted")
"""


async def test_a_process_with_the_model_stays_small_quiet_and_its_own_master() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)

    assert err == b""
    assert out == b"interrupted\n"
    assert process.returncode == 0
