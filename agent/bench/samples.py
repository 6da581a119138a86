"""Texts to embed: documents of some 180 tokens, and short questions."""

import ast
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from agent.bench.retrieval import beir

PACKAGES = ("agent", "graphs", "tools", "memory")
_SEED = 1
_CHARACTERS = 800
"""Of a document made from source code, some 180 tokens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Samples:
    """What is embedded."""

    documents: Sequence[str]
    questions: Sequence[str]


def chosen(folders: Sequence[Path], count: int) -> Samples:
    """Choose up to so many of both, the same at every call. Blocks. Raises UsageError.

    They come from folders in the layout of BEIR; without one they are pieces of cortical's own
    source, and the first lines of its docstrings for questions.
    """
    documents, questions = _judged(folders) if folders else _own()
    draw = random.Random(_SEED)  # noqa: S311 - nothing secret is drawn
    return Samples(
        documents=draw.sample(documents, min(count, len(documents))),
        questions=draw.sample(questions, min(count, len(questions))),
    )


def _judged(folders: Iterable[Path]) -> tuple[list[str], list[str]]:
    loaded = [beir.load(folder) for folder in folders]
    documents = [f"{title}\n{text}".strip() for one in loaded for _, title, text in one.documents]
    return documents, [text for one in loaded for _, text in one.questions]


def _own() -> tuple[list[str], list[str]]:
    modules = [path.read_text("utf-8") for path in sorted(_sources())]
    pieces = [
        module[start : start + _CHARACTERS]
        for module in modules
        for start in range(0, len(module), _CHARACTERS)
    ]
    return pieces, [line for module in modules for line in _docstrings(module)]


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        found = find_spec(package)
        for folder in (found and found.submodule_search_locations) or ():
            yield from Path(folder).rglob("*.py")


def _docstrings(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            said = ast.get_docstring(node)
            if said:
                yield said.partition("\n")[0]
