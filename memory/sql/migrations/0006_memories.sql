-- Long-term memory of runs: what a LangGraph store holds, each item a document with its name and
-- value beside it. And which of the embedding models search works with.

CREATE TABLE memories (
    document_id bigint PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
    namespace text[] COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value jsonb NOT NULL,
    source text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    ttl_minutes double precision,
    expires_at timestamptz,
    UNIQUE (namespace, key)
);
CREATE INDEX memories_expiring ON memories (expires_at) WHERE expires_at IS NOT NULL;
COMMENT ON TABLE memories IS 'Items of the store that graphs are handed; where their words came from stands with the document';
COMMENT ON COLUMN memories.source IS 'What put it there, such as run:ID; null where nobody said';
COMMENT ON COLUMN memories.ttl_minutes IS 'Time to live from the last reading on; null: for ever';

-- What `remember` noted so far becomes facts of the owner.
UPDATE collections SET name = 'memory:owner'
WHERE name = 'remembered' AND NOT EXISTS (SELECT FROM collections WHERE name = 'memory:owner');
INSERT INTO memories (document_id, namespace, key, value, created_at, updated_at)
SELECT document_id, '{owner,facts}', substr(documents.uri, length('memory:') + 1),
    jsonb_build_object('text', text), stored_at, stored_at
FROM documents
JOIN chunks USING (document_id)
JOIN sources USING (source_id)
JOIN collections USING (collection_id)
WHERE collections.name = 'memory:owner' AND sources.uri = 'memory:' AND kind = 'memory' AND ordinal = 0;
UPDATE documents SET uri = 'memory:owner/facts/' || memories.key, reader = 'item 1'
FROM memories WHERE memories.document_id = documents.document_id;

ALTER TABLE embedding_models ADD serves boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX embedding_models_serving ON embedding_models (serves) WHERE serves;
COMMENT ON COLUMN embedding_models.serves IS 'Whether search works with it: one at most, the first that came until another is complete';
UPDATE embedding_models SET serves = true
WHERE model_id = (SELECT max(model_id) FROM embedding_models);
