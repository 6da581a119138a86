"""A batch of a load: documents that are ready to be written, and how they are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memory.characters import storable
from memory.database import Connection, Pool
from memory.documents import NewDocument
from memory.embedding_models import Model
from memory.inserting import Owned, insert_passages, insert_vectors
from memory.passages import Passage
from memory.rows import Row, fetch
from memory.writing import collection_of, is_same, replace_all, writing

Key = tuple[int, str]
"""Source and uri."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A document to be loaded."""

    source_id: int
    document: NewDocument
    vectors: NDArray[np.float32] | None = None
    """One row of unit length for each passage, where they are known already."""

    @property
    def key(self) -> Key:
        """What names it in memory."""
        return self.source_id, storable(self.document.uri)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """A document whose passages are cut into words."""

    arrival: Arrival
    passages: Sequence[Passage]
    lexemes: Sequence[str]
    """Of each passage, as `postings.tokenise` gives them."""

    def owned(self, document_id: int, passage: Passage) -> Owned:
        """Return one of its passages, with all that is known of it."""
        vectors = self.arrival.vectors
        return Owned(
            document_id=document_id,
            passage=passage,
            lexemes=self.lexemes[passage.ordinal],
            vector=None if vectors is None else vectors[passage.ordinal],
        )


async def stored_of(connection: Connection, arrivals: Iterable[Arrival]) -> dict[Key, Row]:
    """Return what is stored under the names of documents."""
    uris: defaultdict[int, list[str]] = defaultdict(list)
    for arrival in arrivals:
        source_id, uri = arrival.key
        uris[source_id].append(uri)
    return {
        (source_id, row["uri"]): row
        for source_id, wanted in uris.items()
        for row in await fetch(connection, "known_documents_of", source_id=source_id, uris=wanted)
    }


def unchanged(arrival: Arrival, stored: Mapping[Key, Row]) -> bool:
    """Return whether what is stored is the very same."""
    row = stored.get(arrival.key)
    return row is not None and is_same(row, arrival.document)


async def write(pool: Pool, batch: Iterable[Ready], model: Model | None) -> list[Ready]:
    """Store documents in one transaction, of those with one name the last; return what was new."""
    last = {one.arrival.key: one for one in batch}
    async with writing(pool) as connection:
        stored = await stored_of(connection, (one.arrival for one in last.values()))
        coming = [one for one in last.values() if not unchanged(one.arrival, stored)]
        sources: defaultdict[int, list[Ready]] = defaultdict(list)
        for one in coming:
            sources[one.arrival.source_id].append(one)
        for source_id, group in sources.items():
            await _write_source(connection, source_id, group, stored, model)
    return coming


async def _write_source(
    connection: Connection,
    source_id: int,
    group: Sequence[Ready],
    stored: Mapping[Key, Row],
    model: Model | None,
) -> None:
    collection_id = await collection_of(connection, source_id)
    known = {uri: row for (owner, uri), row in stored.items() if owner == source_id}
    given = [(one.arrival.document, one.passages) for one in group]
    ids, fresh = await replace_all(connection, source_id, given, known)
    by_id = dict(zip(ids, group, strict=True))
    for (configuration, mean_length), passages in fresh.batches.items():
        owned = [by_id[owner].owned(owner, passage) for owner, passage in passages]
        chunk_ids = await insert_passages(
            connection, collection_id, configuration, mean_length, owned
        )
        if model is not None:
            await insert_vectors(connection, collection_id, model, chunk_ids, owned)
