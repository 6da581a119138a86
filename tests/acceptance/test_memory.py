"""Long-term memory as a person uses it: remembered, listed, forgotten, exported, reindexed."""

import json
from typing import Any

import pytest

GRAPH = """
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from typing_extensions import TypedDict


class State(TypedDict):
    key: str


async def note(state: State, runtime: Runtime[None]) -> dict:
    value = {"text": f"The {state['key']} is blue.", "n": 1}
    await runtime.store.aput(("owner", "preferences"), state["key"], value)
    return {}


def build(services):
    graph = StateGraph(State)
    graph.add_node("note", note)
    graph.add_edge(START, "note")
    graph.add_edge("note", END)
    return graph
"""


@pytest.fixture
def noter(user: Any) -> Any:
    """Somebody with a graph that remembers."""
    file = user.home / "noting.py"
    file.write_text(GRAPH)
    user.settings["CORTICAL_GRAPHS"] = json.dumps({"noting": f"{file}:build"})
    return user


def names(user: Any) -> list[str]:
    listed = user.json("memory", "list")
    assert listed["total"] == len(listed["memories"])
    return ["/".join([*one["namespace"], one["key"]]) for one in listed["memories"]]


def test_what_is_remembered_can_be_listed_exported_and_forgotten(noter: Any) -> None:
    user = noter
    assert "Nothing is remembered" in user.run("memory", "list").out
    user.json("ask", "Remember that the ladder was lent to Mrs. Novak.")
    for key in ("pump", "valve", "a/b"):
        user.json("run", "noting", json.dumps({"key": key}))

    one, pump = user.json("memory", "list")["memories"][::2]
    assert one["value"] == {"text": "the ladder was lent to Mrs. Novak."}
    assert one["label"] == {"audience": ["owner"], "origins": ["user"]}
    assert one["source"].startswith("run:")
    assert pump["key"] == "pump"
    assert "mail" in pump["label"]["origins"], "a graph that does not say may have it from a mail"
    told = user.run("memory", "list", "--namespace", "owner/preferences").out
    assert "owner/preferences/a%2Fb" in told
    assert "The pump is blue." in told
    assert "ladder" not in told

    file = user.home / "memories.jsonl"
    assert user.json("memory", "export", "-o", file, "--documents")["memories"] == 4
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line.pop("type") for line in lines] == ["memory"] * 4
    assert lines == user.json("memory", "list")["memories"]
    assert file.stat().st_mode & 0o077 == 0

    assert user.run("memory", "forget", "pump").code == 2
    assert user.run("memory", "forget", "pump", "--yes").out == "1 forgotten\n"
    again = user.run("memory", "forget", "pump", "--yes")
    assert (again.code, "There is no memory 'pump'" in again.err) == (2, True)
    forgotten = user.json("memory", "forget", "owner/preferences/a%2Fb", "--yes")
    assert forgotten == {"forgotten": 1, "names": ["owner/preferences/a%2Fb"]}
    assert user.json("search", "pump blue", "-c", "memory:owner")["hits"][0]["text"].count("valve")
    assert (
        user.json("memory", "forget", "--namespace", "owner/preferences", "--yes")["forgotten"] == 1
    )
    (left,) = names(user)
    assert left.startswith("owner/facts/")
    assert user.json("memory", "forget", "--all", "--yes")["forgotten"] == 1
    assert user.json("memory", "forget", "--all", "--yes")["forgotten"] == 0
    assert names(user) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["forget"], "Nobody can be asked here"),
        (["forget", "--yes"], "Name a key, a --namespace, or --all"),
        (["forget", "k", "--all", "--yes"], "--all forgets everything"),
        (["export", "-o", "/"], "is a folder"),
        (["reindex", "--embedder", "word2vec"], "is none of auto, embedded and ollama:MODEL"),
    ],
)
def test_wrong_use_is_told(user: Any, arguments: list[str], said: str) -> None:
    done = user.run("memory", *arguments)
    assert done.code == 2
    assert said in done.err


def test_memory_goes_over_to_the_model_that_it_has_already(user: Any) -> None:
    user.json("ask", "Remember that the ladder was lent to Mrs. Novak.")
    done = user.json("memory", "reindex", "--embedder", "embedded")
    assert (done["model"], done["embedded"], done["passages"]) == ("all-MiniLM-L6-v2", 0, 1)
    assert (done["replaced"], done["dropped"], done["kept"]) == (None, [], [])
    assert "all 1 have vectors of all-MiniLM-L6-v2" in user.run("memory", "reindex").out
