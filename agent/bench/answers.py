"""How often a question gets the right quotation, and how often one without an answer is told so.

A folder of documents and `questions.json` beside them: a list of `{"id", "language", "text",
"answer"}`, where `answer` is null or `{"source": file name, "quote": regular expression}`.
"""

import asyncio
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from agent import assembly
from agent.bench.lent import Lent
from agent.errors import AgentError, UsageError
from agent.settings import Settings

QUESTIONS = "questions.json"


async def measure(
    settings: Settings, folder: Path, *, watch: Callable[[Mapping[str, Any]], None]
) -> dict[str, Any]:
    """Ingest the folder into a collection of its own, ask everything, forget it again."""
    questions, documents = await asyncio.to_thread(material, folder)
    collection = f"bench:{uuid.uuid4()}"
    async with assembly.engine(settings) as engine:
        threads = Lent()
        try:
            await engine.held.ingestion.ingest(documents, collection=collection)
            await engine.held.store.embed_missing(engine.held.embedder)
            rows = []
            for question in questions:
                watch({"event": "asking", "text": question["text"]})
                outcome = await engine.turns.run(
                    "assistant",
                    thread_id=threads.new(),
                    values={"question": question["text"], "collection": collection},
                    watch=lambda _: None,
                )
                rows.append(row(question, outcome.output["answer"]))
        finally:
            await threads.forget(engine.pool)
            for source in (await engine.held.store.sources(collection)).values():
                await engine.held.store.forget(source)
        executive = engine.services.executive.profile.name
    return {"executive": executive, **_figures(rows), "questions": rows}


def material(folder: Path) -> tuple[list[dict[str, Any]], list[Path]]:
    """Return the questions of a folder, and its documents. Raises UsageError."""
    path = folder / QUESTIONS
    if not path.is_file():
        raise UsageError(f"There is no {QUESTIONS} in {str(folder)!r}. See docs/figures.md.")
    questions: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return questions, sorted(other for other in folder.iterdir() if other != path)


def row(question: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Score one answer: right, wrong, missed, told (that there is none) or invented."""
    wanted, cited = question["answer"], answer["citations"]
    if wanted is None:
        verdict = "invented" if answer["found"] else "told"
    elif not answer["found"]:
        verdict = "missed"
    else:
        verdict = "right" if any(_fits(one, wanted) for one in cited) else "wrong"
    return {
        "id": question["id"],
        "verdict": verdict,
        "text": question["text"],
        "answer": answer["text"],
    }


def _fits(citation: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    name = unquote(citation["source"]).rpartition("/")[2]
    return name == wanted["source"] and bool(re.search(wanted["quote"], citation["quote"]))


def _figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    counts = {
        verdict: sum(row["verdict"] == verdict for row in rows)
        for verdict in ("right", "wrong", "missed", "told", "invented")
    }
    answerable = counts["right"] + counts["wrong"] + counts["missed"]
    nowhere = counts["told"] + counts["invented"]
    if not (answerable and nowhere):
        raise AgentError("The benchmark is void: it needs questions with and without an answer.")
    return {"answerable": answerable, "nowhere": nowhere, **counts}


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write the figures, and each question that went wrong."""
    yield f"executive: {report['executive']}"
    yield (
        f"{report['answerable']} questions with an answer: {report['right']} quoted rightly, "
        f"{report['wrong']} wrongly, {report['missed']} taken for unanswerable"
    )
    yield (
        f"{report['nowhere']} without one: {report['told']} told so, {report['invented']} answered"
    )
    for row in report["questions"]:
        if row["verdict"] not in ("right", "told"):
            yield f"  {row['verdict']:<8} {row['text']}  →  {row['answer'][:120]}"
