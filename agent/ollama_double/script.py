"""What the double is told to answer."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.ollama_double.models import DoubleModel
from agent.ollama_double.pulls import Pull


@dataclass(frozen=True, kw_only=True, slots=True)
class Say:
    """An answer that ends well."""

    text: str = ""
    thinking: str = ""
    """Sent only if the model can think and the request does not forbid it."""
    calls: Sequence[Any] = ()
    """Entries of `tool_calls`, sent as they are, however malformed."""
    calls_at_end: bool = False
    """Calls stand in the last line, as llama-server's own parser gives them."""
    done_reason: str | None = None
    """None: `length` if `num_predict` cut the text, else `stop`."""
    prompt_eval_count: int | None = None
    """None: what was really counted."""
    model: str | None = None
    """Model that says it; None: the one that was asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refuse:
    """An error before the stream."""

    status: int
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FailMidway:
    """An error object as the last line of a stream that began well."""

    error: str
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakOff:
    """A stream that ends before `done`."""

    text: str = ""
    cleanly: bool = False
    """True: the response is complete as HTTP; False: the connection is cut."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hang:
    """Silence after some text, until the client goes away."""

    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Raw:
    """Lines as they are."""

    lines: Sequence[str]


Reply = Say | Refuse | FailMidway | BreakOff | Hang | Raw


@dataclass(kw_only=True, slots=True)
class Asked:
    """A request to `/api/chat` or `/api/generate`, and what became of it."""

    path: str
    body: Mapping[str, Any]
    prompt_tokens: int = 0
    """Tokens of the whole prompt as it came."""
    read_tokens: int = 0
    """Tokens that were left of it."""
    loaded: bool = False
    """Whether a model was loaded, or loaded anew, for it."""
    gone: bool = False
    """Whether the client went away before the end."""
    over: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set when nothing more will be sent."""


Responder = Callable[[Asked], Reply]


@dataclass(kw_only=True, slots=True)
class Script:
    """Replies in their order, or a function that computes each of them."""

    replies: list[Reply] = field(default_factory=list)
    responder: Responder | None = None
    loop: bool = False
    """Begin again when the replies have run out."""
    pulls: Mapping[str, Pull] = field(default_factory=dict)
    """What happens to pulls, by the model's whole name; others succeed."""
    models: Sequence[DoubleModel] = ()
    """What the server has; none: its usual one."""

    def next(self, asked: Asked) -> Reply:
        """Return the next reply. A script that has run out gives an error 500 that says so."""
        if self.responder is not None:
            return self.responder(asked)
        if not self.replies:
            return Refuse(status=500, error="the double's script has run out")
        reply = self.replies.pop(0)
        if self.loop:
            self.replies.append(reply)
        return reply


def scripted(*replies: Reply | str) -> Script:
    """Return a script of these replies; a text is an answer that ends well."""
    return Script(replies=[_reply(reply) for reply in replies])


def computed(responder: Responder) -> Script:
    """Return a script that computes each reply."""
    return Script(responder=responder)


def call(name: str, /, **arguments: Any) -> dict[str, Any]:
    """Return a well-formed entry of `tool_calls`."""
    return {"function": {"name": name, "arguments": arguments}}


def read_script(path: Path) -> Script:
    """Read a script from a file: `{"loop": false, "replies": [...], "pulls": {}, "models": []}`.

    A reply is a string, or an object of one of the kinds, by the name of its fields in lower case:
    `{"say": {"text": "Hello"}}`, `{"refuse": {"status": 503, "error": "busy"}}`.
    """
    data = json.loads(path.read_text("utf-8"))
    return Script(
        replies=[_reply(entry) for entry in data.get("replies", ())],
        loop=bool(data.get("loop", False)),
        pulls={name: Pull(**fields) for name, fields in data.get("pulls", {}).items()},
        models=[_model(fields) for fields in data.get("models", ())],
    )


def _model(fields: Mapping[str, Any]) -> DoubleModel:
    lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
    return DoubleModel(**{**fields, **lists})


_KINDS: dict[str, Callable[..., Reply]] = {
    "say": Say,
    "refuse": Refuse,
    "failmidway": FailMidway,
    "breakoff": BreakOff,
    "hang": Hang,
    "raw": Raw,
}


def _reply(entry: Any) -> Reply:
    if isinstance(entry, str):
        return Say(text=entry)
    if isinstance(entry, Mapping):
        ((kind, fields),) = entry.items()
        return _KINDS[kind](**fields)
    assert isinstance(entry, Say | Refuse | FailMidway | BreakOff | Hang | Raw)
    return entry
