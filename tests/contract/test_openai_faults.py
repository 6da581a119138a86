"""What servers that speak OpenAI's protocol tell, ask for, and do wrong in their own ways."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from agent.executives.choose import Choosing, ChoosingOpenAi, choose
from agent.executives.openai.executive import OpenAiExecutive
from agent.executives.openai.server import Kind, OpenAiModel, discover
from agent.executives.wire import Timeouts
from agent.ollama_double.generate import Refused
from agent.ollama_double.script import Hang, Raw, Refuse, Say, call, scripted
from agent.openai_double.app import DoubleModel, OpenAiDouble
from graphs.errors import (
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
WORKED = Prompt(
    system="You answer briefly.",
    messages=(
        *ASKED.messages,
        AIMessage("", tool_calls=[{"id": "c1", "name": "recall", "args": {"query": "x"}}]),
        ToolMessage("24 months", tool_call_id="c1"),
    ),
)
RECALL = ToolSpec(
    name="recall",
    description="Search memory.",
    parameters={"type": "object", "properties": {"query": {"type": "string"}}},
    effect=Effect.READ,
)
KEY = "sk-very-secret"


async def chosen(url: str, **more: Any) -> OpenAiExecutive:
    server = ChoosingOpenAi(url=url, probe_timeout_s=5.0, **more)
    executive = (await choose(Choosing(wanted="auto", openai=server))).executive
    assert isinstance(executive, OpenAiExecutive)
    return executive


async def parts_of(
    asked: OpenAiExecutive, wish: Wish | None = None, prompt: Prompt = ASKED
) -> list[ReplyPart]:
    return [part async for part in asked.stream(prompt, wish or Wish())]


def text_of(parts: list[ReplyPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextPart))


@pytest.mark.parametrize("kind", [Kind.LLAMA_CPP, Kind.VLLM, Kind.LM_STUDIO])
async def test_a_server_tells_what_it_is_and_the_context_that_is_loaded(
    serve: Serve, kind: Kind
) -> None:
    models = [DoubleModel(name="a/b/Qwen3-14B.gguf", context_tokens=6_000)]
    async with serve(OpenAiDouble(kind=kind, models=models)) as url:
        for address in (url, f"{url}/", f"{url}/v1", f"{url}/v1/"):
            server = await discover(address, api_key=None, timeout_s=5.0)
            assert (server.kind, server.url) == (kind, url)
        profile = (await chosen(url, model="Qwen3-14B")).profile

    assert profile.name == f"Qwen3-14B ({kind})"
    assert profile.context_tokens == 6_000
    assert profile.native_tools is (kind is not Kind.VLLM)
    assert profile.judgement


async def test_a_server_that_tells_no_context_has_that_of_the_setting(serve: Serve) -> None:
    async with serve(OpenAiDouble(kind=Kind.OTHER)) as url:
        assert (await chosen(url)).profile.context_tokens == 4_096
        assert (await chosen(url, context_tokens=16_000)).profile.context_tokens == 16_000


async def test_a_setting_takes_no_more_of_the_context_than_it_says(serve: Serve) -> None:
    async with serve(OpenAiDouble()) as url:
        assert (await chosen(url, context_tokens=2_000)).profile.context_tokens == 2_000
        assert (await chosen(url, context_tokens=90_000)).profile.context_tokens == 8_192


async def test_a_small_model_is_not_relied_on(serve: Serve) -> None:
    async with serve(OpenAiDouble(models=[DoubleModel(size_bytes=98_000_000)])) as url:
        assert not (await chosen(url)).profile.judgement


@pytest.mark.parametrize("kind", [Kind.LLAMA_CPP, Kind.VLLM])
async def test_tokens_are_counted_by_the_server_that_can(serve: Serve, kind: Kind) -> None:
    double = OpenAiDouble(scripted("Two years."), kind=kind)
    async with serve(double) as url:
        executive = await chosen(url)
        count = await executive.count(ASKED, Wish())
        end = (await parts_of(executive))[-1]

    assert isinstance(end, EndPart)
    assert (count.exact, count.tokens) == (True, end.prompt_tokens)
    assert double.counts == 1, "a prompt that fits in any case is not counted before it is sent"


async def test_an_older_llama_server_counts_in_two_steps(serve: Serve) -> None:
    class Older(OpenAiDouble):
        def _routes(self) -> Any:
            routes = dict(super()._routes())
            del routes["POST", "/v1/chat/completions/input_tokens"]
            routes["POST", "/apply-template"] = self._applied
            routes["POST", "/tokenize"] = self._pieces
            return routes

        async def _applied(self, body: Any) -> Any:
            return {"prompt": "".join(f"<{one['content']}>" for one in body["messages"])}

        async def _pieces(self, body: Any) -> Any:
            assert body["add_special"]
            assert body["parse_special"]
            return {"tokens": list(range(len(body["content"])))}

    async with serve(Older()) as url:
        executive = await chosen(url)
        counts = [await executive.count(ASKED, Wish()) for _ in range(2)]

    assert [(count.exact, count.tokens) for count in counts] == [(True, 48)] * 2


async def test_a_count_that_fails_once_is_asked_for_again(serve: Serve) -> None:
    class Busy(OpenAiDouble):
        async def _input_tokens(self, body: Any) -> Any:
            found = await super()._input_tokens(body)
            if self.counts == 1:
                raise Refused(503, "Loading model")
            return found

    async with serve(Busy()) as url:
        executive = await chosen(url)
        counts = [await executive.count(ASKED, Wish()) for _ in range(2)]

    assert [count.exact for count in counts] == [False, True]


async def test_without_a_tokeniser_the_bound_rises_with_what_the_server_counts(
    serve: Serve,
) -> None:
    double = OpenAiDouble(scripted(Say(text="Two.", prompt_eval_count=900)), kind=Kind.OTHER)
    async with serve(double) as url:
        executive = await chosen(url)
        before = await executive.count(ASKED, Wish())
        await parts_of(executive)
        after = await executive.count(ASKED, Wish())

    assert not before.exact
    assert before.tokens < 900 <= after.tokens


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_prompt_that_is_too_long_is_refused_before_it_is_sent(
    serve: Serve, kind: Kind
) -> None:
    double = OpenAiDouble(kind=kind, models=[DoubleModel(context_tokens=512)])
    async with serve(double) as url:
        with pytest.raises(PromptTooLongError, match="holds 512"):
            await parts_of(await chosen(url, context_tokens=512), prompt=LONG)

    assert double.asked == []


async def test_a_prompt_that_only_our_bound_takes_for_too_long_is_sent(serve: Serve) -> None:
    double = OpenAiDouble(scripted("Two years."), models=[DoubleModel(context_tokens=1_211)])
    async with serve(double) as url:
        executive = await chosen(url)
        assert text_of(await parts_of(executive, prompt=LONG)) == "Two years."

    assert double.counts == 1


async def test_an_answer_gets_no_more_than_what_a_prompt_leaves_where_a_server_wants_that(
    serve: Serve,
) -> None:
    models = [DoubleModel(context_tokens=1_300)]
    double = OpenAiDouble(scripted("Two years."), kind=Kind.VLLM, models=models)
    async with serve(double) as url:
        executive = await chosen(url)
        assert text_of(await parts_of(executive, Wish(max_tokens=200), LONG)) == "Two years."
        read = (await executive.count(LONG, Wish())).tokens

    assert double.asked[0].body["max_tokens"] == 1_300 - read


async def test_a_prompt_that_a_server_cut_without_a_word_is_noticed(serve: Serve) -> None:
    models = [DoubleModel(context_tokens=300)]
    double = OpenAiDouble(
        scripted("Two years."), kind=Kind.OTHER, models=models, cuts_silently=True
    )
    async with serve(double) as url:
        with pytest.raises(PromptTooLongError, match=r"read 300 tokens .* at least \d+"):
            await parts_of(await chosen(url), prompt=LONG)


async def test_a_server_that_does_not_count_is_not_suspected(serve: Serve) -> None:
    lines = [
        '{"choices": [{"index": 0, "delta": {"content": "Two."}}]}',
        '{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}',
    ]
    async with serve(OpenAiDouble(scripted(Raw(lines=lines)), kind=Kind.OTHER)) as url:
        executive = await chosen(url)
        raw = [part async for part in executive.stream(LONG, Wish())]

    assert text_of(raw) == "Two."
    assert isinstance(raw[-1], EndPart)
    assert raw[-1].prompt_tokens == 0


async def test_a_key_is_sent_and_never_told(serve: Serve) -> None:
    double = OpenAiDouble(scripted("Two years."), api_key=KEY)
    async with serve(double) as url:
        assert text_of(await parts_of(await chosen(url, api_key=KEY))) == "Two years."
        wrong = ChoosingOpenAi(url=url, api_key="sk-wrong", probe_timeout_s=5.0)
        with pytest.raises(ExecutiveUnreachableError, match=r"openai\.api_key") as caught:
            await choose(Choosing(wanted="openai:qwen3-14b", openai=wrong))
        assert "sk-wrong" not in str(caught.value)
        assert "sk-wrong" not in repr(wrong)
        late = OpenAiExecutive(
            OpenAiModel(name="qwen3-14b"), url=url, kind=Kind.OTHER, api_key="sk-wrong"
        )
        with pytest.raises(ExecutiveUnreachableError, match=r"refuses the key") as caught:
            await parts_of(late)
        assert "sk-wrong" not in str(caught.value)
        with pytest.raises(ExecutiveUnreachableError, match="asks for a key"):
            await discover(url, api_key=None, timeout_s=5.0)


async def test_words_of_a_server_that_repeat_the_key_do_not_pass(serve: Serve) -> None:
    double = OpenAiDouble(scripted(Refuse(status=500, error=f"who is {KEY}?")))
    async with serve(double) as url:
        with pytest.raises(ExecutiveError, match=r"who is \*\*\*\?"):
            await parts_of(await chosen(url, api_key=KEY))


async def test_a_password_in_the_address_is_not_told() -> None:
    with pytest.raises(ExecutiveUnreachableError, match=r"http://\*\*\*@127\.0\.0\.1:9") as caught:
        await discover("http://ada:s3cret@127.0.0.1:9/v1", api_key=None, timeout_s=2.0)

    assert "s3cret" not in str(caught.value)


async def test_auto_goes_on_to_the_next_where_the_server_does_not_answer() -> None:
    nowhere = ChoosingOpenAi(url="http://127.0.0.1:9", probe_timeout_s=2.0)
    taken = await choose(Choosing(url="http://127.0.0.1:9", openai=nowhere))

    assert taken.executive.profile.tier == "embedded"
    assert "No OpenAI-compatible server answers at http://127.0.0.1:9" in taken.reason


async def test_a_model_that_the_server_does_not_list_is_named_with_those_that_it_does(
    serve: Serve,
) -> None:
    async with serve(OpenAiDouble()) as url:
        server = ChoosingOpenAi(url=url, probe_timeout_s=5.0)
        with pytest.raises(ModelMissingError, match=r"does not have phi4; it has qwen3-14b"):
            await choose(Choosing(wanted="openai:phi4", openai=server))


async def test_an_address_of_something_else_is_named(serve: Serve) -> None:
    async def other(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"<html>router</html>"})

    async with serve(other) as url:
        with pytest.raises(ExecutiveUnreachableError, match=r"/v1/models.*openai\.url"):
            await discover(url, api_key=None, timeout_s=5.0)


@pytest.mark.parametrize(
    ("kind", "extra"),
    [
        (Kind.LLAMA_CPP, {"continue_final_message": True, "add_generation_prompt": False}),
        (Kind.VLLM, {"continue_final_message": True, "add_generation_prompt": False}),
        (Kind.LM_STUDIO, {}),
        (Kind.OTHER, {}),
    ],
)
async def test_what_stands_is_the_last_turn_in_the_words_of_each_server(
    serve: Serve, kind: Kind, extra: dict[str, bool]
) -> None:
    double = OpenAiDouble(scripted(" years."), kind=kind)
    begun = Prompt(system="s", messages=ASKED.messages, begun="Two")
    async with serve(double) as url:
        await parts_of(await chosen(url), Wish(tools=[RECALL], think=True), prompt=begun)

    body = double.asked[0].body
    assert body["messages"][-1] == {"role": "assistant", "content": "Two"}
    assert {key: body[key] for key in body if key in {*extra, "continue_final_message"}} == extra
    assert "response_format" not in body, "what has begun in words goes on in words"
    thinks = body.get("chat_template_kwargs", {}).get("enable_thinking")
    assert not thinks


async def test_calls_and_results_go_as_the_protocol_has_them(serve: Serve) -> None:
    double = OpenAiDouble(scripted("24 months."))
    async with serve(double) as url:
        await parts_of(await chosen(url), Wish(tools=[RECALL]), prompt=WORKED)

    body = double.asked[0].body
    called = body["messages"][2]["tool_calls"]
    assert called == [
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "recall", "arguments": '{"query": "x"}'},
        }
    ]
    assert body["messages"][3] == {"role": "tool", "content": "24 months", "tool_call_id": "c1"}
    assert body["tools"][0]["function"]["name"] == "recall"
    assert body["stream_options"] == {"include_usage": True}


async def test_calls_come_whole_however_they_are_cut(serve: Serve) -> None:
    sent = [call("recall", query="the warranty of the pump"), call("recall", query="b")]
    double = OpenAiDouble(scripted(Say(text="I look.", calls=sent)))
    async with serve(double) as url:
        parts = await parts_of(await chosen(url), Wish(tools=[RECALL]))

    calls = [part for part in parts if isinstance(part, CallPart)]
    assert [one.arguments["query"] for one in calls] == ["the warranty of the pump", "b"]
    assert len({one.id for one in calls}) == 2
    assert isinstance(parts[-1], EndPart)
    assert parts[-1].reason is EndReason.CALLS


@pytest.mark.parametrize("kind", [Kind.VLLM, Kind.OTHER])
async def test_a_server_that_tells_nothing_of_tools_is_asked_by_schema(
    serve: Serve, kind: Kind
) -> None:
    chosen_call = json.dumps({"tool": "recall", "arguments": {"query": "warranty"}})
    double = OpenAiDouble(scripted(chosen_call, Say(calls=[call("recall", query="x")])), kind=kind)
    async with serve(double) as url:
        by_schema = await parts_of(await chosen(url), Wish(tools=[RECALL]))
        native = await parts_of(await chosen(url, native_tools=True), Wish(tools=[RECALL]))

    assert [type(part) for part in by_schema] == [CallPart, EndPart]
    assert [type(part) for part in native] == [CallPart, EndPart]
    first, second = (asked.body for asked in double.asked)
    assert first["response_format"]["json_schema"]["strict"] is True
    assert ("tools" in first, "tools" in second) == (False, True)


async def test_thinking_is_off_where_a_schema_holds(serve: Serve) -> None:
    double = OpenAiDouble(scripted(Say(text="a", thinking="Hm."), "{}"))
    async with serve(double) as url:
        executive = await chosen(url)
        await parts_of(executive, Wish(think=True))
        await parts_of(executive, Wish(think=True, schema={"type": "object"}))

    sent = [asked.body["chat_template_kwargs"]["enable_thinking"] for asked in double.asked]
    assert sent == [True, False]


async def test_signs_of_life_are_no_answer(serve: Serve) -> None:
    async def alive(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        ping = {"type": "http.response.body", "body": b": keepalive\n\n", "more_body": True}
        while True:
            await send(ping)
            await asyncio.sleep(0.01)

    async with serve(alive) as url:
        executive = OpenAiExecutive(
            OpenAiModel(name="m"),
            url=url,
            kind=Kind.OTHER,
            timeouts=Timeouts(first_token_s=0.3, token_s=30.0),
        )
        async with asyncio.timeout(10):
            with pytest.raises(ExecutiveUnreachableError, match=r"wrote nothing for 0\.3 s"):
                await parts_of(executive)


async def test_a_role_without_words_does_not_shorten_the_patience(serve: Serve) -> None:
    role = '{"choices": [{"index": 0, "delta": {"role": "assistant"}}]}'
    double = OpenAiDouble(scripted(Raw(lines=[role])), kind=Kind.OTHER)
    async with serve(double) as url:
        executive = OpenAiExecutive(
            OpenAiModel(name="qwen3-14b"),
            url=url,
            kind=Kind.OTHER,
            timeouts=Timeouts(first_token_s=5.0, token_s=0.001),
        )
        with pytest.raises(ExecutiveError, match="broke off"):
            await parts_of(executive)


async def test_the_server_is_told_when_a_stream_is_closed(serve: Serve) -> None:
    double = OpenAiDouble(scripted(Say(text="word " * 5_000)), pace_s=0.001)
    async with serve(double) as url:
        executive = await chosen(url)
        async with aclosing(executive.stream(ASKED, Wish(max_tokens=5_000))) as stream:
            await anext(stream)
        async with asyncio.timeout(10):
            await double.asked[0].over.wait()

    assert double.asked[0].gone


async def test_silence_names_the_settings_that_lengthen_it(serve: Serve) -> None:
    async with serve(OpenAiDouble(scripted(Hang(text="Two")))) as url:
        quick = Timeouts(first_token_s=20.0, token_s=0.3)
        with pytest.raises(ExecutiveUnreachableError, match=r"openai\.token_timeout_s"):
            await parts_of(await chosen(url, timeouts=quick))
