"""Requests and responses of ASGI."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from agent.ollama_double.generate import Refused

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def paced(events: Iterable[Any], pace_s: float) -> AsyncIterator[Any]:
    """Yield events with a pause before each, so that a client can go away in between."""
    for event in events:
        await asyncio.sleep(pace_s)
        yield event


async def disconnected(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def body(receive: Receive) -> Any:
    """Read a request's JSON; None where there is none. Raises Refused."""
    content = b""
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            break
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError as error:
        raise Refused(400, str(error)) from error


async def lifespan(receive: Receive, send: Send) -> None:
    """Agree to start and to stop."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def begin(send: Send, status: int, kind: str) -> None:
    """Begin a response."""
    headers = [(b"content-type", kind.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def line(send: Send, event: Any) -> None:
    """Send one line of a stream."""
    content = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
    await send({"type": "http.response.body", "body": f"{content}\n".encode(), "more_body": True})


async def end(send: Send) -> None:
    """End a response."""
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def plain(send: Send, status: int, value: Any) -> None:
    """Send a whole response: a text, or an object as JSON."""
    text = isinstance(value, str)
    await begin(send, status, "text/plain" if text else "application/json; charset=utf-8")
    content = value if text else json.dumps(value, ensure_ascii=False)
    await send({"type": "http.response.body", "body": content.encode(), "more_body": False})
