"""The corpus of the scale benchmark: any size, real words, the same for a seed."""

import asyncio
import json
import sysconfig
import tarfile
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from agent.bench.scale import material
from agent.bench.scale.material import Domain, gather
from agent.bench.scale.remix import PASSAGE_WORDS, Mixed, Remixer
from agent.errors import UsageError

DIMENSIONS = 16


def domain(name: str, texts: int = 40) -> Domain:
    return Domain(
        name=name,
        texts=tuple(
            tuple(f"{name} {text} {sentence} " + "word " * 17 for sentence in range(6))
            for text in range(texts)
        ),
        questions=(f"what is in {name}?",),
    )


def remixer(seed: int = 1) -> Remixer:
    rng = np.random.default_rng(0)
    domains = [domain("pumps"), domain("valves", 20)]
    vectors = []
    for one in domains:
        rows = rng.standard_normal((len(one.texts), DIMENSIONS)).astype(np.float32)
        vectors.append(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return Remixer(domains=domains, vectors=vectors, seed=seed)


def as_told(mixed: list[Mixed]) -> list[tuple[str, list[str], list[list[float]]]]:
    return [
        (one.document.uri, [chunk.text for chunk in one.document.chunks], one.vectors.tolist())
        for one in mixed
    ]


def test_there_are_as_many_passages_as_were_asked_for() -> None:
    documents = list(remixer().documents(1_000))
    assert sum(len(one.document.chunks) for one in documents) == 1_000
    assert all(len(one.vectors) == len(one.document.chunks) for one in documents)
    assert len({one.document.uri for one in documents}) == len(documents)


def test_a_seed_gives_the_same_corpus_again_and_another_one_another() -> None:
    first = as_told(list(remixer().documents(300)))
    assert as_told(list(remixer().documents(300))) == first
    assert as_told(list(remixer(seed=2).documents(300))) != first


def test_vectors_have_unit_length_and_lie_by_those_of_their_texts() -> None:
    made = remixer()
    for one in islice(made.documents(400), 20):
        assert np.allclose(np.linalg.norm(one.vectors, axis=1), 1, atol=1e-5)
        name = one.document.uri.split("/")[2]
        place = [domain.name for domain in made.domains].index(name)
        own = one.vectors @ made.vectors[place].T
        other = one.vectors @ made.vectors[1 - place].T
        assert own.max(axis=1).mean() > other.max(axis=1).mean()


def test_a_passage_has_about_so_many_words_of_one_domain() -> None:
    texts = [chunk.text for one in remixer().documents(500) for chunk in one.document.chunks]
    words = [len(text.split()) for text in texts]
    assert PASSAGE_WORDS * 0.8 < sum(words) / len(words) < PASSAGE_WORDS * 1.3
    assert not any("pumps" in text and "valves" in text for text in texts)


def test_texts_and_questions_are_taken_from_folders_of_both_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A part of the standard library says enough about itself, and all of it is read for long.
    some = {"stdlib": str(Path(asyncio.__file__).parent)}
    monkeypatch.setattr(sysconfig, "get_paths", lambda: some)
    monkeypatch.setattr(material, "TEXTS_LIMIT", 100)
    beir, mail = tmp_path / "judged", tmp_path / "mail"
    beir.mkdir()
    mail.mkdir()
    rows = [{"_id": str(n), "title": "T", "text": f"Text {n}. " + "word " * 20} for n in range(60)]
    (beir / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (beir / "queries.jsonl").write_text(json.dumps({"_id": "1", "text": "what is in a text?"}))
    with tarfile.open(mail / "old.tar.xz", "w:xz") as archive:
        for number in range(60):
            data = f"Subject: this is mail number {number}\n\n{'word ' * 20}".encode()
            member = tarfile.TarInfo(f"mail/{number}")
            member.size = len(data)
            archive.addfile(member, BytesIO(data))

    found = {one.name: one for one in gather([beir, mail], seed=1)}

    assert len(found["judged"].texts) == 60
    assert found["judged"].questions == ("what is in a text?",)
    assert len(found["old"].texts) == 60
    assert "this is mail number 7" in found["old"].questions
    assert len(found["docstrings"].texts) == 100


def test_what_is_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        gather([tmp_path / "nowhere"], seed=1)
