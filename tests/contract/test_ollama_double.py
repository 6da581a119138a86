"""The double speaks as Ollama does, so that Ollama's own client understands it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server
from typing import Any

import httpx
import ollama
import pytest

from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel, duration
from agent.ollama_double.script import (
    FailMidway,
    Raw,
    Refuse,
    Say,
    call,
    computed,
    read_script,
    scripted,
)

Serve = Callable[[Any], AbstractAsyncContextManager[str]]

PLAIN = DoubleModel(name="phi4:latest", capabilities=("completion",), context_length=16_384)
VECTORS = DoubleModel(name="all-minilm:latest", capabilities=("embedding",), dimensions=12)
HELLO = [{"role": "user", "content": "Hello"}]


@asynccontextmanager
async def speaking(serve: Serve, double: OllamaDouble) -> AsyncIterator[ollama.AsyncClient]:
    async with serve(double) as url, client(url) as asked:
        yield asked


def client(url: str) -> ollama.AsyncClient:
    return ollama.AsyncClient(host=url, trust_env=False, verify=False)


async def test_a_streamed_chat_ends_with_one_done_and_its_figures(serve: Serve) -> None:
    async with speaking(
        serve, OllamaDouble(scripted(Say(text="Hello there, user.", thinking="Hm.")))
    ) as asked:
        stream = await asked.chat("qwen3:14b", HELLO, stream=True)
        events = [event async for event in stream]

    assert "".join(event.message.content or "" for event in events) == "Hello there, user."
    assert "".join(event.message.thinking or "" for event in events) == "Hm."
    assert [event.done for event in events] == [False] * (len(events) - 1) + [True]
    last = events[-1]
    assert last.done_reason == "stop"
    assert last.eval_count == 5
    assert last.prompt_eval_count == 4 + 1
    assert last.total_duration == (
        (last.load_duration or 0) + (last.prompt_eval_duration or 0) + (last.eval_duration or 0)
    )


async def test_an_answer_without_a_stream_is_one_object(serve: Serve) -> None:
    say = Say(text="I look.", thinking="Hm.", calls=[call("recall", query="pump")])
    async with speaking(serve, OllamaDouble(scripted(say, "Hello."))) as asked:
        chat = await asked.chat("qwen3:14b", HELLO, stream=False)
        generated = await asked.generate("qwen3:14b", "Hello", system="Be brief.")

    assert (chat.message.content, chat.message.thinking) == ("I look.", "Hm.")
    assert chat.message.tool_calls is not None
    assert chat.message.tool_calls[0].function.arguments == {"query": "pump"}
    assert generated.response == "Hello."


async def test_models_are_listed_shown_and_pulled(serve: Serve) -> None:
    async with speaking(serve, OllamaDouble(models=[PLAIN])) as asked:
        statuses = [event.status async for event in await asked.pull("qwen3:8b", stream=True)]
        names = [model.model for model in (await asked.list()).models]
        shown = await asked.show("phi4")

    assert statuses[0] == "pulling manifest"
    assert statuses[-1] == "success"
    assert names == ["phi4:latest", "qwen3:8b"]
    assert shown.capabilities == ["completion"]
    assert shown.modelinfo is not None
    assert shown.modelinfo["qwen3.context_length"] == 16_384


async def test_vectors_depend_on_the_text_alone(serve: Serve) -> None:
    async with speaking(serve, OllamaDouble(models=[VECTORS])) as asked:
        first = await asked.embed("all-minilm", ["a", "b"])
        again = await asked.embed("all-minilm", "a")

    assert [len(vector) for vector in first.embeddings] == [12, 12]
    assert first.embeddings[0] == again.embeddings[0] != first.embeddings[1]


async def test_an_empty_request_loads_and_keep_alive_zero_unloads(serve: Serve) -> None:
    async with speaking(serve, OllamaDouble()) as asked:
        loaded = await asked.generate("qwen3:14b", keep_alive=-1, options={"num_ctx": 8_192})
        (resident,) = (await asked.ps()).models
        unloaded = await asked.chat("qwen3:14b", [], keep_alive=0)
        left = (await asked.ps()).models

    assert (loaded.done_reason, unloaded.done_reason) == ("load", "unload")
    assert resident.context_length == 8_192
    assert resident.size == resident.size_vram
    assert resident.expires_at is not None
    assert resident.expires_at.year > 2300
    assert left == []


async def test_a_model_leaves_when_its_time_is_over(serve: Serve) -> None:
    moments = [datetime(2026, 3, 2, tzinfo=UTC)]
    double = OllamaDouble(scripted("a", "b"), now=lambda: moments[-1])
    async with speaking(serve, double) as asked:
        await asked.chat("qwen3:14b", HELLO, keep_alive="10m")
        moments.append(moments[-1] + timedelta(minutes=9))
        still = len((await asked.ps()).models)
        moments.append(moments[-1] + timedelta(minutes=2))
        gone = len((await asked.ps()).models)

    assert (still, gone) == (1, 0)


@pytest.mark.parametrize(
    ("value", "seconds"), [(300, 300), ("5m", 300), ("1h30m", 5400), ("90", 90), ("500ms", 0.5)]
)
def test_a_keep_alive_is_seconds_or_a_duration_of_go(value: str | int, seconds: float) -> None:
    assert duration(value) == timedelta(seconds=seconds)


async def test_other_options_load_the_model_anew_and_sampling_does_not(serve: Serve) -> None:
    double = OllamaDouble(computed(lambda _: Say(text="a")))
    async with speaking(serve, double) as asked:
        for options in (
            {"num_ctx": 8_192},
            {"num_ctx": 8_192, "temperature": 1, "seed": 3, "num_predict": 9},
            {"num_ctx": 4_096},
            {"num_ctx": 4_096, "num_batch": 512},
        ):
            await asked.chat("qwen3:14b", HELLO, options=options)

    assert [request.loaded for request in double.asked] == [True, False, True, True]


async def test_what_is_too_long_is_cut_without_a_word_unless_truncate_is_false(
    serve: Serve,
) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        *({"role": "user", "content": "word " * 300} for _ in range(4)),
    ]
    body = {"model": "qwen3:14b", "messages": messages, "options": {"num_ctx": 700}}
    double = OllamaDouble(computed(lambda _: Say(text="a")))
    async with serve(double) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        cut = await http.post("/api/chat", json={**body, "stream": False})
        refused = await http.post("/api/chat", json={**body, "truncate": False})

    assert cut.status_code == 200
    assert cut.json()["prompt_eval_count"] <= 700 < double.asked[0].prompt_tokens
    assert double.asked[0].read_tokens == 2 * (4 + 300) + 4 + 3
    assert refused.status_code == 400
    assert "exceeds the available context size" in refused.json()["error"]


async def test_one_turn_that_is_too_long_is_read_up_to_the_context(serve: Serve) -> None:
    double = OllamaDouble(scripted("a"))
    async with speaking(serve, double) as asked:
        chat = await asked.chat(
            "qwen3:14b",
            [{"role": "user", "content": "word " * 900}],
            options={"num_ctx": 512},
        )

    assert chat.prompt_eval_count == 512


async def test_a_prompt_that_begins_as_the_last_one_is_partly_cached(serve: Serve) -> None:
    double = OllamaDouble(computed(lambda _: Say(text="a")))
    body = {"model": "qwen3:14b", "stream": False}
    async with serve(double) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        answers = [
            (
                await http.post(
                    "/api/chat",
                    json={**body, "messages": [{"role": "user", "content": f"a b c d {last}"}]},
                )
            ).json()
            for last in ("e", "f")
        ]

    assert [answer["prompt_eval_cached_count"] for answer in answers] == [0, 4]
    assert [answer["prompt_eval_count"] for answer in answers] == [9, 9]


@pytest.mark.parametrize(
    ("wish", "status", "words"),
    [
        ({"model": "none"}, 404, "model 'none' not found"),
        ({"model": ""}, 400, "model is required"),
        ({"model": "phi4", "tools": [{"type": "function"}]}, 400, "does not support tools"),
        ({"model": "phi4", "think": True}, 400, "does not support thinking"),
    ],
)
async def test_what_a_model_cannot_do_is_refused(
    serve: Serve, wish: dict[str, Any], status: int, words: str
) -> None:
    double = OllamaDouble(scripted("a"), models=[PLAIN])
    async with serve(double) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        answer = await http.post("/api/chat", json={"messages": HELLO, **wish})

    assert answer.status_code == status
    assert words in answer.json()["error"]


async def test_faults_come_as_the_client_of_ollama_knows_them(serve: Serve) -> None:
    script = scripted(
        Refuse(status=503, error="server busy, please try again"),
        FailMidway(error="CUDA error", text="He"),
        Raw(lines=["{"]),
    )
    async with speaking(serve, OllamaDouble(script)) as asked:
        with pytest.raises(ollama.ResponseError) as busy:
            await asked.chat("qwen3:14b", HELLO)
        with pytest.raises(ollama.ResponseError, match="CUDA error"):
            async for _ in await asked.chat("qwen3:14b", HELLO, stream=True):
                pass
        with pytest.raises(json.JSONDecodeError):
            async for _ in await asked.chat("qwen3:14b", HELLO, stream=True):
                pass

    assert busy.value.status_code == 503


async def test_a_script_that_has_run_out_is_an_error(serve: Serve) -> None:
    async with speaking(serve, OllamaDouble(scripted("a"))) as asked:
        await asked.chat("qwen3:14b", HELLO)
        with pytest.raises(ollama.ResponseError, match="script has run out"):
            await asked.chat("qwen3:14b", HELLO)


async def test_thinking_is_left_out_where_the_request_forbids_it(serve: Serve) -> None:
    double = OllamaDouble(computed(lambda _: Say(text="Hello.", thinking="Hm.")))
    async with speaking(serve, double) as asked:
        quiet = await asked.chat("qwen3:14b", HELLO, think=False)
        loud = await asked.chat("qwen3:14b", HELLO)

    assert (quiet.message.thinking, loud.message.thinking) == (None, "Hm.")


def test_a_script_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    entries = [
        "Hello.",
        {"say": {"calls": [call("recall", query="pump")]}},
        {"refuse": {"status": 503, "error": "busy"}},
        {"breakoff": {"text": "He", "cleanly": True}},
    ]
    path.write_text(json.dumps({"loop": True, "replies": entries}), "utf-8")
    script = read_script(path)

    assert script.loop
    assert script.replies[0] == Say(text="Hello.")
    assert script.replies[2] == Refuse(status=503, error="busy")


async def test_the_double_serves_in_a_process_of_its_own(tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"loop": True, "replies": ["Hello."]}), "utf-8")
    command = [sys.executable, "-m", "agent.ollama_double", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        *command, "--script", str(script), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60), client(f"http://127.0.0.1:{port}") as asked:
            while b"running on" not in await process.stderr.readline():
                pass
            answer = await asked.chat("qwen3:14b", HELLO)
        assert answer.message.content == "Hello."
    finally:
        process.terminate()
        await process.communicate()
