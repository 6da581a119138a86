"""Giant and odd text: read in bounded time and memory, and what was left out is named."""

import json
import time
import tracemalloc

import pytest

from memory.documents import NewChunk
from tools.chunking import chunks
from tools.content import detect
from tools.reading import long_lines, text
from tools.reading.base import Reading
from tools.tokens import tokens_bound

ROW = {"id": 7, "name": "the boiler", "tags": ["a", "b"], "note": "drips at night, says Ann"}


def passages(reading: Reading) -> tuple[NewChunk, ...]:
    return chunks(reading, tokens_bound)


def read(data: bytes, name: str = "giant.txt") -> Reading:
    return text.read(data, name, detect(data, name).media_type)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            ("[" + ", ".join([json.dumps(ROW)] * 1_000_000) + "]").encode(), id="one line of JSON"
        ),
        pytest.param(b"a" * 100_000_000, id="one letter"),
        pytest.param(b"2024-01-01 10:00:01 INFO worker 5 is alive\n" * 1_000_000, id="log"),
        pytest.param(b"[" * 5_000_000 + b"]" * 5_000_000, id="brackets"),
        pytest.param(b"function f(a,b){return a+b};" * 1_000_000, id="minified script"),
        pytest.param(b"\0" * 10_000_000 + b"word", id="zeros"),
        pytest.param("ü".encode("utf-16") * 1_000_000, id="marks within"),
        pytest.param(b"\n" * 20_000_000 + b"word", id="blank lines"),
        pytest.param(b"x\n\n" * 500_000, id="tiny paragraphs"),
        pytest.param(b"x y " * 5_000_000, id="words on one line"),
    ],
)
def test_a_giant_text_is_read_in_bearable_time_and_memory(data: bytes) -> None:
    began = time.process_time()
    reading = text.read(data, "giant", "text/plain")
    passages(reading)
    assert time.process_time() - began < 15
    if len(data) > text.BYTES_READ:
        assert f"it has {len(data)} bytes, of which the first" in reading.flaws[-1]


def test_reading_a_giant_line_takes_little_memory() -> None:
    data = ("[" + ", ".join([json.dumps(ROW)] * 1_000_000) + "]").encode()
    tracemalloc.start()
    reading = text.read(data, "giant.json", "application/json")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20
    assert "characters of data in endless lines or words were left out" in reading.flaws[0]


@pytest.mark.parametrize(
    "beginning",
    [
        "<!---->" * 28,
        "From " + "a" * 200_000,
        "[a" * 50_000,
        "[a](" * 50_000,
        "- [ " * 50_000,
        "[" * 100_000,
    ],
)
def test_telling_what_a_text_is_takes_no_time_whatever_it_begins_with(beginning: str) -> None:
    detect(b"warm")
    began = time.process_time()
    detect(beginning.encode() + b"x")
    assert time.process_time() - began < 1


def test_a_line_of_json_is_cut_behind_values() -> None:
    line = json.dumps([ROW] * 200)
    reading = read(line.encode(), "rows.json")
    assert len(reading.blocks) > 20
    assert all(block.text.startswith("{") for block in reading.blocks[1:])
    assert all(block.place.line == 1 for block in reading.blocks)
    assert "".join("".join(block.text for block in reading.blocks).split()) == "".join(line.split())


def test_a_word_that_is_data_is_read_at_its_beginning() -> None:
    cut = long_lines.cut("start " + "QUJD" * 50_000 + " end of it")
    assert cut.pieces[0].startswith("start")
    assert cut.pieces[-1] == "end of it"
    assert 180_000 < cut.left_out < 200_000


def test_long_lines_among_others_keep_their_numbers() -> None:
    data = f"first\nsecond\n{'word ' * 800}\nfourth\n\n{'more ' * 800}\n".encode()
    lines = {block.text.split()[0]: block.place for block in read(data).blocks}
    assert (lines["first"].line, lines["first"].last_line) == (1, 2)
    assert lines["word"].line == 3
    assert lines["fourth"].line == 4
    assert lines["more"].line == 6


def test_rows_of_a_table_are_searched_with_the_names_of_its_columns() -> None:
    rows = "".join(f"{n},item {n},{n}.99,some words about it\n" for n in range(200))
    made = passages(read(f"id,name,price,note\n{rows}".encode(), "table.csv"))
    assert len(made) > 5
    assert all(chunk.context == "table.csv\nid, name, price, note" for chunk in made)
    assert all(chunk.place.heading == () for chunk in made)
    assert made[1].text.split("\n")[0].count(",") == 3


def test_a_table_without_names_gets_none() -> None:
    rows = "".join(f"{n},{n * n},{n % 7}\n" for n in range(300))
    reading = text.read(rows.encode(), "table.csv", "text/csv")
    assert {chunk.context for chunk in passages(reading)} == {"table.csv"}


def test_short_paragraphs_share_a_block_and_keep_their_lines() -> None:
    reading = read(b"one\n\ntwo\n\n\n\nthree\n\n" + b"A longer paragraph of words.\n" * 9)
    assert [(b.text.split("\n")[0], b.place.line, b.place.last_line) for b in reading.blocks] == [
        ("one", 1, 3),
        ("three", 7, 7),
        ("A longer paragraph of words.", 9, 17),
    ]


def test_a_text_that_is_cut_ends_with_a_whole_character() -> None:
    data = "ü".encode() * (text.BYTES_READ // 2) + b"x" + "ü".encode() * 100
    reading = text.read(b"y" + data, "cut.txt", "text/plain")
    assert "\ufffd" not in "".join(block.text for block in reading.blocks)
