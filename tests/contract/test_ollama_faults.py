"""What a server, a model or a network may do wrong, and what the executive makes of it."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agent.executives.ollama.executive import OllamaExecutive, OllamaTimeouts
from agent.executives.ollama.server import OllamaModel
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.script import (
    BreakOff,
    FailMidway,
    Hang,
    Raw,
    Refuse,
    Reply,
    Say,
    call,
    scripted,
)
from graphs.errors import (
    BrokenStreamError,
    EmptyAnswerError,
    ExecutiveError,
    ExecutiveUnreachableError,
    ModelMissingError,
    PromptTooLongError,
)
from graphs.executive import CallPart, EndPart, EndReason, Prompt, ReplyPart, TextPart, Wish
from tools.base import Effect, ToolSpec

Serve = Callable[[Any], AbstractAsyncContextManager[str]]

ASKED = Prompt(system="You answer briefly.", messages=(HumanMessage("How long is the warranty?"),))
LONG = Prompt(system="You answer.", messages=(HumanMessage("the warranty of the pump " * 200),))
QUICK = OllamaTimeouts(connect_s=1.0, first_token_s=0.3, token_s=0.3)
PATIENT = OllamaTimeouts(connect_s=2.0, first_token_s=20.0, token_s=20.0)
RECALL = ToolSpec(
    name="recall",
    description="Search memory.",
    parameters={"type": "object", "properties": {"query": {"type": "string"}}},
    effect=Effect.READ,
)


def executive(
    url: str, *, model: str = "qwen3:14b", tools: bool = True, timeouts: OllamaTimeouts = PATIENT
) -> OllamaExecutive:
    found = OllamaModel(
        name=model,
        size_bytes=0,
        parameters="14.8B",
        quantisation="Q4_K_M",
        capabilities=frozenset({"completion", "thinking"} | ({"tools"} if tools else set())),
        trained_tokens=40_960,
    )
    return OllamaExecutive(
        found, url=url, version="0.33.3", context_tokens=8_192, timeouts=timeouts
    )


async def parts_of(
    asked: OllamaExecutive, wish: Wish | None = None, prompt: Prompt = ASKED
) -> list[ReplyPart]:
    return [part async for part in asked.stream(prompt, wish or Wish())]


def text_of(parts: list[ReplyPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextPart))


@pytest.mark.parametrize(
    "fault",
    [
        BreakOff(text="The warranty is", cleanly=True),
        BreakOff(text="The warranty is", cleanly=False),
        FailMidway(error="an error was encountered while running the model", text="The warranty"),
        Raw(lines=['{"model":"qwen3:14b","message":{"content":"The"},"done":false}', "{not json"]),
        Raw(lines=['{"model":"qwen3:14b","message":{"content":"The"},"done":false}', "[]"]),
        Raw(lines=['{"model":"qwen3:14b","message":{"content":"The"},"done":false}', "{}"]),
        Say(text="The warranty is", done_reason="load"),
    ],
    ids=lambda fault: str(type(fault).__name__),
)
async def test_an_answer_that_breaks_off_in_its_middle_is_never_taken_for_whole(
    serve: Serve, fault: Reply
) -> None:
    double = OllamaDouble(scripted(fault, "Two years."))
    async with serve(double) as url:
        with pytest.raises(BrokenStreamError):
            await parts_of(executive(url))

    assert len(double.asked) == 1, "who asks decides whether to ask again"


@pytest.mark.parametrize(
    "fault",
    [
        BreakOff(cleanly=True),
        BreakOff(cleanly=False),
        FailMidway(error="model runner has unexpectedly stopped"),
        Raw(lines=["{not json"]),
        Raw(lines=["null"]),
    ],
    ids=["closed", "cut", "error", "not json", "not an object"],
)
async def test_a_stream_that_breaks_before_its_first_word_is_an_error_too(
    serve: Serve, fault: Reply
) -> None:
    double = OllamaDouble(scripted(fault))
    async with serve(double) as url:
        with pytest.raises(BrokenStreamError):
            await parts_of(executive(url))

    assert len(double.asked) == 1


async def test_an_answer_cut_by_the_server_ends_with_length_not_with_stop(serve: Serve) -> None:
    async with serve(OllamaDouble(scripted(Say(text="Two", done_reason="length")))) as url:
        parts = await parts_of(executive(url))

    assert isinstance(parts[-1], EndPart)
    assert parts[-1].reason is EndReason.LENGTH


@pytest.mark.parametrize("text", ["", " \n", "<think>hm</think>"])
async def test_an_answer_without_a_word_is_an_error(serve: Serve, text: str) -> None:
    double = OllamaDouble(scripted(Say(text=text, thinking="It may be two years.")))
    async with serve(double) as url:
        with pytest.raises(EmptyAnswerError, match="without a word"):
            await parts_of(executive(url), Wish(think=True))


@pytest.mark.parametrize(
    "shape",
    [
        "recall",
        ["recall"],
        {"name": "recall", "arguments": {}},
        {"function": None},
        {"function": {"arguments": {}}},
        {"function": {"name": "", "arguments": {}}},
        {"function": {"name": 7, "arguments": {}}},
        {"function": {"name": "recall", "arguments": [1]}},
        {"function": {"name": "recall", "arguments": "query=warranty"}},
        {"function": {"name": "recall", "arguments": "[1]"}},
        {"function": {"name": "recall", "arguments": 7}},
    ],
)
async def test_a_tool_call_out_of_shape_comes_with_what_is_wrong_with_it(
    serve: Serve, shape: Any
) -> None:
    async with serve(OllamaDouble(scripted(Say(calls=[shape])))) as url:
        parts = await parts_of(executive(url), Wish(tools=[RECALL]))

    (call,) = [part for part in parts if isinstance(part, CallPart)]
    assert call.fault
    assert call.arguments == {}


@pytest.mark.parametrize("at_end", [False, True])
async def test_calls_come_whole_with_an_id_each_wherever_they_stand(
    serve: Serve, at_end: bool
) -> None:
    sent = [
        call("recall", query="a"),
        {"id": "call_1", "function": {"name": "recall", "arguments": '{"query": "b"}'}},
        {"id": "call_1", "function": {"index": 2, "name": "unknown", "arguments": None}},
    ]
    say = Say(text="I look.", calls=sent, calls_at_end=at_end)
    async with serve(OllamaDouble(scripted(say))) as url:
        parts = await parts_of(executive(url), Wish(tools=[RECALL]))

    calls = [part for part in parts if isinstance(part, CallPart)]
    assert [(one.name, one.arguments) for one in calls] == [
        ("recall", {"query": "a"}),
        ("recall", {"query": "b"}),
        ("unknown", {}),
    ]
    assert len({one.id for one in calls}) == 3
    assert isinstance(parts[-1], EndPart)
    assert parts[-1].reason is EndReason.CALLS


async def test_words_that_look_like_a_call_stay_words(serve: Serve) -> None:
    text = '{"name": "recall", "arguments": {"query": "x"}}'
    async with serve(OllamaDouble(scripted(text))) as url:
        parts = await parts_of(executive(url), Wish(tools=[RECALL]))

    assert text_of(parts) == text
    assert not [part for part in parts if isinstance(part, CallPart)]


async def test_a_prompt_that_the_server_cut_without_a_word_is_noticed(serve: Serve) -> None:
    double = OllamaDouble(scripted(Say(text="Two years.", prompt_eval_count=300)))
    async with serve(double) as url:
        with pytest.raises(PromptTooLongError, match=r"read 300 tokens .* at least \d+"):
            await parts_of(executive(url), prompt=LONG)


async def test_a_server_that_does_not_count_is_not_suspected(serve: Serve) -> None:
    double = OllamaDouble(scripted(Say(text="Two years.", prompt_eval_count=0)))
    async with serve(double) as url:
        assert text_of(await parts_of(executive(url), prompt=LONG)) == "Two years."


async def test_a_server_with_a_smaller_context_than_asked_for_refuses_the_prompt(
    serve: Serve,
) -> None:
    small = DoubleModel(context_length=512)
    double = OllamaDouble(scripted("Two years."), models=[small])
    async with serve(double) as url:
        with pytest.raises(PromptTooLongError, match=r"request \(\d+ tokens\) .* \(512 tokens\)"):
            await parts_of(executive(url), prompt=LONG)


async def test_the_bound_rises_with_what_the_server_counts(serve: Serve) -> None:
    double = OllamaDouble(scripted(Say(text="Two years.", prompt_eval_count=900), "Yes."))
    async with serve(double) as url:
        asked = executive(url)
        before = (await asked.count(ASKED, Wish())).tokens
        await parts_of(asked)
        after = (await asked.count(ASKED, Wish())).tokens

    assert before < 900 <= after


async def test_silence_before_the_first_word_ends_after_its_time(serve: Serve) -> None:
    double = OllamaDouble(scripted(Hang()))
    async with serve(double) as url:
        with pytest.raises(ExecutiveUnreachableError, match=r"wrote nothing for 0\.3 s"):
            await parts_of(executive(url, timeouts=QUICK))


async def test_silence_within_an_answer_ends_after_its_time(serve: Serve) -> None:
    double = OllamaDouble(scripted(Hang(text="Two")))
    patient_at_first = OllamaTimeouts(connect_s=1.0, first_token_s=20.0, token_s=0.3)
    async with serve(double) as url:
        with pytest.raises(ExecutiveUnreachableError, match=r"wrote nothing for 0\.3 s"):
            await parts_of(executive(url, timeouts=patient_at_first))

    assert double.asked[0].gone


async def test_the_server_is_told_when_a_stream_is_closed(serve: Serve) -> None:
    double = OllamaDouble(scripted(Say(text="word " * 5_000)), pace_s=0.001)
    async with serve(double) as url:
        async with aclosing(executive(url).stream(ASKED, Wish(max_tokens=5_000))) as stream:
            await anext(stream)
        async with asyncio.timeout(10):
            await double.asked[0].over.wait()

    assert double.asked[0].gone


@pytest.mark.parametrize(
    ("refusal", "error", "words"),
    [
        (Refuse(status=503, error="server busy"), ExecutiveUnreachableError, "busy"),
        (
            Refuse(status=500, error="llama-server process has terminated: cudaMalloc failed"),
            ExecutiveError,
            "cudaMalloc failed",
        ),
        (
            Refuse(status=400, error="the input length exceeds the context length"),
            PromptTooLongError,
            "8192",
        ),
        (Refuse(status=400, error="invalid think value"), ExecutiveError, "invalid think value"),
    ],
)
async def test_a_refusal_says_what_the_server_says(
    serve: Serve, refusal: Refuse, error: type[Exception], words: str
) -> None:
    double = OllamaDouble(scripted(refusal))
    async with serve(double) as url:
        with pytest.raises(error, match=words):
            await parts_of(executive(url))

    assert len(double.asked) == 1


async def test_a_model_that_is_not_there_is_named_with_how_to_get_it(serve: Serve) -> None:
    async with serve(OllamaDouble()) as url:
        with pytest.raises(ModelMissingError, match="ollama pull phi4:latest"):
            await parts_of(executive(url, model="phi4:latest"))


async def test_a_server_that_is_not_there_is_named_with_what_to_do() -> None:
    with pytest.raises(ExecutiveUnreachableError, match=r"http://127\.0\.0\.1:9 .*ollama serve"):
        await parts_of(executive("http://127.0.0.1:9"))


async def test_an_address_that_is_none_is_an_error_too() -> None:
    with pytest.raises(ExecutiveError, match="localhost:11434"):
        await parts_of(executive("localhost:11434"))


async def test_a_proxy_of_the_environment_is_not_asked(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with serve(OllamaDouble(scripted("Two years."))) as url:
        assert text_of(await parts_of(executive(url))) == "Two years."


async def test_sampling_never_loads_the_model_anew(serve: Serve) -> None:
    double = OllamaDouble(scripted("a", "b", Say(calls=[call("recall", query="x")]), "{}"))
    wishes = [
        Wish(max_tokens=5, temperature=0.7, seed=3, stop=["x"]),
        Wish(max_tokens=500, think=True),
        Wish(tools=[RECALL]),
        Wish(schema={"type": "object", "properties": {}}),
    ]
    async with serve(double) as url:
        for wish in wishes:
            await parts_of(executive(url), wish)

    assert double.shelf.loads == 1
    assert [asked.loaded for asked in double.asked] == [True, False, False, False]


async def test_every_request_pins_the_model_and_refuses_to_be_cut(serve: Serve) -> None:
    double = OllamaDouble(scripted("a"))
    async with serve(double) as url:
        await parts_of(executive(url))

    body = double.asked[0].body
    assert (body["keep_alive"], body["truncate"], body["shift"]) == (-1, False, False)
    assert body["options"]["num_ctx"] == 8_192
    assert body["options"]["num_batch"] == 512
    assert "num_gpu" not in body["options"]


async def test_thinking_is_off_where_a_schema_holds(serve: Serve) -> None:
    double = OllamaDouble(scripted("a", "{}"))
    async with serve(double) as url:
        await parts_of(executive(url), Wish(think=True))
        await parts_of(executive(url), Wish(think=True, schema={"type": "object"}))

    assert [asked.body["think"] for asked in double.asked] == [True, False]


async def test_a_schema_that_the_server_ignored_is_an_error(serve: Serve) -> None:
    double = OllamaDouble(scripted("Here is your JSON: {}"))
    async with serve(double) as url:
        with pytest.raises(BrokenStreamError, match="should be JSON"):
            await parts_of(executive(url), Wish(schema={"type": "object"}))


async def test_a_model_without_tools_of_its_own_calls_by_schema_or_answers(serve: Serve) -> None:
    chosen = json.dumps({"tool": "recall", "arguments": {"query": "warranty"}})
    words = json.dumps({"answer": "Two years.\nAsk “ACME”."})
    double = OllamaDouble(
        scripted(chosen, words), models=[DoubleModel(capabilities=("completion",))]
    )
    async with serve(double) as url:
        asked = executive(url, tools=False)
        called = await parts_of(asked, Wish(tools=[RECALL]))
        answered = await parts_of(asked, Wish(tools=[RECALL]))

    assert [(one.name, one.arguments) for one in called if isinstance(one, CallPart)] == [
        ("recall", {"query": "warranty"})
    ]
    assert text_of(answered) == "Two years.\nAsk “ACME”."
    assert len([part for part in answered if isinstance(part, TextPart)]) > 3, "it streams"
    assert all("tools" not in asked.body for asked in double.asked)
    assert "recall" in double.asked[0].body["messages"][0]["content"]


def notices_of(parts: list[ReplyPart]) -> tuple[str, ...]:
    assert isinstance(parts[-1], EndPart)
    return parts[-1].notices


async def test_a_context_that_turns_out_smaller_is_told_and_held_to(serve: Serve) -> None:
    double = OllamaDouble(scripted("Two years.", "Yes."), models=[DoubleModel(context_length=512)])
    async with serve(double) as url:
        asked = executive(url)
        first = await parts_of(asked)
        assert asked.profile.context_tokens == 512
        with pytest.raises(PromptTooLongError, match="holds 512"):
            await parts_of(asked, prompt=LONG)
        second = await parts_of(asked)

    assert "512 tokens, though 8192" in notices_of(first)[0]
    assert notices_of(second) == ()
    assert len(double.asked) == 2


async def test_a_model_that_was_pushed_out_is_told_with_how_long_it_took(serve: Serve) -> None:
    double = OllamaDouble(scripted("a", "b", "c"))
    async with serve(double) as url:
        asked = executive(url)
        first = await parts_of(asked)
        double.shelf.unload(double.shelf.models()[0])
        second = await parts_of(asked)
        third = await parts_of(asked)

    assert [len(notices_of(parts)) for parts in (first, second, third)] == [0, 1, 0]
    assert "anew before this answer (2.4 s)" in notices_of(second)[0]


async def test_a_model_that_the_server_does_not_keep_is_told(serve: Serve) -> None:
    double = OllamaDouble(scripted("a"))
    # Ollama lists nothing where its memory is so short that a model leaves with its answer.
    double.shelf.listed = lambda now: []  # type: ignore[method-assign]
    async with serve(double) as url:
        (notice,) = notices_of(await parts_of(executive(url)))

    assert notice.startswith("Ollama dropped qwen3:14b from memory")


async def test_a_server_that_does_not_tell_what_it_holds_is_believed(serve: Serve) -> None:
    double = OllamaDouble(scripted("a"))

    async def without_ps(scope: Any, receive: Any, send: Any) -> None:
        await double({**scope, "path": scope["path"].replace("/ps", "/gone")}, receive, send)

    async with serve(without_ps) as url:
        assert notices_of(await parts_of(executive(url))) == ()


async def test_another_model_than_was_asked_is_no_answer(serve: Serve) -> None:
    async with serve(OllamaDouble(scripted(Say(text="Two years.", model="tiny:1b")))) as url:
        with pytest.raises(ModelMissingError, match=r"tiny:1b answered where qwen3:14b was asked"):
            await parts_of(executive(url))


async def test_a_line_of_the_answer_ends_where_the_protocol_says(serve: Serve) -> None:
    text = "one\u2028two\u0085three"
    async with serve(OllamaDouble(scripted(Say(text=text)))) as url:
        assert text_of(await parts_of(executive(url))) == text
