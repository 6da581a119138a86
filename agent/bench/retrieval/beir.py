"""A folder of judged questions in the layout of BEIR.

`corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl` (`_id`, `text`), and the judgements with a
header line and three columns (question, document, gain), as `qrels.tsv` or in `qrels/`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import UsageError

_SPLITS = ("qrels.tsv", "qrels/test.tsv", "qrels/dev.tsv", "qrels/train.tsv")


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """Documents, questions, and which documents answer which question."""

    name: str
    corpus: Path
    documents: tuple[tuple[str, str, str], ...]
    """Id, title and text."""
    questions: tuple[tuple[str, str], ...]
    """Id and text of those that have a judgement above 0."""
    gains: Mapping[str, Mapping[str, float]]
    """By question and document."""


def load(folder: Path) -> Judged:
    """Read a folder. Blocks. Raises UsageError that names what is missing or broken."""
    if not folder.is_dir():
        raise UsageError(f"There is no folder {str(folder)!r}.")
    corpus = folder / "corpus.jsonl"
    documents = tuple(
        (str(row["_id"]), str(row.get("title") or ""), str(row.get("text") or ""))
        for row in _rows(corpus)
    )
    gains = _gains(folder)
    questions = tuple(
        (str(row["_id"]), str(row["text"]))
        for row in _rows(folder / "queries.jsonl")
        if str(row["_id"]) in gains
    )
    if not documents or not questions:
        raise UsageError(
            f"{folder} has {len(documents)} documents and {len(questions)} questions with a "
            "judgement: nothing can be measured."
        )
    return Judged(
        name=folder.name, corpus=corpus, documents=documents, questions=questions, gains=gains
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        raise UsageError(f"There is no {path.name} in {str(path.parent)!r}. Is it a BEIR folder?")
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                row["_id"]
            except (ValueError, KeyError, TypeError) as error:
                raise UsageError(f"{path}, line {number} is no JSON object with `_id`.") from error
            yield row


def _gains(folder: Path) -> dict[str, dict[str, float]]:
    path = next((folder / name for name in _SPLITS if (folder / name).is_file()), None)
    if path is None:
        raise UsageError(f"{str(folder)!r} has no judgements: none of {', '.join(_SPLITS)}.")
    gains: dict[str, dict[str, float]] = {}
    lines = path.read_text("utf-8").splitlines()[1:]
    for number, line in enumerate(lines, start=2):
        try:
            question, document, gain = line.split("\t")
            worth = float(gain)
        except ValueError as error:
            raise UsageError(f"{path}, line {number} has no three columns.") from error
        if worth > 0:
            gains.setdefault(question, {})[document] = worth
    return gains
