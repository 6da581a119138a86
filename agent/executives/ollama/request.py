"""What Ollama is sent. Pure."""

from dataclasses import asdict, dataclass
from typing import Any

from agent.executives import messages
from agent.executives.bodies import asked_schema, described
from agent.executives.ollama.server import OllamaModel
from agent.executives.schemas import calls
from graphs.executive import Prompt, Wish


@dataclass(frozen=True, kw_only=True, slots=True)
class OllamaOptions:
    """The options that make Ollama load a model anew when they differ: the same in every call."""

    num_ctx: int
    num_batch: int = 512
    """Ollama raises the batch with the context by itself, at the price of much graphics memory."""


def chat_body(
    model: OllamaModel, options: OllamaOptions, prompt: Prompt, wish: Wish
) -> dict[str, Any]:
    """Return the body of a request to `/api/chat`.

    A wish that must be called, or any with tools where the model has none of its own, goes by
    schema; an answer that has begun in words goes on in words. Thinking is off wherever a schema
    holds.
    """
    native = "tools" in model.capabilities
    by_schema = bool(wish.tools) and (wish.must_call or not native)
    preface = calls.instructions(wish.tools, must_call=wish.must_call) if by_schema else ""
    rendered = messages.native_messages if native else messages.plain_messages
    body: dict[str, Any] = {
        "model": model.name,
        "messages": rendered(prompt, preface=preface),
        "stream": True,
        "think": False,
        "keep_alive": -1,
        "truncate": False,
        # Part of what the runner is started with: another value would load the model anew.
        "shift": False,
        "options": {
            **asdict(options),
            "temperature": wish.temperature,
            "seed": wish.seed,
            "num_predict": wish.max_tokens,
            **({"stop": list(wish.stop)} if wish.stop else {}),
        },
    }
    schema = (
        None if prompt.begun else asked_schema(wish, by_schema=by_schema, must_call=wish.must_call)
    )
    if schema is not None:
        return {**body, "format": schema}
    body["think"] = wish.think and not prompt.begun and "thinking" in model.capabilities
    if wish.tools and native:
        body["tools"] = [described(tool) for tool in wish.tools]
    return body
