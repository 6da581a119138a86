"""An ASGI application on a port of this machine, for doubles: no server package is needed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import unquote

Message = dict[str, Any]
App = Callable[
    [
        dict[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[str]:
    """Serve an application and yield its address. One request for each connection.

    An error of the application cuts the connection, as a server that dies does.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection is served by a task"
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        with suppress(asyncio.CancelledError):  # only we cancel it, when all is over
            await _serve(app, reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _serve(app: App, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    exchange = _Exchange(reader, writer)
    try:
        scope = await exchange.begin()
        await app(scope, exchange.receive, exchange.send)
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        writer.transport.abort()  # the client went away, or spoke no HTTP
    except Exception:  # noqa: BLE001 - a double that raises is a server that dies
        writer.transport.abort()
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


class _Exchange:
    """One request and its response."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._length = 0
        self._read = False

    async def begin(self) -> dict[str, Any]:
        """Read the head of the request and return what ASGI calls its scope."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *fields = head.rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = [(name, value.strip()) for name, _, value in (f.partition(":") for f in fields)]
        named = {name.lower(): value for name, value in headers}
        self._length = int(named.get("content-length", 0))
        path, _, query = target.partition("?")
        return {
            "type": "http",
            "method": method,
            "path": unquote(path),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }

    async def receive(self) -> Message:
        """Return the body; after it, wait until the client goes away."""
        if not self._read:
            self._read = True
            body = await self._reader.readexactly(self._length)
            return {"type": "http.request", "body": body, "more_body": False}
        while await self._reader.read(1024):
            pass
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Write a part of the response, in chunks: its length need not be known."""
        if message["type"] == "http.response.start":
            fields = [(b"transfer-encoding", b"chunked"), (b"connection", b"close")]
            lines = [b": ".join(field) for field in (*message["headers"], *fields)]
            head = [b"HTTP/1.1 %d -" % message["status"], *lines, b"", b""]
            self._writer.write(b"\r\n".join(head))
        else:
            body = message.get("body", b"")
            if body:
                self._writer.write(b"%x\r\n%b\r\n" % (len(body), body))
            if not message.get("more_body"):
                self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()
