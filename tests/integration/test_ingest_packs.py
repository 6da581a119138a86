"""The packs into memory by the real senses: each fact is found at its exact place."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.clock import SystemClock
from memory.database import Pool
from memory.documents import Chunk, located
from memory.places import Box, Place
from memory.store import DocumentStore
from tools.ingest import Ingestion
from tools.reading.perception import Perception
from tools.reading.reader import ContentReader
from tools.reading.testing import Mute, OpenResidency
from tools.senses.base import Senses
from tools.senses.hearing import PocketsphinxTranscriber
from tools.senses.leased import leased
from tools.senses.sight import RapidOcrReader

ROOT = Path(__file__).parents[2]
PACKS = {
    "demo": (ROOT / "deploy" / "demo" / "pack", ROOT / "deploy" / "demo" / "expected.json"),
    "library": (
        ROOT / "tests" / "data" / "pack2",
        ROOT / "tests" / "data" / "pack2" / "expected.json",
    ),
}


@pytest.fixture(scope="module")
def reader() -> ContentReader:
    senses = Senses(hearing=PocketsphinxTranscriber(), sight=RapidOcrReader(), speech=Mute())
    lent = OpenResidency()
    return ContentReader(Perception(senses=leased(senses, lent), residency=lent))


def expected(path: Path) -> list[Mapping[str, Any]]:
    """The answers that stand somewhere in the pack."""
    asked = json.loads(path.read_text(encoding="utf-8"))
    answers = [one.get("answer") for one in (*asked["spoken"], *asked["typed"])]
    return [answer for answer in answers if answer and answer["source"]]


async def passages(store: DocumentStore, uri: str) -> list[Chunk]:
    (document,) = await store.documents("pack", uri=uri)
    return await store.chunks(await store.passages(document.id))


def stands(place: Place, answer: Mapping[str, Any]) -> bool:
    """Whether a place is the one that an answer names."""
    if place.part != answer.get("part"):
        return False
    if "page" in answer and place.page != answer["page"]:
        return False
    if "line" in answer and not (place.line == place.last_line == answer["line"]):
        return False
    if "seconds" in answer:
        start_s, end_s = answer["seconds"]
        assert place.start_s is not None
        assert place.end_s is not None
        return bool(place.start_s < end_s and start_s < place.end_s <= end_s + 2)
    return "box" not in answer or alike(place.box, answer["box"])


def alike(box: Box | None, corners: list[float]) -> bool:
    assert box is not None
    found = (box.left, box.top, box.right, box.bottom)
    return all(abs(one - other) <= 12 for one, other in zip(found, corners, strict=True))


@pytest.mark.parametrize("name", PACKS)
async def test_every_fact_is_quoted_from_its_place(
    pool: Pool, reader: ContentReader, name: str
) -> None:
    pack, answers = PACKS[name]
    store = DocumentStore(pool)
    ingestion = Ingestion(store, reader, clock=SystemClock())
    report = await ingestion.ingest([pack], collection="pack")
    assert report.failed == ()
    for answer in expected(answers):
        uri = (answers.parent / answer["source"]).as_uri()
        places = [
            located(chunk, *match.span())
            for chunk in await passages(store, uri)
            for match in re.finditer(answer["quote"], chunk.text)
        ]
        assert any(stands(place, answer) for place in places), (answer, places)
    again = await ingestion.ingest([pack], collection="pack")
    assert (again.read, again.unchanged) == (0, report.read)
