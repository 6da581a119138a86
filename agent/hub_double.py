"""A hub of models that a test runs: an ASGI application that answers as the well-known one does.

    HEAD, GET /OWNER/NAME/resolve/REVISION/FILE

A large file's answer leads to `/bytes/SHA256`, which knows ranges, and carries its SHA-256 and its
length; a small one is answered itself, with the SHA-1 of git's blob. Both tell the commit. It
follows no real server beyond that.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.ollama_double import asgi

LARGE = 1_000
"""Bytes from which on a file is a large one."""

Send = Callable[[dict[str, Any]], Awaitable[None]]
Files = Mapping[str, bytes]


class CutConnectionError(Exception):
    """Raised on purpose: the server that runs the double then drops the connection."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request."""

    method: str
    path: str
    start: int
    """Where the wished range begins; 0 where none was wished for."""


@dataclass(kw_only=True, slots=True)
class HubDouble:
    """Repositories, and what goes wrong with them."""

    repositories: dict[str, dict[str, bytes]]
    asked: list[Asked] = field(default_factory=list)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    """By file: after so many bytes the next answer with bytes breaks off, one for each answer."""
    hangs: dict[str, int] = field(default_factory=dict)
    """By file: after so many bytes its answers fall silent, until whoever asked goes away."""
    served: dict[str, bytes] = field(default_factory=dict)
    """By file: the bytes that come, though others are promised."""
    leads_to: str = ""
    """What stands before `/bytes/…` in the place that a large file's answer leads to."""
    knows_ranges: bool = True
    tells_commit: bool = True
    statuses: dict[str, list[int]] = field(default_factory=dict)
    """By file: what its next requests are refused with."""
    watch: Callable[[Asked], None] = lambda _: None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await asgi.lifespan(receive, send)
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        start = int(headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        asked = Asked(method=scope["method"], path=scope["path"], start=start)
        self.asked.append(asked)
        self.watch(asked)
        if asked.path.startswith("/bytes/"):
            await self._bytes(asked, receive, send)
        else:
            await self._resolve(asked, receive, send)

    def commit(self, repository: str) -> str:
        """Return the commit that a repository is at: it follows from its files."""
        told = repr(sorted(self.repositories[repository].items())).encode()
        return hashlib.sha1(told, usedforsecurity=False).hexdigest()

    async def _resolve(self, asked: Asked, receive: Any, send: Send) -> None:
        repository, _, rest = asked.path.strip("/").partition("/resolve/")
        revision, _, name = rest.partition("/")
        files = self.repositories.get(repository)
        if files is None:
            await _answer(send, 401, {"x-error-code": "RepoNotFound"})
            return
        if revision not in ("main", self.commit(repository)):
            await _answer(send, 404, {"x-error-code": "RevisionNotFound"})
            return
        if name not in files:
            await _answer(send, 404, {"x-error-code": "EntryNotFound"})
            return
        if self.statuses.get(name):
            await _answer(send, self.statuses[name].pop(0), {})
            return
        commit = {"x-repo-commit": self.commit(repository)} if self.tells_commit else {}
        content = files[name]
        if len(content) >= LARGE:
            digest = hashlib.sha256(content).hexdigest()
            linked = {"x-linked-etag": f'"{digest}"', "x-linked-size": str(len(content))}
            location = {"location": f"{self.leads_to}/bytes/{digest}?signed=1"}
            await _answer(send, 302, {**commit, **linked, **location})
            return
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        head = {**commit, "etag": f'W/"{blob.hexdigest()}"'}
        await self._content(asked, name, content, head, receive, send)

    async def _bytes(self, asked: Asked, receive: Any, send: Send) -> None:
        digest = asked.path.rpartition("/")[2]
        for files in self.repositories.values():
            for name, content in files.items():
                if hashlib.sha256(content).hexdigest() == digest:
                    # As the store behind the well-known hub: a digest of its own kind.
                    head = {"etag": f'"{hashlib.sha256(digest.encode()).hexdigest()}"'}
                    await self._content(asked, name, content, head, receive, send)
                    return
        await _answer(send, 404, {})

    async def _content(
        self,
        asked: Asked,
        name: str,
        content: bytes,
        head: dict[str, str],
        receive: Any,
        send: Send,
    ) -> None:
        if asked.method == "HEAD":
            await _answer(send, 200, {**head, "content-length": str(len(content))})
            return
        comes = self.served.get(name, content)
        start = asked.start if self.knows_ranges else 0
        status = 206 if start else 200
        if start:
            head["content-range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if len(comes) == len(content):
            head["content-length"] = str(len(comes) - start)
        await _begin(send, status, head)
        cuts = self.cuts.get(name)
        rest = comes[start:]
        if cuts:
            await _piece(send, rest[: cuts.pop(0)], more=True)
            raise CutConnectionError
        if name in self.hangs:
            await _piece(send, rest[: self.hangs[name]], more=True)
            await asgi.disconnected(receive)
            return
        await _piece(send, rest, more=False)


async def _answer(send: Send, status: int, headers: dict[str, str]) -> None:
    await _begin(send, status, {"content-length": "0", **headers})
    await _piece(send, b"", more=False)


async def _begin(send: Send, status: int, headers: dict[str, str]) -> None:
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": fields})


async def _piece(send: Send, body: bytes, *, more: bool) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})
