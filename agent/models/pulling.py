"""A model brought to an Ollama server, with what is left to come.

The server keeps what has come, so that a pull which was broken off goes on where it stopped.
"""

import json
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import httpx

from agent.errors import AgentError, UsageError
from agent.executives.ollama.server import server_words
from agent.models.ollama import client
from graphs.errors import ExecutiveUnreachableError

SILENCE_S = 300.0
"""The longest that a server may say nothing: it hashes what has come before it goes on."""
CONNECT_S = 5.0

_NAME = re.compile(
    r"(?:[A-Za-z0-9][\w.:-]{0,349}/)?(?:[A-Za-z0-9][\w-]{0,79}/)?[A-Za-z0-9][\w.-]{0,79}"
    r"(?::[A-Za-z0-9][\w.-]{0,79})?"
)
"""Host, namespace, model and tag, as Ollama takes them."""

_FULL = re.compile(r"no space left|disk quota|not enough space", re.IGNORECASE)
_UNKNOWN = re.compile(r"file does not exist|not found|manifest unknown", re.IGNORECASE)

Watch = Callable[[dict[str, Any]], None]


async def pull(
    url: str, name: str, *, watch: Watch, timer: Callable[[], float] = time.monotonic
) -> dict[str, Any]:
    """Bring a model and return what came. Raises UsageError, AgentError or ExecutiveError."""
    refuse_wrong(name)
    progress = Progress(name, timer=timer)
    began = timer()
    async with aclosing(_events(url, name)) as events:
        async for event in events:
            if "error" in event:
                raise AgentError(_failed(name, url, str(event["error"])))
            told = progress.take(event)
            if told is not None:
                watch(told)
            if event.get("status") == "success":
                return {
                    "model": name,
                    "bytes": progress.total_bytes,
                    "fetched_bytes": progress.fetched_bytes,
                    "seconds": round(timer() - began, 2),
                }
    raise AgentError(
        f"Ollama at {url} ended before {name} was whole. {_again(name)} If it stays, look into "
        "Ollama's log."
    )


def refuse_wrong(name: str) -> None:
    """Raise UsageError for what cannot be the name of a model."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a model. Write MODEL, MODEL:TAG, OWNER/MODEL:TAG or "
            "HOST/OWNER/MODEL:TAG, such as qwen3:14b."
        )


class Progress:
    """Adds up what has come of each layer of a model, and how fast."""

    def __init__(self, name: str, *, timer: Callable[[], float]) -> None:
        self._name = name
        self._timer = timer
        self._totals: dict[str, int] = {}
        self._here: dict[str, int] = {}
        self._before: dict[str, int] = {}
        """What was there when a layer was first heard of: it cost no time."""
        self._began: float | None = None
        self._status = ""

    @property
    def total_bytes(self) -> int:
        """Of all layers that are known."""
        return sum(self._totals.values())

    @property
    def fetched_bytes(self) -> int:
        """What came in this pull."""
        return sum(self._here.values()) - sum(self._before.values())

    def take(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """Take a line of the server; return what to tell, if it is news."""
        digest, total = event.get("digest"), event.get("total")
        if isinstance(digest, str) and isinstance(total, int):
            return self._layer(digest, total, int(event.get("completed") or 0))
        status = str(event.get("status", ""))
        if status == self._status:
            return None
        self._status = status
        return {"event": "pulling_step", "model": self._name, "text": status}

    def _layer(self, digest: str, total: int, completed: int) -> dict[str, Any]:
        now = self._timer()
        if self._began is None:
            self._began = now
        self._totals[digest] = total
        self._before.setdefault(digest, completed)
        self._here[digest] = completed
        seconds = now - self._began
        rate = self.fetched_bytes / seconds if seconds > 0 and self.fetched_bytes else None
        done = sum(self._here.values())
        return {
            "event": "pulling",
            "model": self._name,
            "done_bytes": done,
            "total_bytes": self.total_bytes,
            "bytes_s": rate,
            "left_s": None if rate is None else (self.total_bytes - done) / rate,
        }


async def _events(url: str, name: str) -> AsyncGenerator[dict[str, Any], None]:
    """Yield what the server tells; leaving the loop stops the pull at the server."""
    waits = httpx.Timeout(SILENCE_S, connect=CONNECT_S)
    with _translated(url, name):
        async with (
            client(url, timeout_s=waits) as asked,
            asked.stream("POST", "/api/pull", json={"model": name}) as response,
        ):
            if response.status_code != httpx.codes.OK:
                words = server_words(await response.aread())
                raise AgentError(_failed(name, url, words))
            async for line in response.aiter_lines():
                if line.strip():
                    yield _decoded(line, url)


def _decoded(line: str, url: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise AgentError(f"Ollama at {url} sent {line[:80]!r}, which is no progress of a pull.")
    return event


@contextmanager
def _translated(url: str, name: str) -> Iterator[None]:
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
        raise ExecutiveUnreachableError(
            f"No Ollama server answers at {url} ({str(error) or 'timed out'}). Start it with "
            "`ollama serve`, or correct the setting ollama.url."
        ) from error
    except httpx.ReadTimeout as error:
        raise AgentError(
            f"Ollama at {url} said nothing of {name} for {SILENCE_S:g} s. {_again(name)}"
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise AgentError(
            f"The connection to Ollama at {url} broke while {name} came: "
            f"{str(error) or type(error).__name__}. {_again(name)}"
        ) from error


def _failed(name: str, url: str, words: str) -> str:
    if _FULL.search(words):
        return (
            f"The disk of Ollama at {url} is full: {words}. Free some space there, for example "
            f"with `ollama rm MODEL`. {_again(name)}"
        )
    if _UNKNOWN.search(words):
        return (
            f"Ollama at {url} knows of no model {name!r} to pull: {words}. Is the name right, with "
            "its tag?"
        )
    return f"Ollama at {url} could not pull {name}: {words.rstrip('.')}. {_again(name)}"


def _again(name: str) -> str:
    return f"`cortical models pull {name}` goes on where it stopped."


def lines(done: dict[str, Any]) -> list[str]:
    """Write what came for a person."""
    came = f"{done['fetched_bytes'] / 1e9:.2f} GB came in {done['seconds']:.0f} s"
    whole = f"{done['bytes'] / 1e9:.2f} GB"
    return [f"{done['model']} is there: {whole}, of which {came}"]
