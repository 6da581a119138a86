"""Real texts by domain, and real questions: what the corpus of the scale benchmark is mixed from.

Folders in the BEIR layout and folders of mail are taken as they are given. The documentation that
is installed with Python is always there, so that the benchmark runs for anybody.
"""

import ast
import json
import random
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from itertools import islice
from pathlib import Path
from typing import TypeVar

from agent.errors import UsageError
from tools.reading.decoding import decode
from tools.reading.message import parse
from tools.sentences import sentences

TEXTS_LIMIT = 4_000
"""Texts taken of a domain; of a larger one a sample."""
QUESTIONS_LIMIT = 60
WORDS = 180
"""Longest text; a longer one is cut between sentences, so that one vector speaks for all of it."""
_FEWEST_WORDS = 12
_FEWEST_TEXTS = 50
_SENTENCE_WORDS = 60
"""Code and lists hardly have sentences: what is longer is cut into its lines."""
_MAIL_BYTES = 200_000

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True, slots=True)
class Domain:
    """Texts on one field, each as its sentences, and questions that were asked about it."""

    name: str
    texts: tuple[tuple[str, ...], ...]
    questions: tuple[str, ...]


def gather(folders: Sequence[Path], *, seed: int) -> list[Domain]:
    """Return the domains of folders and of what is installed; UsageError for an unfit folder."""
    domains = [_domain(name, *found, seed=seed) for name, found in _given(folders)]
    domains += [
        _domain("docstrings", *_docstrings(), seed=seed),
        _domain("packages", *_packages(), seed=seed),
    ]
    return [domain for domain in domains if len(domain.texts) >= _FEWEST_TEXTS]


Found = tuple[Iterable[str], Iterable[str]]
"""Texts and questions."""


def _given(folders: Sequence[Path]) -> Iterator[tuple[str, Found]]:
    for folder in folders:
        if (folder / "corpus.jsonl").is_file():
            yield folder.name, _beir(folder)
        elif folder.is_dir():
            yield from _mail(folder)
        else:
            raise UsageError(f"{str(folder)!r} is no folder. Name one of texts or of mail.")


def _beir(folder: Path) -> Found:
    asked = folder / "queries.jsonl"
    questions = _rows(asked) if asked.is_file() else ()
    texts = (
        f"{row.get('title', '')} {row['text']}".strip() for row in _rows(folder / "corpus.jsonl")
    )
    return texts, (row["text"] for row in questions)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _mail(folder: Path) -> Iterator[tuple[str, Found]]:
    """Yield a domain for each archive of a folder, and one for the files that lie in it."""
    archives = sorted(folder.glob("*.tar.*"))
    for archive in archives:
        yield archive.name.partition(".")[0], _messages(_archived(archive))
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path not in archives)
    yield folder.name, _messages(path.read_bytes()[:_MAIL_BYTES] for path in files)


def _archived(archive: Path) -> Iterator[bytes]:
    with tarfile.open(archive) as opened:
        for member in opened:
            file = opened.extractfile(member)
            if file is not None:
                yield file.read(_MAIL_BYTES)


def _messages(raw: Iterable[bytes]) -> Found:
    """Return the plain text of messages, and their subjects as questions."""
    texts, subjects = [], []
    for data in raw:
        mail = parse(data)
        texts += [decode(body.data, body.charset).text for body in mail.bodies if not body.html]
        subjects.append(mail.headers.get("subject", "").lower().removeprefix("re: "))
    return texts, (subject for subject in subjects if len(subject.split()) >= 4)


def _docstrings() -> Found:
    """Return what the standard library says about itself, and its first lines as questions."""
    root = Path(sysconfig.get_paths()["stdlib"])
    found: list[str] = []
    for path in sorted(root.rglob("*.py")):
        if {"test", "tests", "site-packages", "idlelib"}.isdisjoint(path.parts):
            found += _docstrings_of(path)
    return found, (text.partition("\n")[0] for text in found)


def _docstrings_of(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def _packages() -> Found:
    """Return the descriptions of installed packages, and their summaries as questions."""
    known = {one.metadata["Name"] or "": one.metadata for one in distributions()}
    ordered = [known[name] for name in sorted(known)]
    texts = (str(one["Description"] or "") for one in ordered)
    return texts, (str(one["Summary"] or "") for one in ordered)


def _domain(name: str, texts: Iterable[str], questions: Iterable[str], *, seed: int) -> Domain:
    pieces = [piece for text in texts for piece in _cut(text)]
    asked = sorted({line.strip() for line in questions if len(line.split()) >= 4})
    return Domain(
        name=name,
        texts=tuple(_sample(pieces, TEXTS_LIMIT, seed)),
        questions=tuple(_sample(asked, QUESTIONS_LIMIT, seed)),
    )


def _sample(items: Sequence[Item], limit: int, seed: int) -> list[Item]:
    chosen = random.Random(seed).sample(range(len(items)), min(limit, len(items)))  # noqa: S311 - a sample
    return [items[index] for index in sorted(chosen)]


def _cut(text: str) -> Iterator[tuple[str, ...]]:
    """Yield stretches of a text that are not longer than WORDS, each as its sentences."""
    held: list[str] = []
    words = 0
    for sentence in _sentences(text):
        size = len(sentence.split())
        if held and words + size > WORDS:
            yield tuple(held)
            held, words = [], 0
        held.append(sentence)
        words += size
    if words >= _FEWEST_WORDS:
        yield tuple(held)


def _sentences(text: str) -> Iterator[str]:
    plain = text.replace("\0", "")
    for start, end in sentences(plain):
        sentence = plain[start:end]
        words = sentence.split()
        if len(words) <= _SENTENCE_WORDS:
            yield " ".join(words)
        else:
            yield from _lines(sentence)


def _lines(sentence: str) -> Iterator[str]:
    for line in sentence.splitlines():
        words = iter(line.split())
        while some := list(islice(words, _SENTENCE_WORDS)):
            yield " ".join(some)
