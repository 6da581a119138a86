"""Lines of Ollama's stream become parts; thoughts are told from words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.executives.ollama.server import server_words
from agent.executives.ollama.stream import OllamaReply
from agent.executives.replies.readers import CallReader, WordReader
from agent.executives.replies.thoughts import ThoughtFilter
from graphs.errors import BrokenStreamError, EmptyAnswerError
from graphs.executive import CallPart, EndPart, EndReason, ReplyPart, TextPart, ThoughtPart

END = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 2_500_000_000,
    "prompt_eval_count": 40,
    "prompt_eval_cached_count": 30,
    "eval_count": 7,
}


def lines(*messages: dict[str, Any], **end: Any) -> list[str]:
    spoken = [{"message": message, "done": False} for message in messages]
    return [json.dumps(event) for event in (*spoken, {"message": {"content": ""}, **END, **end})]


def parts_of(texts: list[str], reply: OllamaReply | None = None) -> list[ReplyPart]:
    taking = reply or OllamaReply(model="m", reader=WordReader())
    return [part for text in texts for part in taking.take(text)]


def test_text_and_thoughts_come_in_order_and_the_end_has_the_figures() -> None:
    parts = parts_of(
        lines({"content": "", "thinking": "Hm."}, {"content": "Two"}, {"content": "."})
    )

    assert parts == [
        ThoughtPart(text="Hm."),
        TextPart(text="Two"),
        TextPart(text="."),
        EndPart(
            reason=EndReason.STOP,
            prompt_tokens=40,
            cached_tokens=30,
            answer_tokens=7,
            seconds=2.5,
        ),
    ]


def test_figures_that_a_server_leaves_out_are_zero() -> None:
    (end,) = [
        part
        for part in parts_of(['{"message": {"content": "a"}, "done": true}'])
        if isinstance(part, EndPart)
    ]

    assert (end.reason, end.prompt_tokens, end.cached_tokens) == (EndReason.STOP, 0, 0)


def test_blank_lines_are_passed_over() -> None:
    assert parts_of(["", "  "]) == []


@pytest.mark.parametrize("done", ["true", 1, None])
def test_only_done_true_is_an_end(done: Any) -> None:
    reply = OllamaReply(model="m", reader=WordReader())
    parts_of([json.dumps({"message": {"content": "a"}, "done": done})], reply)

    assert not reply.done


@pytest.mark.parametrize("reason", ["load", "unload", "aborted", "", None, 3])
def test_an_end_for_another_reason_is_an_error(reason: Any) -> None:
    with pytest.raises(BrokenStreamError, match="the end"):
        parts_of(lines({"content": "a"}, done_reason=reason))


def test_an_error_within_the_stream_says_what_the_server_says() -> None:
    with pytest.raises(BrokenStreamError, match="CUDA error"):
        parts_of(['{"error": "CUDA error"}'])


def test_length_without_a_word_is_an_end_and_not_an_empty_answer() -> None:
    (end,) = parts_of(lines(done_reason="length"))

    assert isinstance(end, EndPart)
    assert end.reason is EndReason.LENGTH


def test_thoughts_alone_are_no_answer() -> None:
    with pytest.raises(EmptyAnswerError):
        parts_of(lines({"thinking": "Hm.", "content": ""}))


def test_a_call_by_schema_ends_with_calls() -> None:
    reply = OllamaReply(model="m", reader=CallReader())
    text = '{"tool": "recall", "arguments": {"query": "x"}}'
    call, end = parts_of(lines(*({"content": piece} for piece in text)), reply)

    assert isinstance(call, CallPart)
    assert isinstance(end, EndPart)
    assert end.reason is EndReason.CALLS


@given(
    st.sampled_from(["", "<think>", " \n<think>"]),
    st.text(alphabet="ab </think>\n"),
    st.text(alphabet="ab <think>\n"),
    st.integers(1, 8),
)
def test_thinking_at_the_beginning_is_told_from_the_answer(
    opening: str, inner: str, rest: str, cut: int
) -> None:
    inner = inner.replace("</think>", "")
    rest = rest.replace("<think>", "")
    text = f"{opening}{inner}</think>{rest}" if opening else rest
    thoughts, words = "", ""
    taking = ThoughtFilter()
    pieces = [text[start : start + cut] for start in range(0, len(text), cut)]
    for thought, word in (*(taking.feed(piece) for piece in pieces), taking.flush()):
        thoughts += thought
        words += word

    if opening:
        thought, _, after = f"{inner}</think>{rest}".partition("</think>")
        assert thoughts == thought
        assert words == after or words.strip() == after.strip()
    else:
        assert (thoughts, words) == ("", text)


def test_a_tag_further_on_stays_in_the_answer() -> None:
    taking = ThoughtFilter()

    assert taking.feed("The tag <think> opens it.") == ("", "The tag <think> opens it.")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"error": "model not found"}', "model not found"),
        (
            b'{"error": "{\\"error\\":{\\"code\\":400,\\"message\\":\\"request (9 tokens)\\"}}"}',
            "request (9 tokens)",
        ),
        (b"<html>Bad gateway.</html>", "<html>Bad gateway.</html>"),
        (b"", "no reason given"),
        (b"\xff", "\ufffd"),
        (b'{"detail": 1}', '{"detail": 1}'),
    ],
)
def test_the_words_of_a_server_are_found_in_its_error(content: bytes, words: str) -> None:
    assert server_words(content) == words
