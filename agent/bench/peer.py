"""A peer to compare with: a script of `agent/bench/peers`, run by an interpreter of its own.

The peers' packages ask for versions that ours do not allow, so they live in an environment beside
the checkout (`make peers`), and are spoken to over pipes.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import PeerError, UsageError

HOW_TO_GET = "Run `make peers`, or name an interpreter that has them with --peers PYTHON."

_SCRIPTS = Path(__file__).with_name("peers")
_USUAL = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"
_START_S, _END_S = 120.0, 10.0
_ANSWER_BYTES = 2**30
_LAST_LINES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a peer answered."""

    value: Any
    seconds: float
    """That its function took, without the way there and back."""
    peak_bytes: int
    """Most memory that its process has had so far."""


def interpreter(named: Path | None) -> Path | None:
    """Return the interpreter that was named, else the usual one if it is there.

    Raises UsageError if the one that was named is not there.
    """
    if named is None:
        return _USUAL if _USUAL.is_file() else None
    if not named.is_file():
        raise UsageError(f"There is no interpreter {str(named)!r}. {HOW_TO_GET}")
    return named


class Peer:
    """A running script, which answers one request at a time. Make one with `started`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self._name = name
        self._process = process
        self._said: deque[str] = deque(maxlen=_LAST_LINES)
        self._listening = asyncio.create_task(self._listen())
        self.versions: Mapping[str, str] = {}
        """Of its packages, by name."""

    async def greet(self) -> None:
        """Wait until it has started. Raises PeerError."""
        self.versions = (await self._answer("start", _START_S))["value"]

    async def ask(self, function: str, *, timeout_s: float = 600.0, **arguments: Any) -> Answer:
        """Call a function of the script. Raises PeerError if it fails or takes too long."""
        assert self._process.stdin is not None
        line = json.dumps({"do": function, "with": arguments})
        with suppress(ConnectionError):  # it has died: the answer tells of what
            self._process.stdin.write(line.encode() + b"\n")
            await self._process.stdin.drain()
        return Answer(**await self._answer(function, timeout_s))

    async def stop(self) -> None:
        """End it: by the end of its input, else by force."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _END_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._listening

    async def _listen(self) -> None:
        """Keep the last lines of its error output, and let it never wait for a reader."""
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            self._said.append(line.decode("utf-8", "replace").rstrip())

    async def _answer(self, asked: str, timeout_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), timeout_s)
        except TimeoutError as error:
            raise PeerError(
                f"The peer {self._name} did not answer {asked!r} in {timeout_s:.0f} s. Give it "
                "less to do, or wait until the machine is idle."
            ) from error
        if not line:
            code = await self._process.wait()
            await self._listening
            last = self._said[-1] if self._said else "it said nothing"
            raise PeerError(f"The peer {self._name} ended with code {code} in {asked!r}: {last}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            missing = "NotFoundError" in answer["error"]
            raise PeerError(
                f"The peer {self._name} failed in {asked!r}: {answer['error']}"
                + (f". {HOW_TO_GET}" if missing else "")
            )
        return answer


@asynccontextmanager
async def started(interpreter: Path, name: str) -> AsyncIterator[Peer]:
    """Run the script of that name; it is ended with the context. Raises PeerError."""
    command: list[str | Path] = [interpreter, "-I", _SCRIPTS / "serve.py", _SCRIPTS / f"{name}.py"]
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, limit=_ANSWER_BYTES
        )
    except OSError as error:
        raise PeerError(
            f"The interpreter {str(interpreter)!r} cannot be run: {error.strerror or error}. "
            f"{HOW_TO_GET}"
        ) from error
    peer = Peer(name, process)
    try:
        await peer.greet()
        yield peer
    finally:
        await peer.stop()
