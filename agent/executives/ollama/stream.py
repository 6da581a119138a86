"""Ollama's stream of JSON lines as parts of a reply. Pure."""

from typing import Any

from agent.executives.replies.events import decoded, excerpt, number
from agent.executives.replies.readers import Reader
from agent.executives.replies.received import received
from agent.executives.replies.thoughts import ThoughtFilter
from graphs.errors import BrokenStreamError, EmptyAnswerError, ModelMissingError
from graphs.executive import CallPart, EndPart, EndReason, ReplyPart, ThoughtPart

RELOAD_S = 0.1
"""A model that was loaded is at hand in less."""

_ENDS = {"stop": EndReason.STOP, "length": EndReason.LENGTH}


class OllamaReply:
    """Takes the lines of one reply."""

    def __init__(self, *, model: str, reader: Reader, begun: bool = False) -> None:
        self.done = False
        self.load_s = 0.0
        self._model = model
        self._reader = reader
        self._filter = ThoughtFilter()
        self._calls: list[CallPart] = []
        # An answer that stands already may have nothing to add.
        self._spoke = begun

    @property
    def loaded_anew(self) -> bool:
        """Whether the model was loaded for this answer."""
        return self.load_s > RELOAD_S

    def take(self, line: str) -> list[ReplyPart]:
        """Take one line. Raises BrokenStreamError or, with the last line, EmptyAnswerError."""
        if not line.strip():
            return []
        event = decoded(line, "a line", self._strange)
        if "error" in event:
            raise BrokenStreamError(
                f"Ollama broke off while {self._model} wrote: {str(event['error']).rstrip('.')}. "
                "Ask again; if it stays, look into Ollama's log."
            )
        if event.get("model", self._model) != self._model:
            raise ModelMissingError(
                f"{event['model']} answered where {self._model} was asked. See what stands between "
                "cortical and Ollama."
            )
        message = event.get("message")
        if not isinstance(message, dict):
            raise self._strange("a line without a message", line)
        parts: list[ReplyPart] = []
        if thought := message.get("thinking"):
            parts.append(ThoughtPart(text=str(thought)))
        parts += self._words(*self._filter.feed(str(message.get("content") or "")))
        parts += self._called(message.get("tool_calls"))
        if event.get("done") is True:
            parts += self._end(event, line)
        return parts

    def _words(self, thought: str, text: str) -> list[ReplyPart]:
        parts: list[ReplyPart] = [ThoughtPart(text=thought)] if thought else []
        if text:
            self._spoke = self._spoke or bool(text.strip())
            parts += self._reader.feed(text)
        return parts

    def _called(self, listed: Any) -> list[ReplyPart]:
        if not listed:
            return []
        if not isinstance(listed, list):
            raise self._strange("tool_calls that are no list", listed)
        fresh: list[ReplyPart] = []
        for raw in listed:
            call = received(raw, {call.id for call in self._calls})
            self._calls.append(call)
            fresh.append(call)
        return fresh

    def _end(self, event: dict[str, Any], line: str) -> list[ReplyPart]:
        reason = _ENDS.get(str(event.get("done_reason", "stop")))
        if reason is None:
            raise self._strange(f"the end {event.get('done_reason')!r}", line)
        parts = self._words(*self._filter.flush())
        if reason is EndReason.STOP:
            if not self._spoke and not self._calls:
                raise EmptyAnswerError(
                    f"{self._model} ended without a word and without a call. Ask again, or put the "
                    "request in other words."
                )
            if self._spoke and (call := self._reader.finish()):
                parts.append(call)
                self._calls.append(call)
            if self._calls:
                reason = EndReason.CALLS
        self.done = True
        self.load_s = number(event, "load_duration") / 1e9
        end = EndPart(
            reason=reason,
            prompt_tokens=number(event, "prompt_eval_count"),
            cached_tokens=number(event, "prompt_eval_cached_count"),
            answer_tokens=number(event, "eval_count"),
            seconds=number(event, "total_duration") / 1e9,
        )
        return [*parts, end]

    def _strange(self, what: str, value: Any) -> BrokenStreamError:
        return BrokenStreamError(
            f"Ollama sent {what} for {self._model}: "
            f"{excerpt(value)}. Ask again; if it stays, update "
            "Ollama or choose another model."
        )
