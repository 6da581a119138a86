"""A user's own graphs and tools."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import plugins
from agent.errors import SettingsError

TOOL = """
from dataclasses import dataclass
from pydantic import BaseModel
from tools.base import Effect, Tool, ToolContext, ToolResult

@dataclass(frozen=True, slots=True)
class Kept:
    text: "str"

class Nothing(BaseModel):
    pass

async def run(_: Nothing, context: ToolContext) -> ToolResult:
    return ToolResult(text=Kept("hi").text, ok=True, label=context.label)

HELLO = Tool(name="hello", description="", arguments=Nothing, effect=Effect.READ, run=run)
NOT_ONE = 5

def build(services):
    return "a graph"
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Forget the files that were loaded."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("cortical_user_"):
            del sys.modules[name]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "mine.py"
    written.write_text(TOOL)
    return written


def test_a_tool_is_loaded_from_a_file(file: Path) -> None:
    (tool,) = plugins.tools([f"{file}:HELLO"])
    assert tool.name == "hello"


def test_a_graph_is_loaded_from_a_file(file: Path) -> None:
    makers = plugins.graphs({"mine": f"{file}:build"})
    assert list(makers) == ["mine"]
    assert makers["mine"](None) == "a graph"  # type: ignore[arg-type]  # it uses no service


def test_a_file_is_run_once(file: Path) -> None:
    (tool,) = plugins.tools([f"{file}:HELLO"])
    assert plugins.tools([f"{file}:HELLO", f"{file}:HELLO"]) == [tool, tool]
    plugins.graphs({"mine": f"{file}:build"})
    assert len([name for name in sys.modules if name.startswith("cortical_user_mine")]) == 1


def test_two_files_of_one_name_are_two(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "mine.py"
    other.parent.mkdir()
    other.write_text(TOOL.replace('"hello"', '"other"'))
    names = [tool.name for tool in plugins.tools([f"{file}:HELLO", f"{other}:HELLO"])]
    assert names == ["hello", "other"]


def test_a_file_cannot_stand_in_for_a_module_of_ours(tmp_path: Path) -> None:
    json = tmp_path / "json.py"
    json.write_text(TOOL)
    plugins.tools([f"{json}:HELLO"])
    assert sys.modules["json"].__file__ != str(json)


def test_the_home_directory_may_be_written_short(file: Path, empty_home: Path) -> None:
    (empty_home / "mine.py").write_text(TOOL)
    assert plugins.tools(["~/mine.py:HELLO"])


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("FILE", "is not of the form FILE.py:NAME"),
        ("FILE:", "is not of the form FILE.py:NAME"),
        ("FILE:not a name", "is not of the form FILE.py:NAME"),
        ("", "is not of the form FILE.py:NAME"),
        ("FILE:MISSING", "has no name 'MISSING'"),
        ("FILE:NOT_ONE", "is not a `tools.base.Tool`"),
        ("/nowhere/mine.py:HELLO", "there is no file /nowhere/mine.py"),
        ("FOLDER:HELLO", "there is no file"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named(file: Path, reference: str, said: str) -> None:
    given = reference.replace("FILE:", f"{file}:").replace("FOLDER", str(file.parent))
    with pytest.raises(SettingsError) as caught:
        plugins.tools([given])
    assert "Setting `tools`" in str(caught.value)
    assert said in str(caught.value)


def test_what_cannot_be_called_is_no_graph(file: Path) -> None:
    with pytest.raises(SettingsError, match=r"`graphs\.mine`: .*NOT_ONE is not a function"):
        plugins.graphs({"mine": f"{file}:NOT_ONE"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def (", "SyntaxError"),
        ("import module_that_is_not_there", "ModuleNotFoundError"),
        ("raise ValueError('mine')", "ValueError: mine"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("\0", "SyntaxError|ValueError"),
    ],
)
def test_a_file_that_fails_is_named_and_not_kept(tmp_path: Path, text: str, said: str) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(text)
    with pytest.raises(SettingsError, match=said):
        plugins.tools([f"{broken}:HELLO"])
    assert not [name for name in sys.modules if name.startswith("cortical_user_broken")]
    broken.write_text(TOOL)
    assert plugins.tools([f"{broken}:HELLO"])


def test_a_file_that_is_not_python_is_named(tmp_path: Path) -> None:
    text = tmp_path / "mine.txt"
    text.write_text(TOOL)
    with pytest.raises(SettingsError, match="is not a Python file"):
        plugins.tools([f"{text}:HELLO"])
