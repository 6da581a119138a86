"""LangGraph's development server runs our graphs, and their runs stand in our registry."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
FACT = "The spare fuse lies in the drawer."
SCRIPT = {
    "replies": [
        "The water filter is cleaned every six weeks [1].",
        {"say": {"calls": [{"function": {"name": "remember", "arguments": {"fact": FACT}}}]}},
        "That is remembered.",
        "The water filter is cleaned every six weeks [1].",
    ]
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A running development server."""

    url: str
    user: Any
    log: Path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _process(*words: str, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(words, start_new_session=True, **more) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)


def _answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers; a refused connection is asked again, an end is a failure."""
    transport = httpx.HTTPTransport(retries=60)  # with the library's own growing pauses
    with httpx.Client(transport=transport, timeout=60, trust_env=False) as client:
        while True:
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(httpx.TransportError):
                client.get(url).raise_for_status()
                return


@pytest.fixture(scope="module")
def server(reader: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The development server beside a double of Ollama with four replies."""
    folder = tmp_path_factory.mktemp("studio")
    script = folder / "script.json"
    script.write_text(json.dumps(SCRIPT))
    double, port = _free_port(), _free_port()
    user = replace(reader, settings={"CORTICAL_OLLAMA__URL": f"http://127.0.0.1:{double}"})
    environment = {**user.environment, "LANGSMITH_TRACING": "false"}
    log = folder / "server.log"
    with (
        log.open("wb") as out,
        _process(
            sys.executable,
            "-m",
            "agent.ollama_double",
            "--port",
            str(double),
            "--script",
            str(script),
            env=environment,
            stdout=out,
            stderr=out,
        ) as ollama,
        _process(
            str(BIN / "langgraph"),
            "dev",
            "--no-browser",
            "--no-reload",
            "--port",
            str(port),
            "--n-jobs-per-worker",
            "10",
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=out,
        ) as process,
    ):
        _answers(f"http://127.0.0.1:{double}/api/version", ollama, log)
        _answers(f"http://127.0.0.1:{port}/ok", process, log)
        yield Server(url=f"http://127.0.0.1:{port}", user=user, log=log)


@pytest.fixture
async def client(server: Server) -> AsyncIterator[LangGraphClient]:
    """The SDK that Studio's own calls correspond to."""
    async with get_client(url=server.url) as opened:
        yield opened


async def test_schemas_and_the_drawing_are_served(client: LangGraphClient) -> None:
    (assistant,) = await client.assistants.search(graph_id="assistant")
    schemas: Any = await client.assistants.get_schemas(assistant["assistant_id"])
    assert "question" in schemas["input_schema"]["properties"]
    drawing: Any = await client.assistants.get_graph(assistant["assistant_id"])
    names = {node["id"] for node in drawing["nodes"]}
    assert names >= {"begin", "perceive", "recall", "reason", "approve", "act", "speak"}


async def test_a_run_streams_ends_in_our_registry_waits_and_forks(
    server: Server, client: LangGraphClient
) -> None:
    thread = await client.threads.create()
    thread_id = thread["thread_id"]
    question = {"question": "How often must the water filter be cleaned?"}

    parts = [
        part
        async for part in client.runs.stream(
            thread_id, "assistant", input=question, stream_mode=["updates", "custom"]
        )
    ]
    events = {part.event for part in parts}
    assert "error" not in events, server.log.read_text()[-6000:]
    assert events >= {"updates", "custom"}
    state: Any = await client.threads.get_state(thread_id)
    assert state["values"]["answer"]["citations"][0]["place"]["page"] == 6
    (run,) = server.user.json("runs", "list", "--thread", thread_id)
    assert (run["graph"], run["status"]) == ("assistant", "done")
    shown = server.user.json("runs", "show", run["run_id"])
    assert [step["node"] for step in shown["route"]] == ["begin", "recall", "reason"]

    history = await client.threads.get_history(thread_id)
    before_reason = next(one for one in history if one["next"] == ["reason"])

    await client.runs.wait(thread_id, "assistant", input={"question": f"Remember: {FACT} Water?"})
    state = await client.threads.get_state(thread_id)
    (interrupt,) = state["interrupts"]
    assert interrupt["value"]["action_requests"][0]["args"] == {"fact": FACT}
    assert server.user.json("runs", "list", "--thread", thread_id)[0]["status"] == "waiting"

    answer = [{"type": "accept", "args": None}]
    await client.runs.wait(thread_id, "assistant", command={"resume": answer})
    state = await client.threads.get_state(thread_id)
    assert state["values"]["tasks"][0]["ok"]
    hits = server.user.json("search", "spare fuse", "-c", "memory:owner")["hits"]
    assert hits[0]["text"] == FACT

    await client.runs.wait(thread_id, "assistant", checkpoint=before_reason["checkpoint"])
    forked: Any = await client.threads.get_state(thread_id)
    assert forked["values"]["asked"] == question["question"]
    assert forked["values"]["answer"]["found"]
