"""`OpenAiExecutive`: a model behind any server that speaks OpenAI's protocol."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, NoReturn

import httpx

from agent.executives.bodies import read_texts
from agent.executives.counting import tokens
from agent.executives.counting.calibration import Calibration
from agent.executives.judgement import JUDGEMENT_BYTES
from agent.executives.ollama.server import server_words
from agent.executives.openai.count import Counter
from agent.executives.openai.request import chat_body
from agent.executives.openai.server import (
    DEFAULT_CONTEXT_TOKENS,
    Kind,
    OpenAiModel,
    authorized,
    place,
    refused_key,
    scrubbed,
)
from agent.executives.openai.stream import OpenAiReply
from agent.executives.replies.readers import reader_for
from agent.executives.wire import Timeouts, Waiting, Wire
from graphs.errors import (
    ExecutiveError,
    ExecutiveUnreachableError,
    ModelMissingError,
    PromptTooLongError,
)
from graphs.executive import EndPart, Profile, Prompt, ReplyPart, TokenCount, Wish, goes_on

_TELLS_ITS_MODEL = (Kind.LLAMA_CPP, Kind.VLLM)
"""Servers that name in an answer the model that wrote it, as they list it."""


class OpenAiExecutive:
    """Speaks `/v1/chat/completions`."""

    def __init__(
        self,
        model: OpenAiModel,
        *,
        url: str,
        kind: Kind,
        context_tokens: int | None = None,
        native_tools: bool | None = None,
        api_key: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """`context_tokens` is the most that is used; None: what the server tells."""
        self._model = model
        self._kind = kind
        self._api_key = api_key
        self._wire = Wire(place(url), timeouts=timeouts or Timeouts(), headers=authorized(api_key))
        self._counter = Counter(kind, self._wire)
        self._calibration = Calibration()
        able = model.native_tools if native_tools is None else native_tools
        self._profile = Profile(
            name=f"{model.short} ({kind})",
            tier="full",
            context_tokens=_context(model, context_tokens),
            native_tools=bool(able),
            judgement=model.size_bytes is None or model.size_bytes >= JUDGEMENT_BYTES,
            digest=model.digest(url),
        )

    @property
    def profile(self) -> Profile:
        """What is known about it."""
        return self._profile

    async def count(self, prompt: Prompt, wish: Wish, *, room: int | None = None) -> TokenCount:
        """Return the exact number where the server has a tokeniser to ask, else an upper bound.

        A bound that is within `room` takes its place: nobody need be asked.
        """
        return await self._count(self._body(prompt, wish), room)

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        """Yield the answer as it is written; the last part is the one `EndPart`."""
        begun = goes_on(prompt, wish, self._profile)
        body = self._body(prompt, wish)
        await self._fit(body)
        reader = reader_for(wish, calls_by_schema="response_format" in body)
        reply = OpenAiReply(model=self._model.short, reader=reader, begun=begun)
        waiting = self._wire.waiting()
        async with aclosing(self._lines(body, waiting)) as lines:
            async for line in lines:
                for part in reply.take(line):
                    yield part
                if reply.heard:
                    waiting.spoke()
                if reply.done:
                    break
        for part in reply.finish():
            if isinstance(part, EndPart):
                self._verify(body, part, reply)
            yield part

    async def aclose(self) -> None:
        """Do nothing: the server is somebody else's."""

    def _lines(self, body: dict[str, Any], waiting: Waiting) -> AsyncGenerator[str, None]:
        return self._wire.lines(
            "/v1/chat/completions",
            body,
            model=self._model.short,
            refuse=self._refuse,
            waiting=waiting,
        )

    def _body(self, prompt: Prompt, wish: Wish) -> dict[str, Any]:
        return chat_body(self._model.name, self._kind, self._profile, prompt, wish)

    async def _count(self, body: dict[str, Any], room: int | None) -> TokenCount:
        texts = read_texts(body)
        bound = self._calibration.bound(texts)
        if room is not None and bound <= room:
            return TokenCount(tokens=bound, exact=False)
        exact = await self._counter.exact(body)
        if exact is None:
            return TokenCount(tokens=bound, exact=False)
        self._calibration.learn(texts, exact)
        return TokenCount(tokens=exact, exact=True)

    async def _fit(self, body: dict[str, Any]) -> None:
        """Refuse a prompt that is too long before it is sent.

        vLLM refuses also what is too long together with its answer, so the answer gets what is left
        there. The server is asked to count only where our bound is too high.
        """
        holds, most = self._profile.context_tokens, body["max_tokens"]
        together = self._kind is Kind.VLLM
        room = holds - (most if together else 0)
        count = await self._count(body, room)
        if count.tokens <= room:
            return
        if count.tokens > holds:
            verb = "has" if count.exact else "may have"
            raise PromptTooLongError(
                f"The prompt {verb} {count.tokens} tokens, but the context of {self._model.short} "
                f"holds {holds}. Shorten the prompt, or give the server a longer context; see also "
                "the setting openai.context_tokens."
            )
        if together and count.exact:
            body["max_tokens"] = min(most, max(1, holds - count.tokens))

    def _verify(self, body: dict[str, Any], end: EndPart, reply: OpenAiReply) -> None:
        """Compare what answered, and what it read, with what was asked.

        Raises ModelMissingError or PromptTooLongError.
        """
        answering = reply.answering
        if self._kind in _TELLS_ITS_MODEL and answering not in ("", self._model.name):
            raise ModelMissingError(
                f"{answering} answered where {self._model.name} was asked: the server at "
                f"{self._wire.place.shown} has changed its model. Correct the setting "
                "openai.model, or start cortical anew."
            )
        if not end.prompt_tokens:
            return
        texts = read_texts(body)
        least = sum(tokens.lower_bound(text) for text in texts)
        if end.prompt_tokens < least:
            raise PromptTooLongError(
                f"The server at {self._wire.place.shown} read {end.prompt_tokens} tokens of a "
                f"prompt that has at least {least}, and dropped the rest without a word. Give "
                f"{self._model.short} a longer context there, or set openai.context_tokens to the "
                "one it has."
            )
        self._calibration.learn(texts, end.prompt_tokens)

    def _refuse(self, status: int, content: bytes) -> NoReturn:
        """Raise what a response other than 200 means."""
        said = scrubbed(server_words(content), self._api_key)
        where, name = self._wire.place, self._model.short
        low = said.lower()
        if "context" in low and ("exceed" in low or "too long" in low or "maximum" in low):
            raise PromptTooLongError(
                f"The server at {where.shown} refuses the prompt for {name}, whose context should "
                f"hold {self._profile.context_tokens} tokens: {said}. Shorten the prompt, or set "
                "openai.context_tokens to the one it has."
            )
        match status:
            case httpx.codes.UNAUTHORIZED | httpx.codes.FORBIDDEN:
                raise ExecutiveUnreachableError(refused_key(where, given=bool(self._api_key)))
            case httpx.codes.NOT_FOUND:
                raise ModelMissingError(
                    f"The server at {where.shown} does not have {name}: {said}. Load it there, or "
                    "correct the setting openai.model."
                )
            case httpx.codes.SERVICE_UNAVAILABLE | httpx.codes.TOO_MANY_REQUESTS:
                raise ExecutiveUnreachableError(
                    f"The server at {where.shown} is too busy for {name}, or still loads it: "
                    f"{said}. Try again later."
                )
            case _:
                raise ExecutiveError(
                    f"The server at {where.shown} answered {status} for {name}: {said}. Look into "
                    "its log."
                )


def _context(model: OpenAiModel, most: int | None) -> int:
    told = model.context_tokens or most or DEFAULT_CONTEXT_TOKENS
    return min(told, most or told)
