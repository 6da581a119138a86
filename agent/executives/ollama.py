"""`OllamaExecutive`: a model behind Ollama's HTTP API."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from agent.executives import tokens
from agent.executives.ollama_request import OllamaOptions, chat_body, read_texts
from agent.executives.ollama_server import OllamaModel, server_words
from agent.executives.ollama_stream import OllamaReply
from agent.executives.readers import reader_for
from graphs.errors import (
    BrokenStreamError,
    ExecutiveError,
    ExecutiveUnreachableError,
    ModelMissingError,
    PromptTooLongError,
)
from graphs.executive import EndPart, Profile, Prompt, ReplyPart, TokenCount, Wish


@dataclass(frozen=True, kw_only=True, slots=True)
class OllamaTimeouts:
    """How long to wait for a server."""

    connect_s: float = 2.0
    first_token_s: float = 300.0
    """Covers the queue, the loading of the model and the evaluation of the prompt."""
    token_s: float = 60.0
    """The longest silence within an answer."""


class OllamaExecutive:
    """Speaks `/api/chat`. Holds no connection between calls, so it serves any event loop."""

    def __init__(
        self,
        model: OllamaModel,
        *,
        url: str,
        version: str,
        context_tokens: int,
        timeouts: OllamaTimeouts | None = None,
    ) -> None:
        self._model = model
        self._url = url.rstrip("/")
        self._options = OllamaOptions(num_ctx=min(context_tokens, model.trained_tokens))
        self._timeouts = timeouts or OllamaTimeouts()
        self._calibration = tokens.Calibration()
        self._tls: ssl.SSLContext | bool = (
            ssl.create_default_context() if self._url.startswith("https:") else False
        )
        self._profile = Profile(
            name=f"{model.name} (Ollama {version})",
            tier="full",
            context_tokens=self._options.num_ctx,
            native_tools="tools" in model.capabilities,
            judgement=True,
        )

    @property
    def profile(self) -> Profile:
        """What is known about it."""
        return self._profile

    async def count(
        self,
        prompt: Prompt,
        wish: Wish,
        *,
        room: int | None = None,  # noqa: ARG002 - a bound is all that there is
    ) -> TokenCount:
        """Return an upper bound: Ollama has no tokeniser to ask.

        It comes from classes of characters and is raised by what the server counts of each prompt.
        """
        return TokenCount(
            tokens=self._calibration.bound(read_texts(self._body(prompt, wish))), exact=False
        )

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        """Yield the answer as it is written; the last part is the one `EndPart`.

        A stream that broke before anything was shown is asked for once more.
        """
        body = self._body(prompt, wish)
        self._refuse_too_long(body)
        shown = False
        for last_try in (False, True):
            try:
                async with aclosing(self._once(body, wish)) as parts:
                    async for part in parts:
                        shown = True
                        yield part
            except BrokenStreamError:
                if shown or last_try:
                    raise
            else:
                return

    async def aclose(self) -> None:
        """Do nothing: the model stays loaded for the next process."""

    async def _once(self, body: dict[str, Any], wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        reader = reader_for(wish, calls_by_schema="format" in body)
        reply = OllamaReply(model=self._model.name, reader=reader)
        async with aclosing(self._lines(body)) as lines:
            async for line in lines:
                for part in reply.take(line):
                    if isinstance(part, EndPart):
                        self._verify(body, part)
                    yield part
                if reply.done:
                    return
        raise BrokenStreamError(
            f"The answer of {self._model.name} broke off: Ollama closed the stream before its "
            "end. Ask again; if it stays, look into Ollama's log."
        )

    async def _lines(self, body: dict[str, Any]) -> AsyncGenerator[str, None]:
        """Yield the lines of the answer. A status other than 200 raises ExecutiveError."""
        patience = self._timeouts.first_token_s
        deadline = asyncio.get_running_loop().time() + patience
        async with self._client() as client:
            request = client.build_request("POST", f"{self._url}/api/chat", json=body)
            with self._translated(patience):
                async with asyncio.timeout_at(deadline):
                    response = await client.send(request, stream=True)
            try:
                lines = response.aiter_lines()
                while True:
                    with self._translated(patience):
                        async with asyncio.timeout_at(deadline):
                            if response.status_code != httpx.codes.OK:
                                self._refuse(response.status_code, await response.aread())
                            line = await anext(lines, None)
                    if line is None:
                        return
                    yield line
                    patience = self._timeouts.token_s
                    deadline = asyncio.get_running_loop().time() + patience
            finally:
                await response.aclose()

    def _client(self) -> httpx.AsyncClient:
        waits = httpx.Timeout(None, connect=self._timeouts.connect_s)
        # Proxies are for the world outside; the executive's address is the user's own.
        return httpx.AsyncClient(timeout=waits, trust_env=False, verify=self._tls)

    def _body(self, prompt: Prompt, wish: Wish) -> dict[str, Any]:
        return chat_body(self._model, self._options, prompt, wish)

    def _refuse_too_long(self, body: dict[str, Any]) -> None:
        """Refuse before sending: a server older than `truncate` would cut the prompt unasked."""
        bound = self._calibration.bound(read_texts(body))
        if bound > self._options.num_ctx:
            raise PromptTooLongError(
                f"The prompt may have {bound} tokens, but the context of {self._model.name} holds "
                f"{self._options.num_ctx}. Shorten the prompt, or raise the setting "
                "ollama.context_tokens."
            )

    def _verify(self, body: dict[str, Any], end: EndPart) -> None:
        """Compare the server's count with ours. Raises PromptTooLongError if it read less."""
        if not end.prompt_tokens:
            return
        least = sum(tokens.lower_bound(text) for text in read_texts(body))
        if end.prompt_tokens < least:
            raise PromptTooLongError(
                f"Ollama read {end.prompt_tokens} tokens of a prompt that has at least {least}, "
                f"and dropped the rest without a word; {self._model.name} should have a context "
                f"of {self._options.num_ctx}. See `ollama ps` for the one it has, and update "
                "Ollama (0.30.0 counts wrongly)."
            )
        self._calibration.learn(read_texts(body), end.prompt_tokens)

    def _refuse(self, status: int, content: bytes) -> None:
        """Raise what a response other than 200 means."""
        said = server_words(content)
        name = self._model.name
        low = said.lower()
        if "context" in low and ("exceed" in low or "too long" in low):
            raise PromptTooLongError(
                f"Ollama refuses the prompt for {name}, whose context should hold "
                f"{self._options.num_ctx} tokens: {said}. Shorten the prompt."
            )
        match status:
            case httpx.codes.NOT_FOUND:
                raise ModelMissingError(
                    f"Ollama at {self._url} does not have {name}: {said}. Run `ollama pull {name}`."
                )
            case httpx.codes.SERVICE_UNAVAILABLE:
                raise ExecutiveUnreachableError(
                    f"Ollama at {self._url} is too busy for {name}: {said}. Try again later."
                )
            case _:
                raise ExecutiveError(
                    f"Ollama at {self._url} answered {status} for {name}: {said}. Look into "
                    "Ollama's log, and whether the model runs by itself: "
                    f"`ollama run {name} hello`."
                )

    @contextmanager
    def _translated(self, patience_s: float) -> Iterator[None]:
        """Turn what httpx and the clock raise into errors of the executive."""
        name = self._model.name
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            raise ExecutiveUnreachableError(
                f"No Ollama server answers at {self._url} ({error or 'timed out'}). Start it with "
                "`ollama serve`, or correct the setting ollama.url."
            ) from error
        except TimeoutError as error:
            raise ExecutiveUnreachableError(
                f"Ollama at {self._url} wrote nothing for {patience_s:g} s while {name} should "
                "answer. See whether it hangs (`ollama ps`), or raise ollama.first_token_timeout_s "
                "or ollama.token_timeout_s."
            ) from error
        except httpx.HTTPError as error:
            raise BrokenStreamError(
                f"The connection to Ollama at {self._url} broke while {name} answered: "
                f"{error or type(error).__name__}. Ask again; if it stays, look into Ollama's log."
            ) from error
