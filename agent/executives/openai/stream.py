"""The events of OpenAI's stream as parts of a reply. Pure."""

import time
from dataclasses import dataclass
from typing import Any

from agent.executives.replies.events import decoded, excerpt, number
from agent.executives.replies.readers import Reader
from agent.executives.replies.received import received
from agent.executives.replies.thoughts import ThoughtFilter
from graphs.errors import BrokenStreamError, EmptyAnswerError, PromptTooLongError
from graphs.executive import CallPart, EndPart, EndReason, ReplyPart, ThoughtPart

_ENDS = {
    "stop": EndReason.STOP,
    "length": EndReason.LENGTH,
    "tool_calls": EndReason.CALLS,
    "function_call": EndReason.CALLS,
}
_DATA, _LAST = "data:", "[DONE]"


@dataclass(kw_only=True, slots=True)
class _Gathered:
    """A call that comes in pieces."""

    index: Any
    id: Any = None
    name: Any = None
    arguments: Any = None
    other: Any = None
    """What came in its place and is no call."""

    def add(self, piece: Any) -> None:
        """Take a piece: texts are put together, anything else stands as it came."""
        function = piece.get("function") if isinstance(piece, dict) else None
        if not isinstance(function, dict):
            self.other = piece
            return
        self.name = _together(self.name, function.get("name"))
        self.arguments = _together(self.arguments, function.get("arguments"))

    def whole(self) -> Any:
        """Return the call as it would have come in one piece."""
        if self.other is not None:
            return self.other
        function = {"name": self.name, "arguments": self.arguments}
        return {"id": self.id, "function": function}


def _together(before: Any, piece: Any) -> Any:
    if piece is None:
        return before
    return before + piece if isinstance(before, str) and isinstance(piece, str) else piece


class OpenAiReply:
    """Takes the lines of one reply."""

    def __init__(self, *, model: str, reader: Reader, begun: bool = False) -> None:
        self.done = False
        self.answering = ""
        """The model that the server names."""
        self.heard = False
        """Whether a part of the answer has come, be it a piece of a call."""
        self._model = model
        self._reader = reader
        self._filter = ThoughtFilter()
        self._calls: list[_Gathered] = []
        # An answer that stands already may have nothing to add.
        self._spoke = begun
        self._reason: EndReason | None = None
        self._usage: dict[str, Any] = {}
        self._began = time.monotonic()

    def take(self, line: str) -> list[ReplyPart]:
        """Take one line. Raises BrokenStreamError, ExecutiveError or PromptTooLongError."""
        if not line.startswith(_DATA):
            return []  # a comment that keeps the connection open, or the end of an event
        data = line.removeprefix(_DATA).strip()
        if data == _LAST:
            self.done = True
            return []
        event = decoded(data, "an event", self._strange)
        if event.get("error"):
            refuse_event(event["error"], self._model)
        self.answering = str(event.get("model") or self.answering)
        usage = event.get("usage")
        self._usage = usage if isinstance(usage, dict) else self._usage
        choices = event.get("choices")
        if choices is None and usage is None:
            raise self._strange("an event without choices", data)
        return [part for choice in choices or () for part in self._chosen(choice, data)]

    def finish(self) -> list[ReplyPart]:
        """Return what is known only at the end. Raises BrokenStreamError or EmptyAnswerError."""
        if self._reason is None:
            raise BrokenStreamError(
                f"The answer of {self._model} broke off: the server closed the stream without "
                "saying why it ended. Ask again; if it stays, look into its log."
            )
        parts = self._words(*self._filter.flush())
        reason = self._reason
        if reason is not EndReason.LENGTH:
            parts += self._called()
            said = any(isinstance(part, CallPart) for part in parts)
            if not said and not self._spoke:
                raise EmptyAnswerError(
                    f"{self._model} ended without a word and without a call. Ask again, or put the "
                    "request in other words."
                )
            if not said and reason is EndReason.CALLS:
                raise self._strange("an end by a call, without a call", reason)
            reason = EndReason.CALLS if said else EndReason.STOP
        return [*parts, self._end(reason)]

    def _chosen(self, choice: Any, data: str) -> list[ReplyPart]:
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if not isinstance(delta, dict):
            raise self._strange("a choice without a delta", data)
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        parts: list[ReplyPart] = [ThoughtPart(text=str(thought))] if thought else []
        content, called = delta.get("content"), delta.get("tool_calls")
        self.heard = self.heard or bool(thought or content or called)
        parts += self._words(*self._filter.feed(str(content or "")))
        self._gather(called, data)
        if ended := choice.get("finish_reason"):
            self._reason = _ENDS.get(str(ended))
            if self._reason is None:
                raise self._strange(f"the end {ended!r}", data)
        return parts

    def _words(self, thought: str, text: str) -> list[ReplyPart]:
        parts: list[ReplyPart] = [ThoughtPart(text=thought)] if thought else []
        if text:
            self._spoke = self._spoke or bool(text.strip())
            parts += self._reader.feed(text)
        return parts

    def _gather(self, listed: Any, data: str) -> None:
        if listed and not isinstance(listed, list):
            raise self._strange("tool_calls that are no list", data)
        for piece in listed or ():
            self._gathered(piece).add(piece)

    def _gathered(self, piece: Any) -> _Gathered:
        """Return the call that a piece belongs to.

        Some servers count every call as the first, or do not count: a new id begins a new call.
        """
        facts = piece if isinstance(piece, dict) else {}
        index, given = facts.get("index"), facts.get("id")
        alike = (one for one in reversed(self._calls) if index is None or one.index == index)
        known = next(alike, None)
        if known is None or not facts or (given and known.id and given != known.id):
            known = _Gathered(index=index)
            self._calls.append(known)
        known.id = known.id or given
        return known

    def _called(self) -> list[ReplyPart]:
        """Return the calls, whole. They are judged where tools are run."""
        found: list[CallPart] = []
        for gathered in self._calls:
            found.append(received(gathered.whole(), {call.id for call in found}))
        if not found and self._spoke and (call := self._reader.finish()):
            found.append(call)
        return list(found)

    def _end(self, reason: EndReason) -> EndPart:
        details = self._usage.get("prompt_tokens_details")
        return EndPart(
            reason=reason,
            prompt_tokens=number(self._usage, "prompt_tokens"),
            cached_tokens=number(details, "cached_tokens"),
            answer_tokens=number(self._usage, "completion_tokens"),
            seconds=time.monotonic() - self._began,
        )

    def _strange(self, what: str, value: Any) -> BrokenStreamError:
        return BrokenStreamError(
            f"The server sent {what} for {self._model}: "
            f"{excerpt(value)}. Ask again; if it stays, update "
            "the server or choose another model."
        )


def refuse_event(error: Any, model: str) -> None:
    """Raise what an error within a stream means."""
    said = error.get("message", error) if isinstance(error, dict) else error
    if isinstance(error, dict) and error.get("type") == "exceed_context_size_error":
        raise PromptTooLongError(f"The server refuses the prompt for {model}: {said}. Shorten it.")
    raise BrokenStreamError(
        f"The server broke off while {model} wrote: {str(said).rstrip('.')}. Ask again; if it "
        "stays, look into its log."
    )
