"""`OllamaExecutive`: a model behind Ollama's HTTP API."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

import httpx

from agent.executives.bodies import read_texts, split_texts
from agent.executives.counting import tokens
from agent.executives.counting.calibration import Calibration
from agent.executives.gguf.vocabulary import OwnVocabulary
from agent.executives.ollama.request import OllamaOptions, chat_body
from agent.executives.ollama.server import OllamaModel, contexts, server_words
from agent.executives.ollama.stream import OllamaReply
from agent.executives.replies.readers import reader_for
from agent.executives.wire import Place, Timeouts, Wire
from graphs.errors import (
    BrokenStreamError,
    ExecutiveError,
    ExecutiveUnreachableError,
    ModelMissingError,
    PromptTooLongError,
)
from graphs.executive import EndPart, Profile, Prompt, ReplyPart, TokenCount, Wish, goes_on

OllamaTimeouts = Timeouts

_RESIDENCE_S = 2.0
"""How long the server has to tell what it holds."""

_REQUEST = re.compile(r"request \((\d+) tokens\)")

log = logging.getLogger(__name__)


class OllamaExecutive:
    """Speaks `/api/chat`."""

    def __init__(
        self,
        model: OllamaModel,
        *,
        url: str,
        version: str,
        context_tokens: int,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._model = model
        self._url = url.rstrip("/")
        self._options = OllamaOptions(num_ctx=min(context_tokens, model.trained_tokens))
        place = Place(
            server="Ollama", url=self._url, section="ollama", start="Start it with `ollama serve`"
        )
        self._wire = Wire(place, timeouts=timeouts or Timeouts())
        self._calibration = Calibration()
        self._vocabulary = None if model.file is None else OwnVocabulary(model.file)
        self._answered = False
        self.suspicion: Callable[[str], None] = lambda _: None
        """Told when a call's own figures show that the model is not as it should be loaded."""
        self.calls: Callable[[], AbstractAsyncContextManager[object]] = nullcontext
        """Entered for each call, by who lends out the card."""
        self._profile = Profile(
            name=f"{model.name} (Ollama {version})",
            tier="full",
            context_tokens=self._options.num_ctx,
            native_tools="tools" in model.capabilities,
            judgement=True,
            digest=model.digest,
        )

    @property
    def profile(self) -> Profile:
        """What is known about it. Its context shrinks if the server turns out to hold less."""
        return self._profile

    @property
    def model(self) -> str:
        """What the server calls the model."""
        return self._model.name

    def admitted(self, *, on_card: bool, context_tokens: int | None) -> None:
        """Take the place and the context that whoever lends out the card holds the model with.

        None leaves the context as it was set.
        """
        tokens = self._options.num_ctx if context_tokens is None else context_tokens
        self._options = replace(self._options, num_ctx=tokens, num_gpu=None if on_card else 0)
        self._profile = replace(self._profile, context_tokens=tokens)

    async def count(self, prompt: Prompt, wish: Wish, *, room: int | None = None) -> TokenCount:
        """Return an upper bound: Ollama has no tokeniser to ask.

        It comes from classes of characters, and from what the server counted of prompts before.
        Where that is not enough and the model's file lies on this machine, its own vocabulary makes
        the bound closer.
        """
        return TokenCount(tokens=await self._bound(self._body(prompt, wish), room), exact=False)

    async def _bound(self, body: dict[str, Any], room: int | None) -> int:
        bound = self._calibration.bound(read_texts(body))
        if self._vocabulary is None or (room is not None and bound <= room):
            return bound
        own = await asyncio.to_thread(self._vocabulary.bound, *split_texts(body))
        return bound if own is None else min(bound, own)

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        """Yield the answer as it is written; the last part is the one `EndPart`."""
        begun = goes_on(prompt, wish, self._profile)
        body = self._body(prompt, wish)
        await self._refuse_too_long(body)
        reader = reader_for(wish, calls_by_schema="format" in body)
        reply = OllamaReply(model=self._model.name, reader=reader, begun=begun)
        async with self.calls():
            waiting = self._wire.waiting()
            lines = self._wire.lines(
                "/api/chat",
                body,
                model=self._model.name,
                refuse=partial(self._refuse, body),
                waiting=waiting,
            )
            async with aclosing(lines):
                async for line in lines:
                    waiting.spoke()
                    for part in reply.take(line):
                        yield await self._ended(body, part, reply) if reply.done else part
                    if reply.done:
                        return
        raise BrokenStreamError(
            f"The answer of {self._model.name} broke off: Ollama closed the stream before its "
            "end. Ask again; if it stays, look into Ollama's log."
        )

    async def aclose(self) -> None:
        """Do nothing: the model stays loaded for the next process."""

    def _body(self, prompt: Prompt, wish: Wish) -> dict[str, Any]:
        return chat_body(self._model, self._options, prompt, wish)

    async def _refuse_too_long(self, body: dict[str, Any]) -> None:
        """Refuse before sending: a server older than `truncate` would cut the prompt unasked."""
        bound = await self._bound(body, self._profile.context_tokens)
        if bound > self._profile.context_tokens:
            raise PromptTooLongError(
                f"The prompt may have {bound} tokens, but the context of {self._model.name} holds "
                f"{self._profile.context_tokens}. Shorten the prompt, or raise the setting "
                "ollama.context_tokens."
            )

    async def _ended(self, body: dict[str, Any], part: ReplyPart, reply: OllamaReply) -> ReplyPart:
        """Check an end against what was sent and what is loaded."""
        if not isinstance(part, EndPart):
            return part
        self._verify(body, part)
        notices = []
        if self._answered and reply.loaded_anew:
            notices.append(
                f"Ollama loaded {self._model.name} anew before this answer "
                f"({reply.load_s:.1f} s), though it was to stay loaded. See `ollama ps` for what "
                "pushed it out."
            )
        if reply.loaded_anew or not self._answered:
            notices += await self._check_residence()
        self._answered = True
        for notice in notices:
            log.info("executive_notice", extra={"model": self._model.name, "notice": notice})
            self.suspicion(notice)
        return replace(part, notices=tuple(notices))

    async def _check_residence(self) -> list[str]:
        """Compare what is loaded with what was asked for; a smaller context is the one that holds.

        A server that does not tell is believed.
        """
        name, wanted = self._model.name, self._options.num_ctx
        loaded = await contexts(self._url, timeout_s=_RESIDENCE_S)
        if loaded is None:
            return []
        if name not in loaded:
            return [
                f"Ollama dropped {name} from memory with its answer, so every call loads it anew. "
                "See whether its memory suffices, and `ollama ps`."
            ]
        holds = loaded[name]
        if holds is None or holds >= self._profile.context_tokens:
            return []
        self._profile = replace(self._profile, context_tokens=holds)
        return [
            f"Ollama holds {name} with a context of {holds} tokens, though {wanted} were asked "
            f"for. Prompts are fitted into {holds} from now on. See `ollama ps`, and whether the "
            "model's own file sets num_ctx."
        ]

    def _verify(self, body: dict[str, Any], end: EndPart) -> None:
        """Compare the server's count with ours. Raises PromptTooLongError if it read less."""
        if not end.prompt_tokens:
            return
        texts = read_texts(body)
        least = sum(tokens.lower_bound(text) for text in texts)
        if end.prompt_tokens < least:
            raise PromptTooLongError(
                f"Ollama read {end.prompt_tokens} tokens of a prompt that has at least {least}, "
                f"and dropped the rest without a word; {self._model.name} should have a context "
                f"of {self._options.num_ctx}. See `ollama ps` for the one it has, and update "
                "Ollama (0.30.0 counts wrongly)."
            )
        self._learn(body, end.prompt_tokens)

    def _learn(self, body: dict[str, Any], counted: int) -> None:
        self._calibration.learn(read_texts(body), counted)
        if self._vocabulary is not None:
            self._vocabulary.learn(*split_texts(body), counted)

    def _refuse(self, body: dict[str, Any], status: int, content: bytes) -> NoReturn:
        """Raise what a response other than 200 means; a count that it tells is learnt from."""
        said = server_words(content)
        name = self._model.name
        low = said.lower()
        if "context" in low and ("exceed" in low or "too long" in low):
            if counted := _REQUEST.search(low):
                self._learn(body, int(counted[1]))
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
