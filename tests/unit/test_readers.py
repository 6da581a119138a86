"""Text, Markdown and HTML to blocks."""

import sys
import time
from typing import Any

import pytest

from tools.chunking import chunks
from tools.reading import html, markdown, text
from tools.reading.base import Reading
from tools.tokens import tokens_bound

NOTES = """---
title: "House notes"
tags: [house]
---
# House

## Water
### Pump

The pump starts at *2.2 bar*
and stops at 3.6.

- first item
- second item
  - below it

| part | order |
|------|-------|
| seal | SK-40 |

```sh
# not a heading
restart pump
```

[handbook]: http://handbook.example/

## Door code: 4711
## Garden
Water it.
"""


def lines_are_right(reading: Reading, source: str) -> None:
    lines = source.split("\n")
    for block in reading.blocks:
        assert block.place.line is not None
        assert block.place.last_line is not None
        assert block.text.split("\n") == [
            line.rstrip() for line in lines[block.place.line - 1 : block.place.last_line]
        ]


def test_markdown_keeps_headings_and_lines() -> None:
    reading = markdown.read(NOTES.encode(), "notes.md", "text/markdown")
    lines_are_right(reading, NOTES)
    assert reading.title == "House notes"
    found = {block.text: block.place for block in reading.blocks}
    pump = found["The pump starts at *2.2 bar*\nand stops at 3.6."]
    assert pump.heading == ("House", "Water", "Pump")
    assert (pump.line, pump.last_line) == (10, 11)
    assert found["  - below it"].line == 15
    assert "| seal | SK-40 |" in next(block for block in found if block.startswith("| part"))
    assert found["```sh\n# not a heading\nrestart pump\n```"].heading == pump.heading
    assert found["[handbook]: http://handbook.example/"].line == 26


def test_a_heading_stands_with_what_follows_it_and_alone_where_nothing_does() -> None:
    reading = markdown.read(NOTES.encode(), "notes.md", "text/markdown")
    paths = {block.text: block.place.heading for block in reading.blocks}
    assert paths["# House"] == paths["## Water"] == ("House", "Water", "Pump")
    assert paths["## Door code: 4711"] == ("House", "Door code: 4711")
    assert paths["## Garden"] == paths["Water it."] == ("House", "Garden")


def test_a_markdown_text_without_a_title_is_named_after_its_heading_or_its_file() -> None:
    assert markdown.read(b"text\n# First\n", "a.md", "text/markdown").title == "First"
    assert markdown.read(b"text\n", "a.md", "text/markdown").title == "a.md"


@pytest.mark.parametrize(
    "nasty",
    [
        b"[" * 50_000 + b"a",
        b"> " * 20_000 + b"a",
        b"- " * 20_000 + b"a",
        b"\n".join(b" " * i + b"- x" for i in range(1_000)),
        b"```\n" + b"a\n\n" * 50_000,
        b"#\n" * 20_000 + b"a",
        b"# " + b"[ab " * 25_000,
        b"# " + b"[a](" * 25_000,
        b"# " + b"[a]((b)" * 15_000,
        b"word [x](y) of it\n" * 10_000 + b"---\n",
    ],
)
def test_markdown_made_to_hurt_is_read_in_bearable_time(nasty: bytes) -> None:
    began = time.process_time()
    reading = markdown.read(nasty, "nasty.md", "text/markdown")
    assert time.process_time() - began < 5
    read = "".join(block.text for block in reading.blocks)
    assert read.count("a") == nasty.count(b"a")
    assert read.count("x") == nasty.count(b"x")


def steps(source: str) -> int:
    """Return how many calls it takes to read a text and to cut it into passages."""
    count = 0

    def counted(*_: Any) -> None:
        nonlocal count
        count += 1

    sys.setprofile(counted)
    try:
        chunks(markdown.read(source.encode(), "long.md", "text/markdown"), tokens_bound)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "unit",
    [
        "## Part\n\nThe pump has a warranty. It holds water.\n\n- one of it\n- two of it\n\n",
        "- The pump has a warranty.\n",
        "- one\n  - two\n    - three\n",
        "> - quoted\n",
        "[pump]: http://example.org/pump\n",
        "| pump | two years |\n| --- | --- |\n",
        "```\nx = 1\n```\n",
        "text\n \n",
    ],
)
def test_twice_the_markdown_takes_twice_the_work(unit: str) -> None:
    steps(unit)  # what is loaded and compiled once
    assert steps(unit * 1_200) < 2.2 * steps(unit * 600)


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("The [pump](http://a.b/c)", "The pump"),
        ("[a](x(y)z) ![b](p 't') [c]", "a b [c]"),
        ("[![logo](l.png) Pump](http://a.b)", "logo Pump"),
        ("[a](open", "[a](open"),
    ],
)
def test_a_heading_is_named_without_its_links(heading: str, name: str) -> None:
    reading = markdown.read(f"# {heading}\n\ntext\n".encode(), "a.md", "text/markdown")
    assert reading.blocks[-1].place.heading == (name,)


@pytest.mark.parametrize(
    "source", ["[a]: /x\n", "text\n\n" * 1_001 + "[a]: /x\n", "text\n" * 2_001 + "\n" * 3_000]
)
def test_markdown_that_ends_in_nothing_that_is_shown_is_read(source: str) -> None:
    reading = markdown.read(source.encode(), "links.md", "text/markdown")
    read = "\n".join(block.text for block in reading.blocks)
    assert read.split() == source.split()


def test_a_long_markdown_text_keeps_its_lines_across_pieces() -> None:
    source = "".join(f"# Part {n}\n\ntext {n}\n\n" for n in range(3_000))
    reading = markdown.read(source.encode(), "long.md", "text/markdown")
    lines_are_right(reading, source)
    assert len(reading.blocks) == 6_000


@pytest.mark.parametrize("reader", [markdown, html])
def test_of_a_hundred_megabytes_the_beginning_is_read_and_the_rest_is_named(reader: Any) -> None:
    began = time.process_time()
    reading = reader.read(b"<html>" + b"word " * 20_000_000, "large", "text/any")
    assert time.process_time() - began < 5
    assert len("".join(block.text for block in reading.blocks)) <= text.BYTES_READ
    assert f"of which the first {text.BYTES_READ} were read" in reading.flaws[0]


def test_a_page_of_a_million_tags_is_read_without_being_laid_out() -> None:
    began = time.process_time()
    reading = html.read(b"<html>" + b"<p>x" * 1_000_000, "tags.html", "text/html")
    assert time.process_time() - began < 5
    assert "".join(block.text for block in reading.blocks).count("x") == 1_000_000
    assert "could not be laid out" in reading.flaws[0]


def test_plain_text_keeps_its_paragraphs_lines_and_indents() -> None:
    source = "def f():\r\n    return 1\r\n\r\n\r\nlast"
    reading = text.read(source.encode(), "code.py", "text/x-python")
    assert [(b.text, b.place.line, b.place.last_line) for b in reading.blocks] == [
        ("def f():\n    return 1", 1, 2),
        ("last", 5, 5),
    ]
    assert reading.title == "code.py"


PAGE = """<html><head><title>Filters &amp; care</title><style>p{}</style></head><body>
<h1>Filters</h1><p>Change the <b>filter</b> every March.</p>
<h2>Prices</h2><table><tr><th>Item</th><th>Price</th></tr><tr><td>Filter</td><td>12 €</td></tr>
</table><script>alert(1)</script><p style="display:none">unseen</p></body></html>"""


def test_a_page_is_read_as_it_is_shown() -> None:
    reading = html.read(PAGE.encode(), "page.html", "text/html")
    assert reading.title == "Filters & care"
    assert [(block.text, block.place.heading) for block in reading.blocks] == [
        ("Filters", ("Filters",)),
        ("Change the filter every March.", ("Filters",)),
        ("Prices", ("Filters", "Prices")),
        ("Item  Price\nFilter  12 €", ("Filters", "Prices")),
    ]


def test_headings_are_found_behind_tables_with_wide_columns() -> None:
    wide = (
        "<table><tr><td>a</td><td>b</td></tr><tr><td>" + "w" * 90 + "</td><td>c</td></tr></table>"
    )
    page = f"{wide}<h1>Care</h1><p>Clean it.</p>{wide}<h2>Parts</h2><p>Seal.</p>"
    reading = html.read(page.encode(), "page.html", "text/html")
    paths = {block.text: block.place.heading for block in reading.blocks}
    assert paths["Care"] == paths["Clean it."] == ("Care",)
    assert paths["Seal."] == ("Care", "Parts")
    assert "a  b\n" in reading.blocks[0].text


def test_the_charset_that_a_page_names_is_used() -> None:
    page = '<meta charset="gb2312"><p>请更换滤芯。</p>'.encode("gb18030")
    assert html.read(page, "page.html", "text/html").blocks[0].text == "请更换滤芯。"


@pytest.mark.parametrize(
    "nasty",
    [
        "<div>" * 20_000 + "needle",
        "<table><tr><td>" * 500 + "needle",
        "<!--" * 50_000 + "--><p>needle",
        "<" * 100_000 + "<p>needle",
        "<ul><li>" * 5_000 + "needle",
        "needle" + "<script>" * 1_000 + "unseen",
    ],
)
def test_html_made_to_hurt_is_read_in_bearable_time(nasty: str) -> None:
    began = time.monotonic()
    reading = html.read(nasty.encode(), "nasty.html", "text/html")
    assert time.monotonic() - began < 5
    read = " ".join(block.text for block in reading.blocks)
    assert "needle" in read
    assert "unseen" not in read
