"""A probe finds out what a model does, on every adapter, and tool calls follow what it found."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.executives.choose import Choosing, ChoosingOpenAi, choose
from agent.executives.gguf.header import embedded_model
from agent.executives.llamacpp.executive import LlamaCppExecutive
from agent.executives.llamacpp.server import LlamaPort
from agent.executives.probe import tasks as probe_tasks
from agent.executives.probe.cache import ProbeCache
from agent.executives.probe.probing import Findings, probe
from agent.models.probing import otherwise, probed
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.script import Asked, Hang, Refuse, Reply, Say, computed
from agent.openai_double.app import OpenAiDouble
from memory.sizing import usable_cores

Serve = Callable[[Any], AbstractAsyncContextManager[str]]

CONTEXT_TOKENS = 2_048

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    probe_tasks.REQUESTS[0].text: ("weather", {"city": "Oslo", "day": "tomorrow"}),
    probe_tasks.REQUESTS[1].text: ("set_timer", {"minutes": 25}),
    probe_tasks.REQUESTS[2].text: (
        "send_note",
        {"to": ["Ann", "Ben"], "text": "The key is under the mat."},
    ),
    probe_tasks.REQUESTS[3].text: (
        "convert",
        {"amount": 12.5, "from_unit": "miles", "to_unit": "kilometres"},
    ),
    probe_tasks.REQUESTS[4].text: ("weather", {"city": "Lima", "day": "today"}),
}


def able(asked: Asked) -> Reply:
    """Answer as a good model would."""
    text = str(asked.body["messages"][-1]["content"])
    thinking = "Let me think." if asked.body.get("think") else ""
    schema = asked.body.get("format")
    if schema is not None:
        return Say(text=json.dumps(_by_schema(schema, text)))
    if asked.body.get("tools"):
        return _natively(text)
    if text == probe_tasks.COUNTING.begun:
        return Say(text=" five, six, seven, eight.")
    if probe_tasks.NEEDLE in text:
        return Say(text=f"It is {probe_tasks.NEEDLE}.")
    return Say(text="At 11:15.", thinking=thinking)


def _by_schema(schema: dict[str, Any], text: str) -> dict[str, Any]:
    if "anyOf" not in schema:
        for told, weight, fragile in probe_tasks.PARCELS:
            if told == text:
                sender, contents = told.partition(" sent")[0], ["goods"]
                return {
                    "sender": sender,
                    "weight_kg": weight,
                    "fragile": fragile,
                    "contents": contents,
                }
    if text in CALLS:
        name, arguments = CALLS[text]
        return {"tool": name, "arguments": arguments}
    return {"answer": "You are welcome."}


def _natively(text: str) -> Say:
    if text == probe_tasks.TWO_AT_ONCE.text:
        cities = [{"city": city, "day": "today"} for city in ("Oslo", "Lima")]
        return Say(calls=[_call("weather", one) for one in cities])
    if text in CALLS:
        return Say(calls=[_call(*CALLS[text])])
    return Say(text="You are welcome.")


def _call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}}


def clumsy(asked: Asked) -> Reply:
    """Answer as a model whose own calls have a field too many, and one is no call at all."""
    reply = able(asked)
    if not isinstance(reply, Say) or not reply.calls:
        return reply
    calls = [
        _call(one["function"]["name"], {**one["function"]["arguments"], "bcc": "x"})
        for one in reply.calls
    ]
    return replace(reply, calls=calls)


@asynccontextmanager
async def ollama(serve: Serve, responder: Callable[[Asked], Reply]) -> AsyncIterator[Any]:
    double = OllamaDouble(computed(responder))
    async with serve(double) as url:
        yield (
            double,
            Choosing(
                wanted="ollama:qwen3:14b",
                url=url,
                server_context_tokens=CONTEXT_TOKENS,
                probe_timeout_s=5.0,
            ),
        )


async def test_a_good_model_of_ollama_calls_tools_by_its_own_template(serve: Serve) -> None:
    async with ollama(serve, able) as (_, choosing):
        executive = (await choose(choosing)).executive
        found = await probed(executive, choosing, limit_s=None, tell=lambda _: None)

    assert found.native is not None
    assert found.by_schema is not None
    assert (found.native.right, found.by_schema.right) == (6, 6)
    assert found.native_tools is True
    assert found.at_once == 2
    assert found.schema is not None
    assert found.schema.right == 2
    assert (found.thoughts_off, found.thoughts_on) == (False, True)
    assert found.goes_on is True
    assert found.held is not None
    assert found.held.found
    assert found.held.agrees
    assert found.held.counted > 0.9 * CONTEXT_TOKENS
    assert found.left_out == ()
    assert found.digest == DoubleModel().digest == executive.profile.digest


async def test_a_model_whose_own_calls_are_not_valid_is_given_a_schema(
    serve: Serve, tmp_path: Path
) -> None:
    cache = ProbeCache(tmp_path)
    lines: list[str] = []
    async with ollama(serve, clumsy) as (double, choosing):
        executive = (await choose(choosing)).executive
        assert executive.profile.native_tools
        way = await otherwise(executive, cache, choosing, auto=True, tell=lines.append)
        asked = len(double.asked)
        again = await otherwise(executive, cache, choosing, auto=True, tell=lines.append)
        follows = (await choose(replace(choosing, native_tools=way))).executive

    assert (way, again) == (False, False)
    assert len(double.asked) == asked
    assert not follows.profile.native_tools
    assert follows.profile.judgement
    assert lines[0].startswith("probing qwen3:14b")
    assert "tool calls by schema" in lines[-1]
    kept = cache.get(executive.profile.digest)
    assert kept is not None
    assert kept.native is not None
    assert kept.native.valid < kept.native.of


async def test_nobody_is_probed_unasked_where_settings_say_never_or_the_model_is_embedded(
    serve: Serve, tmp_path: Path
) -> None:
    cache = ProbeCache(tmp_path)
    async with ollama(serve, able) as (double, choosing):
        executive = (await choose(choosing)).executive
        assert (await otherwise(executive, cache, choosing, auto=False, tell=print)) is None
        assert double.asked == []
    embedded = LlamaCppExecutive.embedded(context_tokens=512)
    way = await otherwise(embedded, cache, Choosing(wanted="embedded"), auto=True, tell=print)

    assert way is None
    assert cache.get(embedded.profile.digest) is None


async def test_what_is_not_answered_in_time_is_left_out_by_name(serve: Serve) -> None:
    def slow(asked: Asked) -> Reply:
        return Hang() if asked.body.get("format") else able(asked)

    async with ollama(serve, slow) as (_, choosing):
        executive = (await choose(choosing)).executive
        found = await probe(executive, limit_s=1.5)

    assert found.native is not None
    assert found.schema is None
    assert found.left_out == (
        "answers by schema",
        "thinking",
        "going on with an answer",
        "context",
    )


async def test_a_model_that_cannot_be_asked_is_left_for_the_first_request(
    serve: Serve, tmp_path: Path
) -> None:
    lines: list[str] = []
    broken = Refuse(status=404, error="model not found")
    async with ollama(serve, lambda _: broken) as (_, choosing):
        executive = (await choose(choosing)).executive
        cache = ProbeCache(tmp_path)
        way = await otherwise(executive, cache, choosing, auto=True, tell=lines.append)

    assert way is None
    assert "could not be probed" in lines[-1]
    assert cache.get(executive.profile.digest) is None


async def test_a_server_that_tells_nothing_of_tools_is_tried_with_them(serve: Serve) -> None:
    def translated(asked: Asked) -> Reply:
        form = asked.body.get("response_format") or {}
        schema = form.get("json_schema", {}).get("schema")
        kwargs = asked.body.get("chat_template_kwargs") or {}
        body = {**asked.body, "format": schema, "think": kwargs.get("enable_thinking")}
        reply = able(Asked(path=asked.path, body=body))
        assert isinstance(reply, Say)
        calls = [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {
                    "name": one["function"]["name"],
                    "arguments": json.dumps(one["function"]["arguments"]),
                },
            }
            for number, one in enumerate(reply.calls)
        ]
        return replace(reply, calls=calls)

    from agent.executives.openai.server import Kind

    async with serve(OpenAiDouble(computed(translated), kind=Kind.VLLM)) as url:
        choosing = Choosing(
            wanted="openai:qwen3-14b",
            openai=ChoosingOpenAi(url=url, context_tokens=CONTEXT_TOKENS, probe_timeout_s=5.0),
        )
        executive = (await choose(choosing)).executive
        assert not executive.profile.native_tools
        found = await probed(executive, choosing, limit_s=None, tell=lambda _: None)
        settled = (await choose(replace(choosing, native_tools=found.native_tools))).executive

    assert found.native is not None
    assert found.native.right == 6
    assert found.native_tools is True
    assert settled.profile.native_tools
    assert settled.profile.digest == found.digest != ""


def assert_small(found: Findings) -> None:
    """What is true of SmolLM2 behind any adapter."""
    assert found.native is None
    assert found.native_tools is None
    assert found.by_schema is not None
    assert found.by_schema.valid == found.by_schema.of == 6
    assert found.thoughts_off is False
    assert found.thoughts_on is False
    assert found.held is not None
    assert found.held.exact
    assert found.held.agrees
    assert found.held.read == found.held.counted


async def test_real_tokens_in_process_are_probed_by_the_same_questions() -> None:
    executive = LlamaCppExecutive.embedded(context_tokens=1_024)
    try:
        found = await probe(executive)
    finally:
        await executive.aclose()

    assert_small(found)
    assert found.digest.startswith("gguf:")
    assert 900 < found.held.read <= 1_024 if found.held else False


async def test_a_real_server_of_llama_cpp_is_probed_by_the_same_questions() -> None:
    port = LlamaPort(embedded_model(), context_tokens=1_024, cores=usable_cores())
    try:
        served = ChoosingOpenAi(
            url=port.url, api_key=port.key, context_tokens=1_024, probe_timeout_s=5.0
        )
        choosing = Choosing(wanted="openai:SmolLM2-135M-Instruct.Q4_1", openai=served)
        found = await probe((await choose(choosing)).executive)
    finally:
        port.close()

    assert_small(found)
    assert found.digest.startswith("openai:")


def test_every_request_has_one_right_call() -> None:
    for request in probe_tasks.REQUESTS[:-1]:
        name, arguments = CALLS[request.text]
        call = _call_part(name, arguments)
        typed = probe_tasks.typed(call)
        assert request.tool == name
        assert typed is not None
        assert request.fits(typed)
    assert probe_tasks.typed(_call_part("weather", {"city": "Oslo"})) is None
    assert probe_tasks.typed(_call_part("set_timer", {"minutes": "25"})) is None
    assert probe_tasks.typed(_call_part("wether", {"city": "Oslo", "day": "today"})) is None


def _call_part(name: str, arguments: dict[str, Any]) -> Any:
    from graphs.executive import CallPart

    return CallPart(id="1", name=name, arguments=arguments)
