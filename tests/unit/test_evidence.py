"""Sentences, windows, and which of them answers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import evidence
from graphs.evidence import (
    SUFFICIENT,
    holds_number,
    ranked,
    sentences,
    statements,
    sufficient,
    wants_number,
    windows,
)
from memory.documents import Chunk, Document, Span
from memory.labels import Label, Origin
from memory.places import Place

LABEL = Label(origins=frozenset({Origin.DOCUMENT}))


def chunk(*blocks: str, context: str = "", number: int = 1) -> Chunk:
    """Return a passage of these blocks, as `tools.chunking` makes it."""
    offsets = [0]
    for block in blocks[:-1]:
        offsets.append(offsets[-1] + len(block) + 1)
    document = Document(
        id=number,
        collection="default",
        uri=f"file:///{number}",
        title=f"Title {number}",
        kind="text",
        language="en",
        label=LABEL,
        modified_at=None,
    )
    return Chunk(
        id=number,
        document=document,
        ordinal=0,
        text="\n".join(blocks),
        context=context,
        place=Place(),
        label=LABEL,
        spans=tuple(Span(offset=offset, place=Place()) for offset in offsets),
    )


def said(found: Chunk) -> list[str]:
    return [found.text[start:end] for start, end in statements(found)]


@pytest.mark.parametrize(
    "parts",
    [
        ["Dr. Smith came at 5 p.m. on Monday.", "He left."],
        ["Am 3. Mai kam z. B. Frau Weber.", "Sie blieb."],
        ["It costs 1,250.50 in all.", "See Fig. 3 for more."],
        ["请每三个月更换一次滤芯。", "然后检查。"],
        ['He said "Stop."', "Then he left."],
        ["¿Qué?", "¡No!", "Sí."],
        ["| Part | Price |\n", "| Pump | 1,250.00 |"],
        ["- one\n", "- two"],
    ],
)
def test_an_answer_is_cut_into_sentences_and_lines(parts: list[str]) -> None:
    text = " ".join(parts) if "\n" not in parts[0] else "".join(parts)
    assert [text[start:end] for start, end in sentences(text)] == [part.strip() for part in parts]


def test_a_closing_quotation_mark_belongs_to_its_sentence() -> None:
    text = "他说：“好。”然后走了。"
    assert [text[start:end] for start, end in sentences(text)] == ["他说：“好。”", "然后走了。"]


def test_a_line_without_a_letter_or_figure_is_no_sentence() -> None:
    assert sentences("|---|---|\n---\n\n* * *") == []


TEXTS = st.text(st.sampled_from("aB. \n。!?”|-1,:滤"), max_size=60)


@given(TEXTS)
def test_sentences_follow_each_other_and_hold_all_that_is_said(text: str) -> None:
    for found in (sentences(text), statements(chunk(text))):
        assert all(end <= start for (_, end), (start, _) in pairwise(found))
        pieces = [text[start:end] for start, end in found]
        assert all(piece == piece.strip() != "" for piece in pieces)
        kept = [letter for piece in pieces for letter in piece if letter.isalnum()]
        assert kept == [letter for letter in text if letter.isalnum()]


def test_a_sentence_goes_on_behind_a_break_that_was_made_for_want_of_room() -> None:
    item = (
        "- The main water supply can be closed at the red lever in the cellar corridor, behind the"
        " coat\n  rack. A quarter turn to the right is enough."
    )
    assert said(chunk(item)) == [
        item.split(" A quarter")[0],
        "A quarter turn to the right is enough.",
    ]


def test_a_german_noun_at_the_beginning_of_a_line_begins_no_sentence() -> None:
    text = "Die Schule darf die Kiste mit den zwanzig Büchern sechs\nWochen lang behalten."
    assert said(chunk(text)) == [text]


def test_chinese_lines_are_as_wide_as_they_look() -> None:
    text = "储藏室的钥匙放在前台左边第二个抽屉里面的小盒子\n当中。用完以后请签名。"
    assert said(chunk(text)) == [text.split("用完")[0], "用完以后请签名。"]


@pytest.mark.parametrize(
    "lines",
    [
        ["| Room | Seats | Equipment and everything else |", "| Amber | 4 | White board |"],
        ["- The tap in the yard is fed with rain water", "- hot water is made by the boiler"],
        ["1. The competition takes place in the reading room", "2. every child reads for minutes"],
        ["2026-03-01 12:00 the pump has started to run all night", "2026-03-02 06:00 it stopped"],
        ["Harbour Lifts\t555 0131 and at any time of the day", "Mrs Oakes\t555 0148"],
        ["name,number,street,town,country,remark,more,things", "ann,1,high street,york,uk,a,b,c"],
        ["Mill Lane 12", "Harbour Town"],
        ["These things are to be done by Friday at the latest:", "oil the hinges"],
        ["From the caretaker of the house in the small lane", "Subject: the key"],
        ["A paragraph that ends here, with a stop behind it.", "another one begins"],
        ["A paragraph that is as long as many others are", "", "another one begins"],
    ],
)
def test_rows_items_and_paragraphs_end_where_their_line_ends(lines: list[str]) -> None:
    assert said(chunk("\n".join(lines))) == [line for line in lines if line]


def test_a_block_ends_a_sentence_whatever_it_looks_like() -> None:
    heard = [
        "he said that he would leave the spare key at the bakery",
        "on baker street because nobody was at home that morning",
    ]
    assert said(chunk(*heard)) == heard
    assert said(chunk("\n".join(heard))) == ["\n".join(heard)]


@given(st.lists(TEXTS.filter(str.strip), min_size=1, max_size=4))
def test_windows_quote_the_passage_letter_for_letter(blocks: list[str]) -> None:
    passage = chunk(*blocks)
    found = windows(3, passage)
    assert len(found) == len(statements(passage))
    for window in found:
        assert window.passage == 3
        assert passage.text[window.start : window.end] == window.text


def test_a_short_line_is_joined_with_its_followers_until_it_says_something() -> None:
    passage = chunk("Total", "199.32", "Thank you for your order of these six things.")
    assert [window.text for window in windows(0, passage)] == [
        passage.text,
        "199.32\nThank you for your order of these six things.",
        "Thank you for your order of these six things.",
    ]


@given(st.integers(1, 200))
def test_speech_without_marks_is_quoted_in_stretches_that_leave_no_word_out(count: int) -> None:
    said_words = [f"word{number}" for number in range(count)]
    passage = chunk(" ".join(said_words))
    found = windows(0, passage)
    assert set(said_words) == {word for window in found for word in window.text.split()}
    for window in found:
        assert passage.text[window.start : window.end] == window.text
        assert len(window.text.split()) < 2 * evidence.STRETCH_WORDS
        assert window.around in ("", passage.text)


def test_a_row_of_a_table_that_says_enough_stands_alone() -> None:
    passage = chunk("Highest water pressure of the pump 4.8 bar", "Pump starts at 2.2 bar")
    assert windows(0, passage)[0].text == "Highest water pressure of the pump 4.8 bar"


@pytest.mark.parametrize(
    "question",
    [
        "How often must the filter be cleaned?",
        "when is the hedge cut",
        "By when must it be paid?",
        "What price was agreed?",
        "Wie groß ist der Tank?",
        "Wann wird gelüftet?",
        "wieviel kostet das",
        "讲故事活动几点开始？",
        "要多久？",
    ],
)
def test_a_question_for_a_number_is_known(question: str) -> None:
    assert wants_number(question)


@pytest.mark.parametrize(
    "question",
    [
        "Where is the key?",
        "What happens when the filter is dirty?",
        "Who showed the house?",
        "Wo steht das Streugut?",
        "几乎没有吗？",
    ],
)
def test_a_question_for_something_else_is_known(question: str) -> None:
    assert not wants_number(question)


@pytest.mark.parametrize(
    "text", ["4.8 bar", "six weeks", "dreißig Tage", "jeden Tag", "in May", "每周", "twice a year"]
)
def test_a_number_a_date_or_a_frequency_is_seen(text: str) -> None:
    assert holds_number(text)


@pytest.mark.parametrize("text", ["you may go", "eine Tonne", "the red lever", "在抽屉里"])
def test_what_is_no_number(text: str) -> None:
    assert not holds_number(text)


def best(question: str, *chunks: Chunk) -> str:
    candidates = [window for at, one in enumerate(chunks) for window in windows(at, one)]
    found = ranked(question, chunks, candidates, [0.0] * len(candidates))
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(0 <= one.coverage <= 1.0001 for one in found)
    return found[0].window.text


def test_the_sentence_that_names_what_was_asked_comes_first() -> None:
    other = chunk("The boiler stands in the attic. It is set to 58 degrees.", number=2)
    pump = chunk(
        "The pump stands in the cellar of the house. Its water filter must be cleaned every six "
        "weeks by the caretaker.",
    )
    assert best("How often must the water filter be cleaned?", other, pump).startswith("Its water")


def test_german_compounds_and_chinese_are_found() -> None:
    german = chunk("Der Keller ist trocken und sauber. Der Wasserfilter wird im März gewechselt.")
    assert best("Wann wird der Filter gewechselt?", german).startswith("Der Wasserfilter")
    chinese = chunk("阅览室的植物每周三浇水一次。储藏室的钥匙放在前台左边第二个抽屉里。")
    assert best("储藏室的钥匙在哪里？", chinese).startswith("储藏室")


def test_the_headings_of_a_passage_count_for_it() -> None:
    with_heading = chunk("It is cut on 20 March by the two neighbours.", context="Garden > Hedge")
    without = chunk("It is cut on 25 April by the two neighbours.", context="Lawn", number=2)
    assert "20 March" in best("When is the hedge cut?", without, with_heading)


def test_thin_evidence_is_none() -> None:
    passage = chunk("The boiler stands in the attic of the house.")
    question = "Who won the race?"
    found = ranked(question, [passage], windows(0, passage), [0.2])
    assert found[0].score < SUFFICIENT
    assert sufficient(question, found) == []
    assert sufficient(question, []) == []


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("Where does the boiler stand?", True),
        ("How much is the boiler?", False),
        ("Was kostet der boiler?", False),
    ],
)
def test_words_without_a_number_do_not_answer_what_is_paid(question: str, answered: bool) -> None:
    passage = chunk("The boiler stands in the attic of the house.")
    found = ranked(question, [passage], windows(0, passage), [0.9])
    assert bool(sufficient(question, found)) is answered


def test_a_question_without_a_term_covers_nothing() -> None:
    assert evidence.coverage({}, ["pump"]) == 0.0


@pytest.mark.parametrize(
    ("question", "text", "answers"),
    [
        ("What does the lease cost?", "It is leased from 1 April to 31 October.", False),
        ("What does the lease cost?", "The lease is 240 euros a season.", True),
        ("Was kostet die Führung?", "An einer Führung dürfen 28 Kinder teilnehmen.", False),
        ("Was kostet die Führung?", "Die Führung kostet 12,50.", True),
        ("How much is the entry?", "Entry is free.", True),
        ("多少钱一张票？", "每张票五元。", True),
        ("When is the lease signed?", "It is signed in March.", True),
    ],
)
def test_a_price_is_answered_by_money(question: str, text: str, answers: bool) -> None:
    assert evidence.priced(question, text) is answers
