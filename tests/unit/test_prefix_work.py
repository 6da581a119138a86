"""The work of the prefix benchmark, and how a peer's requests become ours."""

import json
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from agent.bench.prefix import langchain, library, script
from agent.errors import PeerError, UsageError
from graphs.executive import Wish

TOOL = {"name": "recall", "description": "Search.", "parameters": {"type": "object"}}
SENT = {
    "messages": [
        {"type": "system", "content": "You answer."},
        {"type": "human", "content": "Why?"},
        {
            "type": "ai",
            "content": "",
            "tool_calls": [{"id": "1", "name": "recall", "args": {"query": "x"}}],
        },
        {"type": "tool", "content": "found", "tool_call_id": "1", "name": "recall"},
    ],
    "tools": [TOOL],
    "tool_choice": None,
    "reply": "So.",
}


def test_what_an_agent_sent_is_laid_out_as_it_was() -> None:
    request = langchain._request(SENT)
    assert request.prompt.system == "You answer."
    asked, called, found = request.prompt.messages
    assert isinstance(asked, HumanMessage)
    assert isinstance(called, AIMessage)
    assert isinstance(found, ToolMessage)
    assert called.tool_calls[0]["args"] == {"query": "x"}
    assert (found.text, found.name) == ("found", "recall")
    assert [tool.name for tool in request.wish.tools] == ["recall"]
    assert request.reply == '{"answer":"So."}'


def test_a_call_that_must_be_made_is_asked_for_so() -> None:
    sent = {**SENT, "tool_choice": "any", "reply": {"name": "recall", "args": {"query": "ü"}}}
    request = langchain._request(sent)
    assert request.wish.must_call
    assert request.reply == '{"tool":"recall","arguments":{"query":"ü"}}'


def test_a_message_of_another_kind_is_refused() -> None:
    with pytest.raises(PeerError, match="'chat'"):
        langchain._request({**SENT, "messages": [{"type": "chat", "content": "x"}]})


def test_an_answer_without_tools_is_plain_words() -> None:
    assert script.answer("So.", Wish()) == "So."


def test_our_own_source_serves_as_a_library() -> None:
    own = library.load(None, 4)
    assert len(own.questions) == len(set(own.questions)) == 4
    assert len(own.documents) > 50
    assert all(len(text) <= library.OWN_CHARACTERS for _, _, text in own.documents)


def test_too_few_questions_are_an_error(tmp_path: Path) -> None:
    for name, row in {
        "corpus": {"_id": "d", "title": "T", "text": "A text."},
        "queries": {"_id": "q", "text": "What?"},
    }.items():
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "qrels.tsv").write_text("q\td\tg\nq\td\t1\n")
    assert library.load(tmp_path, 1).questions == ("What?",)
    with pytest.raises(UsageError, match="There are 1 questions"):
        library.load(tmp_path, 2)
