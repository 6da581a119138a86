"""Dumps of wikis to pages, and wikitext to blocks."""

import bz2
import gzip
import lzma
import os
import random
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tools.content import Kind, detect
from tools.reading import wikitext
from tools.reading.base import UnreadableError
from tools.reading.containers import container_of
from tools.reading.members import BrokenMember, Member
from tools.reading.wiki_dump import WikiDump
from tools.reading.wiki_markup import rendered

ARTICLE = """{{Short description|A town}}
{{Infobox settlement
| name       = Kilnbridge
| population = 12,345<ref name="census">{{cite web|title=Census}}</ref>
| country    = [[France|FR]]
| image      =
}}
'''Kilnbridge''' is a [[town]] in [[Haute Region|the upper region]] of
{{lang|fr|Pays}} with {{convert|12|km|mi}} of coast.<ref>No &amp; never.</ref> It&nbsp;lies on
[http://river.example the River Odd].<!-- unseen -->

[[File:Bridge.jpg|thumb|The [[bridge]] unseen]]

== History ==
Founded in 1204.

=== Trade ===
* Salt
* ''Lace''

{| class="wikitable"
! Year !! style="text-align:left" | Ships
|-
| 1999 || align=right | 12
|-
| 2000
| 13 [[Ship|tall ships]]
|}

== References ==
{{reflist}}

[[Category:Towns unseen]]
"""


def page(
    number: int, text: str = "Words.", *, ns: int = 0, extra: str = "", title: str = ""
) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return f"""  <page>
    <title>{title or f"Page {number}"}</title>
    <ns>{ns}</ns>
    <id>{number}</id>
    {extra}
    <revision>
      <id>9{number}</id>
      <timestamp>2024-03-0{number % 9 + 1}T10:00:00Z</timestamp>
      <contributor><username>Ann</username><id>77</id></contributor>
      <comment>a comment</comment>
      <model>wikitext</model>
      <text bytes="5" xml:space="preserve">{escaped}</text>
    </revision>
  </page>
"""


def dump(*pages: str, head: str = "") -> bytes:
    return (
        f'{head}<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11">\n'
        "  <siteinfo><sitename>Wiki</sitename><case>first-letter</case></siteinfo>\n"
        f"{''.join(pages)}</mediawiki>\n"
    ).encode()


def members(data: bytes, folder: Path) -> list[Member | BrokenMember]:
    path = folder / "dump.xml"
    path.write_bytes(data)
    return list(WikiDump().members(path))


@pytest.mark.parametrize("pack", [bytes, bz2.compress, gzip.compress, lzma.compress])
def test_a_dump_gives_its_articles_however_it_is_packed(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    data = pack(
        dump(
            page(1, ARTICLE, title="Kilnbridge"),
            page(2, "Talk.", ns=1),
            page(3, "#REDIRECT [[Kilnbridge]]", extra='<redirect title="Kilnbridge" />'),
            page(4, "Größe &amp; <b>bold</b>"),
            page(5, ""),
        )
    )
    content = detect(data)
    assert content.kind is Kind.DUMP
    assert container_of(content) is not None
    made = members(data, tmp_path)
    assert [(one.key, one.name) for one in made] == [("1", "Kilnbridge"), ("4", "Page 4")]
    assert isinstance(made[1], Member)
    assert made[1].content is not None
    reading = wikitext.read(made[1].data, made[1].name, made[1].content.media_type)
    assert reading.title == "Page 4"
    assert reading.made_at == datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert [block.text for block in reading.blocks] == ["Größe & bold"]


def test_an_article_is_read_as_it_is_seen(tmp_path: Path) -> None:
    (member,) = members(dump(page(1, ARTICLE, title="Kilnbridge")), tmp_path)
    assert isinstance(member, Member)
    reading = wikitext.read(member.data, "x", "y")
    assert reading.title == "Kilnbridge"
    assert [(block.text, block.place.heading) for block in reading.blocks] == [
        ("name: Kilnbridge\npopulation: 12,345\ncountry: FR", ()),
        (
            "Kilnbridge is a town in the upper region of\n"
            "Pays with 12 km of coast. It\xa0lies on\nthe River Odd.",
            (),
        ),
        ("History", ("History",)),
        ("Founded in 1204.", ("History",)),
        ("Trade", ("History", "Trade")),
        ("- Salt\n- Lace", ("History", "Trade")),
        ("Year | Ships\n1999 | 12\n2000 | 13 tall ships", ("History", "Trade")),
    ]


def test_of_many_revisions_the_last_one_stands(tmp_path: Path) -> None:
    older = "<revision><timestamp>2001-01-01T00:00:00Z</timestamp><text>Old.</text></revision>"
    (member,) = members(dump(page(1, "New.", extra=older)), tmp_path)
    assert isinstance(member, Member)
    assert b"New." in member.data
    assert b"Old." not in member.data
    assert b"2024-03-02" in member.data


def test_a_dump_that_breaks_off_keeps_what_came_before_and_says_so(tmp_path: Path) -> None:
    words = random.Random(1)
    whole = dump(*(page(number, words.randbytes(600).hex()) for number in range(2_000)))
    path = tmp_path / "dump.xml"
    for data in (whole[:-400], bz2.compress(whole)[:-400], gzip.compress(whole)[:-400]):
        path.write_bytes(data)
        pages = WikiDump().members(path)
        assert isinstance(next(pages), Member)
        # An ingestion that were told of a clean end would take the missing pages for vanished.
        with pytest.raises(UnreadableError, match=r"dump\.xml cannot be read as a dump to its end"):
            list(pages)


def test_what_is_no_dump_is_refused(tmp_path: Path) -> None:
    for data in (b"<html><p>no", b"", b"no xml", dump()[:40]):
        with pytest.raises(UnreadableError, match=r"dump\.xml"):
            members(data, tmp_path)


def test_a_link_put_in_the_place_of_a_dump_is_not_followed(tmp_path: Path) -> None:
    outside, link = tmp_path / "outside.xml", tmp_path / "dump.xml"
    outside.write_bytes(dump())
    link.symlink_to(outside)
    with pytest.raises(OSError, match=r"dump\.xml"):
        list(WikiDump().members(link))


def test_a_pipe_put_in_the_place_of_a_dump_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "dump.xml")
    with pytest.raises(UnreadableError, match=r"dump\.xml is not a regular file"):
        list(WikiDump().members(tmp_path / "dump.xml"))


def test_entities_are_not_expanded_and_nothing_is_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    head = (
        f'<!DOCTYPE mediawiki [<!ENTITY e0 "lol">{levels}'
        f'<!ENTITY file SYSTEM "{secret.as_uri()}">]>'
    )
    raw = page(1, "WORDS").replace("WORDS", "a &e11; b &file; c")
    began = time.process_time()
    try:
        made = members(dump(raw, page(2), head=head), tmp_path)
    except UnreadableError:
        made = []
    assert time.process_time() - began < 2
    held = b"".join(one.data for one in made if isinstance(one, Member))
    assert b"SECRET" not in held
    assert len(held) < 10_000


def test_a_page_too_long_is_named_and_the_next_is_read(tmp_path: Path) -> None:
    broken, member = members(dump(page(1, "word\n" * 2_000_000), page(2)), tmp_path)
    assert isinstance(broken, BrokenMember)
    assert "more than 8388608 letters" in broken.reason
    assert isinstance(member, Member)


def test_a_bomb_ends_the_dump(tmp_path: Path) -> None:
    data = bz2.compress(dump(page(1)).removesuffix(b"</mediawiki>\n") + bytes(100 * 2**20))
    with pytest.raises(UnreadableError, match="to its end"):
        members(data, tmp_path)


def test_a_dump_takes_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    with path.open("wb") as file:
        head, tail = dump("PAGES").split(b"PAGES")
        file.write(head)
        for number in range(300):
            file.write(page(number, "word " * 20_000).encode())
        file.write(b"<x>y</x>" * 100_000)
        file.write(tail)
    tracemalloc.start()
    assert sum(isinstance(one, Member) for one in WikiDump().members(path)) == 300
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20


@pytest.mark.parametrize(
    "nasty",
    "{{ [[ <ref> {| '' <!-- {{a|b= [[a| :*# <ref {{a|{{b|[[c| }} | <a [[a]]{{b}} [//a __A".split(),
)
def test_wikitext_made_to_hurt_is_rendered_in_time_in_proportion(nasty: str) -> None:
    text = nasty * (400_000 // len(nasty))
    began = time.process_time()
    rendered(text)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("beginning", "nasty", "end"),
    [("{|\n|a\n", "x\n", "|}"), ("[//a", " ", "x"), ("{{a|", " ", "}}"), ("{{a\n|b", " ", "\n}}")],
)
def test_what_repeats_within_markup_is_rendered_in_time_in_proportion(
    beginning: str, nasty: str, end: str
) -> None:
    text = beginning + nasty * (400_000 // len(nasty)) + end
    began = time.process_time()
    rendered(text)
    assert time.process_time() - began < 5


def test_what_is_never_closed_swallows_nothing() -> None:
    assert rendered("a {{x | b [[c\nd") == "a {{x | b [[c\nd"
    assert "after" in rendered("{{a [[b}} after")
    assert rendered("{| \n|-\n| x\nafter").endswith("after")
