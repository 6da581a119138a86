"""The tool that reads files never leaves its folders, and never hangs."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.testing import FixedClock
from memory.labels import USER_LABEL, Label, Origin
from memory.places import Place
from tools import files
from tools.base import ToolContext, ToolError, ToolResult
from tools.content import Content
from tools.files import BYTES_LIMIT, CHARACTERS_LIMIT, ReadFileArguments, opened, resolved
from tools.reading.base import Block, Reading, UnreadableError

DOCUMENT = Label(origins=frozenset({Origin.DOCUMENT}))


class LineReader:
    """Reads UTF-8 line by line."""

    flaws: tuple[str, ...] = ()
    version = "lines 1"

    async def read(self, data: bytes, name: str, content: Content | None = None) -> Reading:
        try:
            lines = data.decode().split("\n")
        except UnicodeDecodeError:
            raise UnreadableError(f"{name!r} is not text.") from None
        return Reading(
            title=name,
            kind="text",
            media_type="text/plain",
            blocks=tuple(Block(text=line, place=Place(), label=DOCUMENT) for line in lines),
            label=DOCUMENT,
            reader="line/1",
            flaws=self.flaws,
        )

    def current(self, reader: str) -> bool:
        return reader == "line/1"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two allowed folders, and beside them a secret to which all kinds of ways lead."""
    top = tmp_path_factory.mktemp("tree")
    for folder in ("allowed/inner", "second", "allowed-too", "outside"):
        (top / folder).mkdir(parents=True)
    for name in ("allowed/a", "allowed/inner/b", "second/c"):
        (top / name).write_text("open")
    for name in ("outside/secret", "allowed-too/secret", "secret"):
        (top / name).write_text("secret")
    (top / "allowed/to_folder").symlink_to(top / "outside")
    (top / "allowed/to_file").symlink_to(top / "outside/secret")
    (top / "allowed/relative").symlink_to("../outside/secret")
    (top / "allowed/chain").symlink_to("to_folder/secret")
    (top / "allowed/loop").symlink_to("loop")
    (top / "allowed/home").symlink_to("inner/b")
    (top / "allowed/across").symlink_to(top / "second/c")
    (top / "allowed/root").symlink_to("/")
    yield top
    shutil.rmtree(top)


def roots(tree: Path) -> list[Path]:
    return [tree / "allowed", tree / "second"]


PARTS = [
    "",
    ".",
    "..",
    "a",
    "b",
    "inner",
    "to_folder",
    "to_file",
    "relative",
    "chain",
    "loop",
    "home",
    "across",
    "root",
    "secret",
    "outside",
    "allowed",
    "allowed-too",
    "second",
    "~",
    "dev",
    "null",
    "etc",
    "passwd",
    "\0",
    "x" * 300,
]


@settings(max_examples=300)
@given(
    parts=st.lists(st.sampled_from(PARTS), max_size=7),
    start=st.sampled_from(["", "/", "//", "TREE/", "TREE/allowed/", "file:///"]),
)
def test_no_path_leads_out_of_the_folders(tree: Path, parts: list[str], start: str) -> None:
    path = start.replace("TREE", str(tree)) + "/".join(parts)
    try:
        data = opened(resolved(path, roots(tree)))
    except ToolError:
        return
    assert data == b"open"


@pytest.mark.parametrize(
    "path",
    ["a", "inner/b", "inner/../a", "./a", "home", "across", "root/TREE/allowed/a", "TREE/second/c"],
)
def test_every_way_that_stays_inside_is_open(tree: Path, path: str) -> None:
    assert opened(resolved(path.replace("TREE", str(tree)), roots(tree))) == b"open"


@pytest.mark.parametrize(
    "path",
    [
        "../outside/secret",
        "inner/../../outside/secret",
        "TREE/outside/secret",
        "TREE/allowed/../secret",
        "to_file",
        "to_folder/secret",
        "relative",
        "chain",
        "../allowed-too/secret",
        "/etc/passwd",
        "/proc/self/environ",
        "root/etc/passwd",
        "/dev/zero",
    ],
)
def test_every_way_that_leads_out_is_named_and_refused(tree: Path, path: str) -> None:
    with pytest.raises(ToolError, match="not inside the allowed folders"):
        resolved(path.replace("TREE", str(tree)), roots(tree))


def test_a_path_with_a_nul_is_a_fault_that_the_executive_can_mend(tree: Path) -> None:
    with pytest.raises(ToolError, match="NUL"):
        resolved("a\0b", roots(tree))


def test_without_folders_nothing_may_be_read() -> None:
    with pytest.raises(ToolError, match=r"files\.roots"):
        resolved("a", [])


def test_a_folder_that_is_itself_a_link_may_be_read(tree: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tree / "allowed")
    assert opened(resolved("a", [link])) == b"open"


def test_a_file_exchanged_for_a_link_behind_our_back_is_not_followed(
    tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "f").write_text("open")
    path = resolved("f", [tmp_path])
    (tmp_path / "f").unlink()
    (tmp_path / "f").symlink_to(tree / "outside/secret")
    with pytest.raises(ToolError, match="cannot be read"):
        opened(path)


def test_pipes_sockets_devices_and_folders_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ToolError, match="pipe is not a regular file"):
        opened(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        # The path of a socket may have a hundred characters.
        listening.bind(os.path.relpath(tmp_path / "socket"))
        with pytest.raises(ToolError, match="socket cannot be read"):
            opened(tmp_path / "socket")
    with pytest.raises(ToolError, match="not a regular file"):
        opened(Path("/dev/zero"))
    with pytest.raises(ToolError, match="not a regular file"):
        opened(tmp_path)
    with pytest.raises(ToolError, match="gone cannot be read: No such file"):
        opened(tmp_path / "gone")


def test_a_file_beyond_the_limit_is_refused_with_its_size(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as sparse:
        sparse.truncate(BYTES_LIMIT + 1)
    with pytest.raises(ToolError, match=f"sparse has {BYTES_LIMIT + 1} bytes"):
        opened(tmp_path / "sparse")


async def read(root: Path, path: str, start: int = 0, flaws: tuple[str, ...] = ()) -> ToolResult:
    reader = LineReader()
    reader.flaws = flaws
    tool = files.read_file([root], reader)
    context = ToolContext(
        run_id="r", thread_id="t", token=1, collections=(), clock=FixedClock(), label=USER_LABEL
    )
    return await tool.run(ReadFileArguments(path=path, start=start), context)


async def test_what_is_read_is_outside_words(tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("one\ntwo")
    result = await read(tmp_path, "f.txt")
    assert (result.text, result.ok, result.label) == ("one\ntwo", True, DOCUMENT)


async def test_a_long_text_is_read_in_pieces_that_say_where_to_go_on(tmp_path: Path) -> None:
    text = "".join(f"{number:09}\n" for number in range(CHARACTERS_LIMIT // 5))
    (tmp_path / "f").write_text(text)
    first = (await read(tmp_path, "f")).text
    mark = f"\n[{len(text) - CHARACTERS_LIMIT} characters more; read on with start=20000]"
    assert first.endswith(mark)
    second = (await read(tmp_path, "f", CHARACTERS_LIMIT)).text
    assert first.removesuffix(mark) + second == text


async def test_a_start_behind_the_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("four")
    with pytest.raises(ToolError, match="has 4 characters; it cannot be read from 4 on"):
        await read(tmp_path, "f", 4)


async def test_an_empty_file_is_read_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    assert (await read(tmp_path, "f")).text == ""


async def test_what_could_not_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("half")
    assert (await read(tmp_path, "f", flaws=("page 2 is damaged",))).text == (
        "half\n[page 2 is damaged]"
    )


async def test_a_file_that_cannot_be_read_is_a_fault_for_the_executive(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\xff")
    with pytest.raises(ToolError, match="'f' is not text"):
        await read(tmp_path, "f")
