"""From a reading to passages."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.documents import located
from memory.labels import Label, Origin
from memory.places import Box, Place
from tools.chunking import RECORDING_S, chunks
from tools.reading.base import Block, Reading
from tools.tokens import tokens_bound

DOCUMENT = Label(origins=frozenset({Origin.DOCUMENT}))
PICTURE = Label(origins=frozenset({Origin.PICTURE}))


def words(text: str) -> int:
    return len(text.split())


def reading(*blocks: Block, title: str = "", author: str = "") -> Reading:
    return Reading(
        title=title,
        author=author,
        kind="text",
        media_type="text/plain",
        blocks=blocks,
        label=DOCUMENT,
        reader="test/1",
    )


def block(text: str, label: Label = DOCUMENT, **place: object) -> Block:
    return Block(text=text, place=Place(**place), label=label)  # type: ignore[arg-type]  # as given


LETTERS = st.sampled_from("ab .!。\nü本1-")
PLACES = st.builds(
    Place,
    part=st.sampled_from([None, "a.pdf"]),
    page=st.sampled_from([None, 1, 2]),
    heading=st.sampled_from([(), ("One",), ("One", "Two")]),
)
BLOCKS = st.lists(
    st.builds(
        Block,
        text=st.text(LETTERS, min_size=1, max_size=300).filter(str.strip),
        place=PLACES,
        label=st.sampled_from([DOCUMENT, PICTURE]),
    ),
    max_size=12,
)


def lined(blocks: list[Block]) -> list[Block]:
    """Number the lines of blocks as if they stood below each other."""
    line, made = 1, []
    for item in blocks:
        last_line = line + item.text.count("\n")
        place = Place(
            part=item.place.part,
            page=item.place.page,
            heading=item.place.heading,
            line=line,
            last_line=last_line,
        )
        made.append(Block(text=item.text, place=place, label=item.label))
        line = last_line + 1
    return made


@given(BLOCKS, st.sampled_from([tokens_bound, words]), st.integers(8, 60))
def test_every_letter_stands_in_one_passage_in_order(blocks, tokens, limit) -> None:  # type: ignore[no-untyped-def]
    made = chunks(reading(*blocks), tokens, limit)
    assert re.sub(r"\s", "", "".join(chunk.text for chunk in made)) == re.sub(
        r"\s", "", "".join(item.text for item in blocks)
    )


@given(BLOCKS, st.sampled_from([tokens_bound, words]), st.integers(8, 60))
def test_a_passage_is_within_the_limit_with_its_context(blocks, tokens, limit) -> None:  # type: ignore[no-untyped-def]
    for chunk in chunks(reading(*blocks, title="A title. " * 9), tokens, limit):
        assert tokens(chunk.context) + tokens(chunk.text) <= limit


@given(BLOCKS, st.integers(8, 60))
def test_a_passage_stays_within_one_page_heading_and_attachment(
    blocks: list[Block], limit: int
) -> None:
    for chunk in chunks(reading(*blocks), tokens_bound, limit):
        for span in chunk.spans:
            assert (span.place.part, span.place.page) == (chunk.place.part, chunk.place.page)
            assert span.place.heading == chunk.place.heading


@given(BLOCKS, st.integers(8, 40))
def test_the_line_of_every_word_is_found(blocks: list[Block], limit: int) -> None:
    numbered = lined(blocks)
    source = "\n".join(item.text for item in numbered).split("\n")
    for chunk in chunks(reading(*numbered), tokens_bound, limit):
        for match in re.finditer(r"\S+", chunk.text):
            place = located(chunk, *match.span())
            assert place.line is not None
            assert place.line == place.last_line
            assert match.group() in source[place.line - 1]


def test_short_blocks_are_joined_and_each_keeps_its_place() -> None:
    made = chunks(
        reading(
            block("Invoice 17", PICTURE, box=Box(left=5, top=1, right=40, bottom=9)),
            block("Total 119,00", PICTURE, box=Box(left=2, top=20, right=60, bottom=29)),
            title="invoice.png",
        ),
        tokens_bound,
    )
    assert [chunk.text for chunk in made] == ["Invoice 17\nTotal 119,00"]
    assert made[0].place.box == Box(left=2, top=1, right=60, bottom=29)
    start = made[0].text.index("119,00")
    assert located(made[0], start, start + 6).box == Box(left=2, top=20, right=60, bottom=29)
    assert made[0].label == PICTURE


def test_a_long_block_is_cut_behind_sentences_of_any_script() -> None:
    text = "请每三个月更换一次滤芯。" * 30
    made = chunks(reading(block(text)), tokens_bound, 100)
    assert len(made) > 1
    assert all(chunk.text.endswith("。") for chunk in made)


def test_a_word_longer_than_a_passage_is_cut() -> None:
    made = chunks(reading(block("x" * 5000)), tokens_bound, 50)
    assert "".join(chunk.text for chunk in made) == "x" * 5000
    assert max(tokens_bound(chunk.text) for chunk in made) <= 50


@pytest.mark.parametrize("text", [" " * 50_000 + "x", "x \n" * 9_000, ("x" + " " * 99) * 900])
def test_blanks_do_not_make_a_passage_endless(text: str) -> None:
    made = chunks(reading(block(text), title="y" + " " * 9_000 + "z"), tokens_bound)
    assert max(len(chunk.text) + len(chunk.context) for chunk in made) < 8_000
    assert sum(chunk.text.count("x") for chunk in made) == text.count("x")


def test_a_small_end_is_evened_out_with_what_stands_before_it() -> None:
    made = chunks(reading(*(block("word " * 30) for _ in range(7))), words, 200)
    assert [words(chunk.text) for chunk in made] == [90, 120]


def test_the_context_names_title_author_attachment_and_headings() -> None:
    made = chunks(
        reading(
            block("Every March.", part="manual.pdf", heading=("Care", "Filters")),
            title="Heating",
            author="Ann <ann@example.org>",
        ),
        tokens_bound,
    )
    assert made[0].context == "Heating\nAnn <ann@example.org>\nmanual.pdf\nCare > Filters"


def test_a_heading_that_the_title_holds_is_not_said_again() -> None:
    made = chunks(
        reading(block("Every March.", heading=("Pump", "Care")), title="Pump: a handbook"),
        tokens_bound,
    )
    assert made[0].context == "Pump: a handbook\nCare"


def test_a_title_beyond_all_measure_leaves_room_for_the_text() -> None:
    made = chunks(reading(block("Every March."), title="very long " * 500), tokens_bound)
    assert made[0].text == "Every March."
    assert tokens_bound(made[0].context) <= 230 // 3


def test_segments_are_joined_up_to_thirty_seconds() -> None:
    spoken = [block(f"part {n}", start_s=n * 7.0, end_s=n * 7.0 + 6.0) for n in range(10)]
    made = chunks(reading(*spoken), tokens_bound)
    assert [(chunk.place.start_s, chunk.place.end_s) for chunk in made] == [
        (0.0, 27.0),
        (28.0, 55.0),
        (56.0, 69.0),
    ]
    assert all(c.place.end_s - c.place.start_s <= RECORDING_S for c in made)  # type: ignore[operator]  # not None
    start = made[1].text.index("part 5")
    assert located(made[1], start, start + 6) == Place(start_s=35.0, end_s=41.0)


def test_labels_of_joined_blocks_join() -> None:
    made = chunks(reading(block("typed", page=1), block("seen", PICTURE, page=1)), tokens_bound)
    assert made[0].label.origins == {Origin.DOCUMENT, Origin.PICTURE}


def test_a_quotation_outside_of_its_passage_is_refused() -> None:
    made = chunks(reading(block("Every March.", page=1)), tokens_bound)
    with pytest.raises(ValueError, match="no characters 5 to 50"):
        located(made[0], 5, 50)
