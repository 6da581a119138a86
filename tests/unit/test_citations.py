"""Which quotation backs which sentence: attacks on it."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.citations import best_span, citation, claims, ground, supported
from memory.documents import Chunk, Document, Span
from memory.labels import Label, Origin
from memory.places import Place

LABEL = Label(origins=frozenset({Origin.DOCUMENT}))
QUESTION = "What does the handbook say?"


def chunk(*blocks: str, context: str = "", number: int = 1) -> Chunk:
    """Return a passage of these blocks, each on a line of its own."""
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
        place=Place(line=1, last_line=len(blocks)),
        label=LABEL,
        spans=tuple(
            Span(offset=offset, place=Place(line=line, last_line=line))
            for line, offset in enumerate(offsets, start=1)
        ),
    )


FILTER = chunk("The pump stands in the cellar. Its water filter must be cleaned every six weeks.")
PRICES = chunk("| Part | Price |", "| Pump | 1,250.00 |", "| Seal | 3.20 |", number=2)
GERMAN = chunk("Der Wasserfilter wird alle drei Monate gewechselt.", number=3)
CHINESE = chunk("请每三个月更换一次滤芯。用完以后请签名。", number=4)
HEARD = chunk("we left the spare key at the bakery", "on baker street this morning", number=5)
PASSAGES = [FILTER, PRICES, GERMAN, CHINESE, HEARD]


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("The water filter must be cleaned every six weeks.", FILTER.text),
        ("Clean the filter every 6 weeks.", FILTER.text),
        ("The pump costs 1,250.", PRICES.text),
        ("The pump costs 1250.00.", PRICES.text),
        ("Der Filter wird alle drei Monate gewechselt.", GERMAN.text),
        ("Der Wasserfilter wird alle 3 Monate gewechselt.", GERMAN.text),
        ("滤芯每三个月更换一次。", CHINESE.text),
        ("水泵的滤芯需要每三个月更换一次。", CHINESE.text),
        ("The spare key was left at the bakery.", HEARD.text),
        ("No, the filter must be cleaned every six weeks.", FILTER.text),
        ("It is not drinking water.", "Rain water is not drinking water."),
    ],
)
def test_what_the_quotation_says_is_supported(sentence: str, quote: str) -> None:
    assert supported(sentence, quote, QUESTION)


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("The water filter must be cleaned every nine weeks.", FILTER.text),
        ("The water filter must be cleaned every six months.", FILTER.text),
        ("The water filter must be cleaned every sixty weeks.", FILTER.text),
        ("The water filter must not be cleaned every six weeks.", FILTER.text),
        ("Clean the filter.", "Do not clean the filter."),
        ("The pump costs 1,520.", PRICES.text),
        ("The pump costs 12.50.", PRICES.text),
        ("The pump costs 250.", PRICES.text),
        ("Der Wasserfilter wird alle vier Monate gewechselt.", GERMAN.text),
        ("Der Wasserfilter wird alle drei Wochen gewechselt.", GERMAN.text),
        ("滤芯每九个月更换一次。", CHINESE.text),
        ("The library is open on Tuesday.", "The library is open on Thursday."),
        ("The contest is in July.", "The contest is in June."),
        ("Penguins live at the south pole.", FILTER.text),
        ("How often must the water filter be cleaned every six weeks?", FILTER.text),
        ("", FILTER.text),
        ("It is.", FILTER.text),
    ],
)
def test_what_the_quotation_does_not_say_is_not(sentence: str, quote: str) -> None:
    assert not supported(sentence, quote, QUESTION)


def test_words_and_numbers_of_the_question_alone_back_nothing() -> None:
    question = "Is the filter cleaned every 90 days?"
    quote = "The filter is cleaned every 60 days."
    assert not supported("The filter is cleaned every 90 days.", quote, question)
    assert not supported("Yes, every 90 days.", quote, question)
    assert not supported("The interval is 90 days.", "The interval is 60 days.", question)


def test_a_number_that_was_asked_about_may_stand_beside_the_quotation() -> None:
    question = "What is the total of invoice 17?"
    sentence, quote = "The total of invoice 17 is 199.32.", "Total 199.32"
    assert supported(sentence, quote, question, beside="Invoice 17\nTotal 199.32")
    assert not supported(sentence, quote, question, beside="Invoice 18\nTotal 199.32")


@pytest.mark.parametrize(
    ("sentence", "passage", "quote"),
    [
        ("The pump is in the cellar.", FILTER, "The pump stands in the cellar."),
        ("The seal costs 3.20.", PRICES, "| Seal | 3.20 |"),
        ("更换滤芯每三个月", CHINESE, "请每三个月更换一次滤芯。"),
        ("The key lies at the bakery on Baker Street.", HEARD, HEARD.text),
    ],
)
def test_the_quotation_is_no_longer_than_it_must_be(
    sentence: str, passage: Chunk, quote: str
) -> None:
    start, end = best_span(sentence, passage)
    assert passage.text[start:end] == quote


def test_a_citation_names_the_place_of_just_its_words() -> None:
    start = PRICES.text.index("| Seal")
    made = citation(1, PRICES, start, len(PRICES.text))
    assert made["quote"] == "| Seal | 3.20 |"
    assert made["where"] == "line 3"
    assert (made["source"], made["title"], made["chunk"]) == ("file:///2", "Title 2", 2)


def test_marks_are_numbered_anew_in_the_order_of_the_answer() -> None:
    found = ground(
        "The seal costs 3.20 [2]. The filter is cleaned every six weeks [1]. The pump costs "
        "1,250.00 [2].",
        PASSAGES,
        QUESTION,
    )
    assert found.text == (
        "The seal costs 3.20 [1]. The filter is cleaned every six weeks [2]. The pump costs "
        "1,250.00 [3]."
    )
    assert [one["quote"] for one in found.citations] == [
        "| Seal | 3.20 |",
        "Its water filter must be cleaned every six weeks.",
        "| Pump | 1,250.00 |",
    ]
    assert [one["number"] for one in found.citations] == [1, 2, 3]
    assert found.unsupported == ()


def test_the_same_quotation_is_cited_under_one_number() -> None:
    found = ground(
        "Clean the filter every six weeks [1]. So the water filter is cleaned every six weeks [1].",
        PASSAGES,
        QUESTION,
    )
    assert found.text.count("[1]") == 2
    assert len(found.citations) == 1


@pytest.mark.parametrize("mark", ["[2]", "[99]", "[0]", "[-1]", "[2, 99]", "", "[3][4]"])
def test_a_mark_that_points_to_the_wrong_passage_is_taken_out(mark: str) -> None:
    sentence = "The filter is cleaned every six weeks"
    found = ground(f"{sentence} {mark}.", [FILTER, PRICES], QUESTION)
    assert found.citations == ()
    assert found.unsupported
    assert not re.search(r"\[\d", found.text)


def test_of_several_marks_those_stay_that_back_the_sentence() -> None:
    found = ground("The filter is cleaned every six weeks [2, 1].", PASSAGES, QUESTION)
    assert found.text == "The filter is cleaned every six weeks [1]."
    assert [one["chunk"] for one in found.citations] == [1]


def test_two_passages_may_back_a_sentence_together() -> None:
    found = ground(
        "The filter is cleaned every six weeks [1] and the pump costs 1,250.00 [2], says [4].",
        PASSAGES,
        QUESTION,
    )
    assert [one["chunk"] for one in found.citations] == [1, 2]
    assert found.text.endswith("[1][2].")
    assert found.unsupported == ()


def test_two_passages_do_not_back_together_what_neither_says() -> None:
    found = ground("The filter costs 1,520 every nine weeks [1][2].", PASSAGES, QUESTION)
    assert found.citations == ()
    assert len(found.unsupported) == 1


def test_a_true_half_does_not_carry_a_false_one() -> None:
    found = ground(
        "The filter is cleaned every six weeks and penguins live at the south pole [1].",
        PASSAGES,
        QUESTION,
    )
    assert found.citations == ()


def test_a_mark_behind_the_stop_belongs_to_the_sentence_before_it() -> None:
    found = ground(
        "The filter is cleaned every six weeks. [1] The pump costs 1,250.00. [2]",
        PASSAGES,
        QUESTION,
    )
    assert found.text == ("The filter is cleaned every six weeks [1]. The pump costs 1,250.00 [2].")
    assert found.unsupported == ()


def test_the_number_of_a_list_item_claims_nothing() -> None:
    found = ground(
        "1. Clean the filter every six weeks [1].\n2) The pump costs 1,250.00 [2].\n"
        "# Prices\n- The seal costs 3.20 [2].",
        PASSAGES,
        QUESTION,
    )
    assert found.unsupported == ()
    assert found.text == (
        "1. Clean the filter every six weeks [1].\n2) The pump costs 1,250.00 [2].\n"
        "# Prices\n- The seal costs 3.20 [3]."
    )


def test_a_row_of_a_table_in_the_answer_stays_a_row() -> None:
    found = ground("| Seal | 3.20 [2] |\n|---|---|\n| Pump | 1,250.00 [2] |", PASSAGES, QUESTION)
    assert found.text == "| Seal | 3.20 [1] |\n|---|---|\n| Pump | 1,250.00 [2] |"


def test_abbreviations_do_not_part_a_sentence_from_its_mark() -> None:
    passage = chunk("Mrs. Oakes sweeps the chimney, e.g. on Tuesday.")
    found = ground("Mrs. Oakes sweeps the chimney e.g. on Tuesday [1].", [passage], QUESTION)
    assert found.text == "Mrs. Oakes sweeps the chimney e.g. on Tuesday [1]."
    assert found.unsupported == ()


def test_answers_in_german_and_chinese_are_cited() -> None:
    german = ground("Der Filter wird alle drei Monate gewechselt [3].", PASSAGES, "Wann?")
    assert german.citations[0]["quote"] == GERMAN.text
    chinese = ground("每三个月更换一次滤芯【4】。用完以后请签名。[4]", PASSAGES, "多久？")
    assert [one["quote"] for one in chinese.citations] == [
        "请每三个月更换一次滤芯。",
        "用完以后请签名。",
    ]
    assert chinese.text == "每三个月更换一次滤芯 [1]。用完以后请签名 [2]。"


def test_the_result_of_a_tool_backs_a_sentence_without_a_mark() -> None:
    result = "90 days after 2026-03-01 (Sunday) is 2026-05-30 (Saturday)."
    question = "Which day is ninety days after the first of March?"
    right = ground("It is Saturday, 30 May 2026.", [], question, [result])
    wrong = ground("It is Sunday, 31 May 2026.", [], question, [result])
    assert right.unsupported == ()
    assert wrong.unsupported == ("It is Sunday, 31 May 2026.",)


def test_small_talk_claims_nothing() -> None:
    assert not claims("I have noted that.", "Remember that the key is under the mat.")
    assert claims("Penguins live at the south pole.", QUESTION)
    assert claims("It is 5.", QUESTION)
    assert not claims("Shall I look for penguins at the south pole?", QUESTION)
    assert ground("Done!", PASSAGES, QUESTION).unsupported == ()


def test_code_of_an_answer_stands_as_it_was_written() -> None:
    """Marks are numbered anew, an index of an array is none, and no code is a source."""
    code = "```python\nlast = rows[1].\n[2]\nkey = keys[3]\n```"
    answer = f"The seal costs 3.20 [2]. See `row[1]`.\n\n{code}\n\nThe seal costs 3.20 [2]."
    grounded = ground(answer, PASSAGES, QUESTION)
    assert grounded.text == (
        f"The seal costs 3.20 [1]. See `row[1]`.\n\n{code}\n\nThe seal costs 3.20 [1]."
    )
    assert [one["number"] for one in grounded.citations] == [1]
    assert ground("`The seal costs 3.20 [2].`", PASSAGES, QUESTION).citations == ()


HURTFUL = {
    "stops": "。" * 8000,
    "dots": "." * 8000,
    "spaces": "a." + " " * 8000 + "b",
    "brackets": "[" * 8000,
    "marks": "x [1]. " * 1000,
    "marks without end": "[1" + "-1" * 4000,
    "items": "1) " * 3000,
    "numbers": "1,1 000 € " * 800,
    "no end": "九" * 8000,
    "code": "`a` [1]. " * 1000,
    "fences": "```\n[1]\n" * 1000,
    "backticks": " ".join("`" * size for size in range(1, 128)),
    "one word": "a" * 8000,
}


@pytest.mark.parametrize("answer", HURTFUL.values(), ids=HURTFUL)
def test_an_answer_made_to_hurt_is_read_in_bearable_time(answer: str) -> None:
    began = time.process_time()
    ground(answer, [*PASSAGES, chunk(answer[:1000])], QUESTION)
    assert time.process_time() - began < 2


SENTENCES = st.sampled_from(
    [
        "The filter is cleaned every six weeks",
        "The filter is cleaned every nine weeks",
        "The seal costs 3.20",
        "滤芯每三个月更换一次",
        "Penguins live at the south pole",
        "1. The pump costs 1,250.00",
        "| Pump | 1,250.00 |",
        "",
    ]
)
MARKS = st.sampled_from(
    [
        "",
        "[1]",
        " [2]",
        "[1, 2]",
        "[99]",
        "【4】",
        "[Passage 1]",
        "[[1]2]",
        "[1-5]",
        "[",
        "]",
        "[x]",
    ]
)
ENDS = st.sampled_from([". ", "。", "\n", "! ", " ", '." '])
ANSWERS = st.lists(st.tuples(SENTENCES, MARKS, ENDS, MARKS), max_size=5).map(
    lambda parts: "".join(piece for part in parts for piece in part)
)


@given(ANSWERS)
def test_whatever_is_answered_each_mark_points_to_words_that_stand_there(answer: str) -> None:
    found = ground(answer, PASSAGES, QUESTION)
    by_id = {passage.id: passage for passage in PASSAGES}
    for one in found.citations:
        assert one["quote"] in by_id[one["chunk"]].text
        assert one["quote"].strip() == one["quote"] != ""
    marked = [int(number) for number in re.findall(r"\[(\d+)\]", found.text)]
    assert set(marked) == {one["number"] for one in found.citations}
    assert list(dict.fromkeys(marked)) == sorted(set(marked))


@given(ANSWERS)
def test_what_is_false_is_never_cited(answer: str) -> None:
    for line in re.split(r"(?<=\])", ground(answer, PASSAGES, QUESTION).text):
        if re.search(r"\[\d+\]$", line):
            claim = re.split(r"[.。!\n]|\]", line[:-1])[-1]
            assert "nine" not in claim
            assert "Penguins" not in claim
