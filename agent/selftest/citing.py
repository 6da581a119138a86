"""Cited answers, through the real assistant on a database that is thrown away."""

import asyncio
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent import assembly, migrate
from agent.bench import answers, place
from agent.selftest import samples
from agent.selftest.section import Box, Section, each
from agent.settings import DatabaseSettings, Settings


async def section(settings: Settings, box: Box, *, judged: bool) -> Section:
    """Ingest the documents, ask every question, and look the quotations up in the documents."""
    questions, documents = await asyncio.to_thread(answers.material, samples.documents())
    found = Section(name="cited answers", planned=len(questions), judged=judged)
    found.figures = dict.fromkeys(("right", "wrong", "missed", "told", "invented"), 0)
    name = f"cortical_selftest_{uuid.uuid4().hex[:12]}"
    async with place.lent(await assembly.database_url(settings), name) as dsn:
        await migrate.migrate(dsn)
        own = settings.model_copy(
            update={"database": DatabaseSettings(url=dsn), "collection": "selftest"}
        )
        async with assembly.engine(own) as engine:
            await engine.held.ingestion.ingest(documents, collection="selftest")
            await engine.held.store.embed_missing(engine.held.embedder)

            async def asked(question: Mapping[str, Any]) -> Mapping[str, Any]:
                outcome = await engine.turns.run(
                    "assistant",
                    thread_id=str(uuid.uuid4()),
                    values={"question": question["text"], "collection": "selftest"},
                    watch=lambda _: None,
                )
                answer: Mapping[str, Any] = outcome.output["answer"]
                return answer

            async for question, answer in each(found, box, _mixed(questions), asked):
                if answer is not None:
                    found.count(answers.row(question, answer)["verdict"])
                    found.broken += invented(answer, documents)
    figures = found.figures
    found.told = [
        f"of {figures['right'] + figures['wrong'] + figures['missed']} questions with an answer, "
        f"{figures['right']} quoted rightly; of {figures['told'] + figures['invented']} without "
        f"one, {figures['told']} told so"
    ]
    return found


def _mixed(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put a question without an answer early, so that a short time sees both kinds."""
    nowhere = [one for one in questions if one["answer"] is None]
    answerable = [one for one in questions if one["answer"] is not None]
    return [*answerable[:2], *nowhere[:1], *answerable[2:], *nowhere[1:]]


def invented(answer: Mapping[str, Any], documents: list[Path]) -> list[str]:
    """Return a fault for each quotation that stands in none of the documents."""
    texts = [" ".join(re.findall(r"\w+", path.read_text("utf-8"))) for path in documents]
    faults = []
    for citation in answer["citations"]:
        quote = " ".join(re.findall(r"\w+", citation["quote"]))
        if not any(quote in text for text in texts):
            faults.append(f"the quotation {citation['quote']!r} stands in no document")
    return faults
