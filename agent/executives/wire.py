"""Requests to a server of models, and answers that are streamed line by line within their time."""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx

from graphs.errors import BrokenStreamError, ExecutiveUnreachableError

Refuse = Callable[[int, bytes], NoReturn]
"""Raises what a status other than 200 means."""

_ASIDE_S = 10.0
"""How long a server has for what is no answer: a count, a list of models."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long to wait for a server."""

    connect_s: float = 2.0
    first_token_s: float = 300.0
    """Covers the queue, the loading of the model and the evaluation of the prompt."""
    token_s: float = 60.0
    """The longest silence within an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a server is, and what its errors are told with."""

    server: str
    """Such as `Ollama`."""
    url: str
    section: str
    """Table of the settings that it has."""
    start: str
    """How it is started, as an imperative."""

    @property
    def shown(self) -> str:
        """The address without a password that may stand in it."""
        return re.sub(r"(?<=//)[^/@\s]+@", "***@", self.url)

    @contextmanager
    def translated(self, model: str, patience_s: float) -> Iterator[None]:
        """Turn what httpx and the clock raise into errors of the executive."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            raise ExecutiveUnreachableError(
                f"No {self.server} server answers at {self.shown} ({str(error) or 'timed out'}). "
                f"{self.start}, or correct the setting {self.section}.url."
            ) from error
        except TimeoutError as error:
            raise ExecutiveUnreachableError(
                f"{self.server} at {self.shown} wrote nothing for {patience_s:g} s while {model} "
                f"should answer. See whether it hangs, or raise {self.section}"
                f".first_token_timeout_s or {self.section}.token_timeout_s."
            ) from error
        except httpx.HTTPError as error:
            raise BrokenStreamError(
                f"The connection to {self.server} at {self.shown} broke while {model} answered: "
                f"{str(error) or type(error).__name__}. Ask again; if it stays, look into its log."
            ) from error


class Waiting:
    """How long the next line may take. Signs of life are no answer: only a word is."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._left = timeouts.first_token_s
        self.patience_s = timeouts.first_token_s
        self._from = asyncio.get_running_loop().time()

    def until(self) -> float:
        """Return the moment at which the wait that begins now is over."""
        self._from = asyncio.get_running_loop().time()
        return self._from + self._left

    def lived(self) -> None:
        """Take note of a line that may say nothing: what is left of the time goes on."""
        self._left -= asyncio.get_running_loop().time() - self._from

    def spoke(self) -> None:
        """Take note of a line that was a part of the answer: the next one has its own time."""
        self._left = self.patience_s = self._timeouts.token_s


class Wire:
    """Speaks to one server. Holds no connection between calls, so it serves any event loop."""

    def __init__(
        self, place: Place, *, timeouts: Timeouts, headers: Mapping[str, str] | None = None
    ) -> None:
        self.place = place
        self._timeouts = timeouts
        self._headers = dict(headers or {})
        self._tls: ssl.SSLContext | bool = (
            ssl.create_default_context() if place.url.startswith("https:") else False
        )

    def waiting(self) -> Waiting:
        """Return the clock of one answer."""
        return Waiting(self._timeouts)

    async def lines(
        self, path: str, body: Mapping[str, Any], *, model: str, refuse: Refuse, waiting: Waiting
    ) -> AsyncGenerator[str, None]:
        """Yield the lines of an answer. A status other than 200 raises what `refuse` does."""
        async with self._client() as client:
            request = client.build_request("POST", f"{self.place.url}{path}", json=body)
            with self.place.translated(model, waiting.patience_s):
                async with asyncio.timeout_at(waiting.until()):
                    response = await client.send(request, stream=True)
            waiting.lived()
            try:
                lines = _lines(response)
                while True:
                    with self.place.translated(model, waiting.patience_s):
                        async with asyncio.timeout_at(waiting.until()):
                            if response.status_code != httpx.codes.OK:
                                refuse(response.status_code, await response.aread())
                            line = await anext(lines, None)
                    waiting.lived()
                    if line is None:
                        return
                    yield line
            finally:
                await response.aclose()

    async def ask(
        self, method: str, path: str, *, body: Any = None, timeout_s: float = _ASIDE_S
    ) -> httpx.Response:
        """Ask for something that is no answer of the model. Raises httpx.HTTPError, TimeoutError.

        The status is not looked at.
        """
        async with asyncio.timeout(timeout_s), self._client() as client:
            return await client.request(method, f"{self.place.url}{path}", json=body)

    def _client(self) -> httpx.AsyncClient:
        waits = httpx.Timeout(None, connect=self._timeouts.connect_s)
        # Proxies are for the world outside; the executive's address is the user's own.
        return httpx.AsyncClient(
            timeout=waits, trust_env=False, verify=self._tls, headers=self._headers
        )


async def _lines(response: httpx.Response) -> AsyncGenerator[str, None]:
    """Yield lines as the protocols mean them.

    httpx also breaks them at the line separators of Unicode, which stand in answers as they are.
    """
    held = b""
    async for piece in response.aiter_bytes():
        *whole, held = (held + piece).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace").rstrip("\r")
    if held:
        yield held.decode("utf-8", "replace")
