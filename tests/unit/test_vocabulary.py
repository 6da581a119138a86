"""A model file's own vocabulary counts as the model does, and bounds hold against it."""

import struct
from pathlib import Path

import pytest

from agent.executives.counting.tokens import MESSAGE_TOKENS, upper_bound
from agent.executives.gguf.header import embedded_model
from agent.executives.gguf.vocabulary import OwnVocabulary, Vocabulary, blob

COUNTED = {
    # Counted by llama.cpp with the same file.
    "How long is the warranty of the pump?": 9,
    "The warranty period begins on the day of delivery and lasts 24 months.": 16,
    "Die Übergangsregelung gilt für sämtliche Kündigungsschutzklagen ab 1. März.": 34,
    "| 2026-03-02 | 17,50 € | ACME-7781-B |": 31,
    "def f(x):\n    return {key: value[0] for key, value in x.items() if value}\n": 27,
    "": 0,
}

LANGUAGES = (
    "The warranty of the pump is two years from the day on which it was delivered. ",
    "Die Gewährleistung der Pumpe beträgt zwei Jahre und beginnt mit dem Tag der Lieferung. ",
    "Le filtre doit être nettoyé une fois par semaine, sinon la garantie ne vaut plus. ",
    "La garantía de la bomba es de dos años a partir del día de la entrega. ",
    "Polska gwarancja na pompę wynosi dwa lata od dnia dostawy, filtr należy czyścić. ",
    "Pumpun takuu on kaksi vuotta toimituspäivästä, ja suodatin on puhdistettava. ",
    "Záruka na čerpadlo je dva roky ode dne dodání. ",
    "保修期为自交货之日起两年，过滤器必须每周清洗一次。",
    "ポンプの保証は納品日から二年間です。",
    "펌프의 보증 기간은 납품일로부터 2년입니다. ",
    "ضمان المضخة سنتان من تاريخ التسليم. ",
    "पंप की वारंटी डिलीवरी की तारीख से दो साल है। ",
    "def cleaned(rows):\n    return [{'id': row[0], 'sum': row[3] * 1.19} for row in rows]\n",
    '{"id": 17, "name": "Pumpe", "ok": true}\n',
    "SELECT * FROM PUMPS WHERE ID=17 AND STATE='OPEN';\n",
    "aGVsbG8gd29ybGQgdGhpcyBpcyBiYXNlNjQ/PT0+Pj4vLy8r",
    "f3a9c1d2-7b44-4e0a-9d61-0c2f5b8e1a77 ",
    "🚰🔧 “quoted” … ½ ≠ ∑ \t\t{}[]()&&||!!\n",
)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    found = Vocabulary.read(embedded_model())
    assert found is not None
    return found


@pytest.mark.parametrize("text", COUNTED)
def test_a_text_has_as_many_tokens_as_the_model_reads(vocabulary: Vocabulary, text: str) -> None:
    assert vocabulary.count(text) == COUNTED[text]


@pytest.mark.parametrize("text", LANGUAGES)
def test_the_raw_bound_holds_in_every_language(vocabulary: Vocabulary, text: str) -> None:
    assert upper_bound(text * 20) >= 0.98 * vocabulary.count(text * 20)


def test_two_languages_in_one_text_do_not_pass_for_english(vocabulary: Vocabulary) -> None:
    for other in LANGUAGES:
        mixed = (LANGUAGES[0] + other) * 20
        assert upper_bound(mixed) >= 0.98 * vocabulary.count(mixed)


def test_what_a_template_adds_is_learnt_and_still_bounded(vocabulary: Vocabulary) -> None:
    own = OwnVocabulary(embedded_model())
    texts = ["You are brief.", *LANGUAGES]

    def counted(count: int) -> int:
        return sum(map(vocabulary.count, texts[:count])) + 5 * count + 11

    before = own.bound(texts[:6], [])
    own.learn(texts[:4], [], counted(4))
    after = own.bound(texts[:6], [])
    assert before is not None
    assert after is not None
    assert counted(6) <= after < before
    assert after - counted(6) <= 2 * MESSAGE_TOKENS
    fewer = own.bound(texts[:3], [])
    assert fewer is not None
    assert fewer >= counted(3)


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def strings(*values: str) -> bytes:
    return struct.pack("<IIQ", 9, 8, len(values)) + b"".join(map(text, values))


def model(pre: str) -> bytes:
    pairs = [
        text("tokenizer.ggml.model") + struct.pack("<I", 8) + text("gpt2"),
        text("tokenizer.ggml.pre") + struct.pack("<I", 8) + text(pre),
        text("tokenizer.ggml.tokens") + strings("a", "b", "ab"),
        text("tokenizer.ggml.merges") + strings("a b"),
    ]
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs)


def test_a_vocabulary_of_a_kind_that_is_known_is_read(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(model("qwen2"))
    found = Vocabulary.read(tmp_path / "m")
    assert found is not None
    assert found.count("abab") == 2


@pytest.mark.parametrize("content", [b"", b"GGUF", model("some-new-kind"), model("qwen2")[:-3]])
def test_one_that_is_not_known_or_not_whole_is_done_without(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m").write_bytes(content)
    assert Vocabulary.read(tmp_path / "m") is None
    assert OwnVocabulary(tmp_path / "m").bound(["a"], []) is None


def test_a_models_file_is_the_one_that_it_was_made_from(tmp_path: Path) -> None:
    file = tmp_path / "sha256-0a1b"
    file.write_bytes(b"x")
    assert blob(f"# Modelfile\nFROM {file}\nTEMPLATE x\n") == file
    assert blob(f"FROM {tmp_path / 'sha256-none'}\n") is None
    assert blob("FROM qwen3:14b\n") is None
    assert blob("") is None
