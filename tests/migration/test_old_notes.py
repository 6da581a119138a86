"""What was remembered before there was a store is in it afterwards."""

from memory.database import connect, open_pool
from memory.embedding_models import serving_model
from memory.graph_store import GraphStore
from memory.items import StoredItem
from memory.labels import Label, Origin
from memory.migrations import apply, migrations, prepare
from memory.search import Searcher
from memory.testing import HashingEmbedder, cloned_database

OLD = """
INSERT INTO collections (name) VALUES ('remembered');
INSERT INTO sources (collection_id, uri) VALUES (1, 'memory:');
INSERT INTO documents (source_id, uri, title, kind, media_type, content_hash, reader, language,
    configuration, modified_at, origins, audience, flaws)
VALUES (1, 'memory:f00d', 'Remembered on 2026-03-02', 'memory', 'text/plain', '', 'remember 1',
    'und', 'simple', now(), '{mail,user}', '{owner}', '{}');
INSERT INTO chunks (document_id, ordinal, text, context, content_key, place, spans, origins,
    audience)
VALUES (1, 0, 'The ladder is at Novak''s.', '', '', '{}', '[]', '{mail,user}', '{owner}');
INSERT INTO terms (configuration, lexeme, df) VALUES ('simple', 'ladder', 1);
INSERT INTO lexical VALUES (1, 1, 1, 7, '{1}', '{1:0.5}/1000000000');
INSERT INTO lexicon VALUES (1, 'simple', 1);
INSERT INTO embedding_models (name, dimensions) VALUES ('old', 8), ('hashing', 64);
"""


async def test_an_old_note_becomes_a_fact_of_the_owner_with_its_label(server_dsn: str) -> None:
    known = migrations()
    number = next(one.number for one in known if one.name == "memories")
    async with cloned_database(server_dsn, template="template1") as dsn:
        async with await connect(dsn) as connection:
            await prepare(connection)
            await apply(connection, [one for one in known if one.number < number])
            await connection.execute(OLD.encode())
            await apply(connection, [one for one in known if one.number >= number])
            serving = await serving_model(connection)
            assert serving is not None
            assert serving.name == "hashing", "the newest, which search has worked with so far"
            await connection.execute("DELETE FROM embedding_models")
        async with open_pool(dsn) as pool:
            store = GraphStore(pool, HashingEmbedder(), cut=lambda text: [text])
            item = await store.aget(("owner", "facts"), "f00d")
            assert isinstance(item, StoredItem)
            assert item.value == {"text": "The ladder is at Novak's."}
            assert item.label == Label(origins=frozenset({Origin.MAIL, Origin.USER}))
            [found] = await store.asearch(("owner",), query="ladder")
            assert found.key == "f00d"
            [hit] = await Searcher(pool, HashingEmbedder()).search(
                "ladder", collections=["memory:owner"]
            )
            assert hit.chunk.document.uri == "memory:owner/facts/f00d"
            await store.aput(("owner", "facts"), "f00d", {"text": "The ladder is back."})
            assert len(await store.asearch(())) == 1
            await store.adelete(("owner", "facts"), "f00d")
            assert await store.asearch(()) == []
            await store.aclose()
