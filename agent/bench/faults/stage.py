"""What every stage of a fault has: the question, its whole answer, and the answer's first words."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from langchain_core.messages import HumanMessage

from agent.bench.faults.table import Fault
from agent.executives.wire import Timeouts
from agent.ollama_double.script import (
    Asked,
    BreakOff,
    FailMidway,
    Hang,
    Raw,
    Refuse,
    Reply,
    Say,
    Script,
    computed,
)
from graphs.executive import Executive, Prompt, Wish

FIRST = "Two years from the day"
ANSWER = f"{FIRST} of purchase; the maker wants the receipt."

ASKED = Prompt(system="You answer briefly.", messages=(HumanMessage("How long is the warranty?"),))
LONG = Prompt(system="You answer.", messages=(HumanMessage("the warranty of the pump " * 200),))
"""About a thousand tokens."""

CONTEXT_TOKENS, SMALL_TOKENS = 4_096, 512
WISH = Wish(max_tokens=64, think=True)

Stage = Callable[[Fault], AbstractAsyncContextManager[Executive]]
"""Sets a fault up, so that the first request of the executive meets it."""


def prompt_of(fault: Fault) -> Prompt:
    """Return the prompt that a fault is met with."""
    return LONG if fault.name in ("truncated", "overfull") else ASKED


def rest_of(body: Mapping[str, Any]) -> str:
    """Return what a model has still to say: it goes on from what stands."""
    last = body["messages"][-1]
    return ANSWER.removeprefix(last["content"]) if last["role"] == "assistant" else ANSWER


def timeouts_of(fault: Fault) -> Timeouts:
    """Return how long the server of a fault is waited for: briefly only where that is the fault."""
    if fault.name == "hangs-first":
        return Timeouts(first_token_s=0.3, token_s=30.0)
    if fault.name == "hangs-later":
        return Timeouts(first_token_s=30.0, token_s=0.3)
    return Timeouts(first_token_s=30.0, token_s=30.0)


def faulty_first(fault: Fault, garbled: Sequence[str]) -> Script:
    """Return a script whose first reply is the fault and whose others are sound.

    `garbled` are the lines of a stream that loses its form.
    """
    met: list[Asked] = []

    def respond(asked: Asked) -> Reply:
        met.append(asked)
        first = _replies(garbled).get(fault.name) if len(met) == 1 else None
        return first or Say(text=rest_of(asked.body))

    return computed(respond)


def _replies(garbled: Sequence[str]) -> dict[str, Reply]:
    return {
        "cut-first": BreakOff(),
        "cut-later": BreakOff(text=FIRST),
        "no-end": BreakOff(text=FIRST, cleanly=True),
        "length": Say(text=FIRST, done_reason="length"),
        "error-midway": FailMidway(error="model runner has unexpectedly stopped", text=FIRST),
        "garbled": Raw(lines=garbled),
        "empty": Say(),
        "only-thoughts": Say(thinking="It may be two years."),
        "thought-away": Say(thinking="It may be two years.", done_reason="length"),
        "failed": Refuse(status=500, error="llama-server process has terminated"),
        "busy": Refuse(status=503, error="server busy, please try again"),
        "gone": Refuse(status=404, error="model not found"),
        "hangs-first": Hang(),
        "hangs-later": Hang(text=FIRST),
        "truncated": Say(text=ANSWER, prompt_eval_count=300),
        "stranger": Say(text=ANSWER, model="another:1b"),
    }
