"""Events of OpenAI's stream become parts, whatever a server does to their shape."""

import json
from typing import Any

import pytest

from agent.executives.openai.stream import OpenAiReply
from agent.executives.replies.readers import WordReader
from graphs.errors import BrokenStreamError, EmptyAnswerError, PromptTooLongError
from graphs.executive import CallPart, EndPart, EndReason, ReplyPart, TextPart, ThoughtPart

USAGE = {
    "prompt_tokens": 40,
    "completion_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 30},
}


def event(finish: str | None = None, **delta: Any) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'model': 'm', 'choices': [choice]})}"


def piece(index: Any = None, number: Any = None, **function: Any) -> dict[str, Any]:
    given = {"index": index, "id": number, "function": function}
    return {key: value for key, value in given.items() if value is not None}


def parts_of(*lines: str, usage: Any = USAGE, begun: bool = False) -> list[ReplyPart]:
    reply = OpenAiReply(model="m", reader=WordReader(), begun=begun)
    last = (f"data: {json.dumps({'choices': [], 'usage': usage})}", "data: [DONE]")
    found = [part for line in (*lines, *last) for part in reply.take(line)]
    assert reply.done
    return found + reply.finish()


def calls_of(*pieces: Any) -> list[CallPart]:
    events = [event(tool_calls=[one]) for one in pieces]
    parts = parts_of(*events, event("tool_calls"))
    assert isinstance(parts[-1], EndPart)
    assert parts[-1].reason is EndReason.CALLS
    return [part for part in parts if isinstance(part, CallPart)]


def test_words_and_thoughts_come_in_order_and_the_end_has_the_figures() -> None:
    parts = parts_of(
        ": keepalive",
        "",
        event(role="assistant", content=None),
        event(reasoning_content="Hm."),
        event(reasoning=" So."),
        event(content="Two"),
        event(content=" years."),
        event("stop"),
    )

    assert parts[:-1] == [
        ThoughtPart(text="Hm."),
        ThoughtPart(text=" So."),
        TextPart(text="Two"),
        TextPart(text=" years."),
    ]
    end = parts[-1]
    assert isinstance(end, EndPart)
    assert (end.reason, end.prompt_tokens, end.cached_tokens, end.answer_tokens) == (
        EndReason.STOP,
        40,
        30,
        7,
    )


def test_thoughts_that_stand_in_the_words_are_told_from_them() -> None:
    parts = parts_of(event(content="<think>Hm.</think>"), event(content="Two."), event("stop"))

    assert ThoughtPart(text="Hm.") in parts
    assert TextPart(text="Two.") in parts


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}, "none"])
def test_figures_that_a_server_leaves_out_are_zero(usage: Any) -> None:
    end = parts_of(event(content="a"), event("stop"), usage=usage or {})[-1]

    assert isinstance(end, EndPart)
    assert (end.prompt_tokens, end.cached_tokens, end.answer_tokens) == (0, 0, 0)


@pytest.mark.parametrize(
    "pieces",
    [
        [piece(0, "a", name="recall", arguments='{"q": "x"}')],
        [piece(0, "a", name="recall"), piece(0, arguments='{"q"'), piece(0, arguments=': "x"}')],
        [piece(None, "a", name="recall", arguments=""), piece(arguments='{"q": "x"}')],
        [piece(0, "a", name="recall", arguments={"q": "x"})],
        [piece(0, None, name="recall", arguments='{"q": "x"}')],
    ],
    ids=["whole", "in pieces", "not counted", "decoded", "no id"],
)
def test_a_call_is_put_together(pieces: list[Any]) -> None:
    (call,) = calls_of(*pieces)

    assert (call.name, call.arguments) == ("recall", {"q": "x"})
    assert call.id


@pytest.mark.parametrize("count", [lambda n: n, lambda _: 0, lambda _: None])
def test_two_calls_stay_two_also_where_a_server_counts_both_as_the_first(count: Any) -> None:
    pieces = [
        one
        for number, name in enumerate(("recall", "now"))
        for one in (
            piece(count(number), f"c{number}", name=name, arguments=""),
            piece(count(number), None, arguments="{}"),
        )
    ]
    calls = calls_of(*pieces)

    assert [(call.id, call.name, call.arguments) for call in calls] == [
        ("c0", "recall", {}),
        ("c1", "now", {}),
    ]


def test_calls_with_one_id_get_ids_of_their_own() -> None:
    calls = calls_of(piece(0, "c", name="a", arguments=""), piece(1, "c", name="b", arguments=""))

    assert [call.name for call in calls] == ["a", "b"]
    assert len({call.id for call in calls}) == 2


@pytest.mark.parametrize(
    "sent",
    [
        7,
        {"index": 0, "id": "a"},
        {"index": 0, "function": None},
        piece(0, "a", name="", arguments="{}"),
        piece(0, "a", name=7, arguments="{}"),
        piece(0, "a", name="recall", arguments="[1]"),
        piece(0, "a", name="recall", arguments='{"q": "x'),
        piece(0, "a", name="recall", arguments=7),
    ],
)
def test_a_call_out_of_shape_says_what_is_wrong_with_it(sent: Any) -> None:
    (call,) = calls_of(sent)

    assert call.fault
    assert call.id


def test_calls_of_an_answer_that_was_cut_are_left_out() -> None:
    parts = parts_of(
        event(tool_calls=[piece(0, "a", name="recall", arguments='{"q')]), event("length")
    )

    assert [type(part) for part in parts] == [EndPart]


@pytest.mark.parametrize(
    "lines",
    [
        ["data: {not json"],
        ["data: []"],
        ["data: {}"],
        ['data: {"choices": [7]}'],
        ['data: {"choices": [{"delta": null}]}'],
        [event(content="a")],
        [event(content="a"), event("content_filter")],
        [event(content="a"), event("tool_calls")],
        ['data: {"error": {"message": "the runner died"}}'],
        ['data: {"error": "the runner died"}'],
    ],
)
def test_a_stream_out_of_shape_or_without_its_end_is_broken(lines: list[str]) -> None:
    with pytest.raises(BrokenStreamError):
        parts_of(*lines)


def test_an_error_within_the_stream_that_tells_of_the_context_is_told_as_such() -> None:
    error = {"type": "exceed_context_size_error", "message": "request (4031 tokens) exceeds"}
    with pytest.raises(PromptTooLongError, match="4031"):
        parts_of(f"data: {json.dumps({'error': error})}")


@pytest.mark.parametrize("lines", [[], [event(content=" \n")], [event(reasoning_content="Hm.")]])
def test_an_answer_without_a_word_is_an_error_unless_it_stands_already(lines: list[str]) -> None:
    with pytest.raises(EmptyAnswerError):
        parts_of(*lines, event("stop"))

    assert isinstance(parts_of(*lines, event("stop"), begun=True)[-1], EndPart)
