-- lock_lexicon --
-- Held by whoever changes passages, so that no two writers wait for each other's terms in a circle.
SELECT pg_advisory_xact_lock(%(key)s);

-- lock_lexicon_shared --
-- Held by whoever adds vectors: any number of them at once, but not beside a change of passages.
SELECT pg_advisory_xact_lock_shared(%(key)s);

-- add_collection --
INSERT INTO collections (name) VALUES (%(name)s) ON CONFLICT (name) DO NOTHING;

-- add_source --
INSERT INTO sources (collection_id, uri)
SELECT collection_id, %(uri)s FROM collections WHERE name = %(collection)s
ON CONFLICT (collection_id, uri) DO NOTHING;

-- get_source --
SELECT source_id FROM sources JOIN collections USING (collection_id)
WHERE name = %(collection)s AND uri = %(uri)s;

-- list_sources --
SELECT sources.uri, source_id FROM sources JOIN collections USING (collection_id)
WHERE collections.name = %(collection)s;

-- known_documents_of --
SELECT uri, document_id, content_hash, reader, configuration,
    (SELECT count(*) FROM chunks WHERE chunks.document_id = documents.document_id) AS chunks
FROM documents WHERE source_id = %(source_id)s AND uri = ANY(%(uris)s::text[]);

-- put_document --
INSERT INTO documents (source_id, uri, title, kind, media_type, content_hash, reader, language,
    configuration, modified_at, origins, audience, flaws, author, sender, recipients)
VALUES (%(source_id)s, %(uri)s, %(title)s, %(kind)s, %(media_type)s, %(content_hash)s, %(reader)s,
    %(language)s, %(configuration)s, %(modified_at)s, %(origins)s, %(audience)s, %(flaws)s,
    %(author)s, %(sender)s, %(recipients)s)
ON CONFLICT (source_id, uri) DO UPDATE SET title = excluded.title, kind = excluded.kind,
    media_type = excluded.media_type, content_hash = excluded.content_hash,
    reader = excluded.reader, language = excluded.language,
    configuration = excluded.configuration, modified_at = excluded.modified_at,
    origins = excluded.origins, audience = excluded.audience, flaws = excluded.flaws,
    author = excluded.author, sender = excluded.sender, recipients = excluded.recipients,
    stored_at = now()
RETURNING document_id;

-- chunk_keys --
SELECT chunk_id, content_key FROM chunks WHERE document_id = %(document_id)s ORDER BY ordinal;

-- update_chunks --
-- Of passages that stay only what has changed is written.
UPDATE chunks SET ordinal = given.ordinal, place = given.place, spans = given.spans,
    origins = given.origins, audience = given.audience, quoted = given.quoted
FROM (
    SELECT chunk_id, ordinal, place, spans, quoted,
        ARRAY(SELECT jsonb_array_elements_text(label -> 'origins')) AS origins,
        ARRAY(SELECT jsonb_array_elements_text(label -> 'audience')) AS audience
    FROM unnest(%(chunk_ids)s::bigint[], %(ordinals)s::int[], %(places)s::jsonb[],
        %(spans)s::jsonb[], %(labels)s::jsonb[], %(quoteds)s::boolean[])
        AS given (chunk_id, ordinal, place, spans, label, quoted)
) AS given
WHERE chunks.chunk_id = given.chunk_id
    AND (chunks.ordinal, chunks.place, chunks.spans, chunks.origins, chunks.audience, chunks.quoted)
        IS DISTINCT FROM (given.ordinal, given.place, given.spans, given.origins, given.audience,
            given.quoted);

-- tokenise --
SELECT to_tsvector(%(configuration)s::text::regconfig, words)::text AS lexemes
FROM unnest(%(words)s::text[]) WITH ORDINALITY AS given (words, line)
ORDER BY line;

-- count_terms --
WITH counted AS MATERIALIZED (
    SELECT * FROM unnest(%(lexemes)s::text[], %(frequencies)s::int[]) AS counted (lexeme, df)
),
raised AS (
    UPDATE terms SET df = terms.df + counted.df FROM counted
    WHERE terms.configuration = %(configuration)s AND terms.lexeme = counted.lexeme
    RETURNING terms.lexeme, term_id
),
added AS (
    INSERT INTO terms (configuration, lexeme, df)
    SELECT %(configuration)s, lexeme, df FROM counted
    WHERE NOT EXISTS (
        SELECT FROM terms
        WHERE terms.configuration = %(configuration)s AND terms.lexeme = counted.lexeme
    )
    RETURNING lexeme, term_id
)
TABLE raised UNION ALL TABLE added;

-- count_lexicon --
SELECT coalesce(sum(chunks), 0)::bigint AS chunks FROM lexicon;

-- reserve_chunks --
SELECT nextval(pg_get_serial_sequence('chunks', 'chunk_id')) AS chunk_id
FROM generate_series(1, %(count)s);

-- count_passages --
INSERT INTO lexicon (collection_id, configuration, chunks)
VALUES (%(collection_id)s, %(configuration)s, %(count)s)
ON CONFLICT (collection_id, configuration) DO UPDATE SET chunks = lexicon.chunks + excluded.chunks;

-- unindex_chunks --
-- Take the passages of documents out of the lexicon, but for those that stay.
WITH gone AS (
    DELETE FROM lexical
    WHERE document_id = ANY(%(document_ids)s::bigint[]) AND chunk_id <> ALL(%(kept)s::bigint[])
    RETURNING document_id, collection_id, weights
),
counted AS MATERIALIZED (
    SELECT term_id, count(*)::int AS df FROM gone, unnest(terms_of(weights)) AS term_id
    GROUP BY term_id
),
lowered AS (
    UPDATE terms SET df = terms.df - counted.df FROM counted
    WHERE terms.term_id = counted.term_id AND terms.df > counted.df
),
emptied AS (
    DELETE FROM terms USING counted WHERE terms.term_id = counted.term_id AND terms.df = counted.df
),
sized AS (
    SELECT collection_id, configuration, count(*) AS chunks
    FROM gone JOIN documents USING (document_id) GROUP BY collection_id, configuration
)
UPDATE lexicon SET chunks = lexicon.chunks - sized.chunks FROM sized
WHERE lexicon.collection_id = sized.collection_id AND lexicon.configuration = sized.configuration;

-- delete_chunks --
DELETE FROM chunks
WHERE document_id = ANY(%(document_ids)s::bigint[]) AND chunk_id <> ALL(%(kept)s::bigint[]);

-- documents_of_source --
SELECT document_id, uri FROM documents WHERE source_id = %(source_id)s ORDER BY uri;

-- delete_documents --
DELETE FROM documents WHERE document_id = ANY(%(document_ids)s::bigint[]) RETURNING thread;

-- delete_source --
DELETE FROM sources WHERE source_id = %(source_id)s;

-- source_collection --
SELECT collection_id FROM sources WHERE source_id = %(source_id)s;

-- get_chunks --
SELECT chunk_id, ordinal, text, context, place, spans, chunks.origins, chunks.audience, quoted,
    document_id, name AS collection, documents.uri, title, kind, language, modified_at, author, thread,
    documents.origins AS document_origins, documents.audience AS document_audience
FROM unnest(%(chunk_ids)s::bigint[]) WITH ORDINALITY AS wanted (chunk_id, place_in_line)
JOIN chunks USING (chunk_id)
JOIN documents USING (document_id)
JOIN sources USING (source_id)
JOIN collections USING (collection_id)
ORDER BY place_in_line;

-- get_passages --
SELECT chunk_id FROM chunks WHERE document_id = %(document_id)s ORDER BY ordinal;

-- neighbours --
SELECT near.chunk_id FROM chunks AS found JOIN chunks AS near USING (document_id)
WHERE found.chunk_id = %(chunk_id)s
    AND near.ordinal BETWEEN found.ordinal - %(before)s AND found.ordinal + %(after)s
ORDER BY near.ordinal;

-- section --
-- The passages under the heading of one, or under a heading further up, the nearest if too many.
WITH found AS (
    SELECT document_id, ordinal, place ->> 'part' AS part,
        ARRAY(SELECT jsonb_array_elements_text(place -> 'heading')) AS headings
    FROM chunks WHERE chunk_id = %(chunk_id)s
),
path AS (
    SELECT *, headings[:greatest(cardinality(headings) - %(up)s::int, 0)] AS above FROM found
),
held AS (
    SELECT near.chunk_id, near.ordinal FROM path JOIN chunks AS near USING (document_id)
    WHERE near.place ->> 'part' IS NOT DISTINCT FROM path.part
        AND (ARRAY(SELECT jsonb_array_elements_text(near.place -> 'heading')))[:cardinality(above)] = above
    ORDER BY abs(near.ordinal - path.ordinal), near.ordinal LIMIT %(limit)s
)
SELECT chunk_id FROM held ORDER BY ordinal;

-- get_documents --
SELECT document_id, name AS collection, documents.uri, title, kind, language, modified_at, author, thread,
    documents.origins AS document_origins, documents.audience AS document_audience
FROM documents JOIN sources USING (source_id) JOIN collections USING (collection_id)
WHERE name = %(collection)s AND (%(uri)s::text IS NULL OR documents.uri = %(uri)s)
ORDER BY documents.uri, document_id;

-- list_collections --
SELECT name,
    (SELECT coalesce(sum(chunks), 0)::bigint FROM lexicon
        WHERE lexicon.collection_id = collections.collection_id) AS chunks,
    (SELECT coalesce(jsonb_object_agg(kind, number), '{}') FROM (
        SELECT kind, count(*) AS number FROM documents JOIN sources USING (source_id)
        WHERE sources.collection_id = collections.collection_id GROUP BY kind
    ) AS kinds) AS documents
FROM collections
WHERE EXISTS (SELECT FROM sources WHERE sources.collection_id = collections.collection_id)
ORDER BY name;

-- list_languages --
SELECT name AS collection, language, count(*) AS documents
FROM documents JOIN sources USING (source_id) JOIN collections USING (collection_id)
GROUP BY name, language ORDER BY name, language;

-- list_models --
SELECT model_id, name, dimensions, serves FROM embedding_models ORDER BY model_id DESC;

-- get_model --
SELECT model_id, name, dimensions, serves FROM embedding_models WHERE name = %(name)s;

-- add_model --
-- The first one is what search works with.
INSERT INTO embedding_models (name, dimensions, serves)
SELECT %(name)s, %(dimensions)s, NOT EXISTS (SELECT FROM embedding_models WHERE serves)
RETURNING model_id, name, dimensions, serves;

-- unserve_models --
UPDATE embedding_models SET serves = false WHERE serves AND model_id <> %(model_id)s;

-- serve_model --
UPDATE embedding_models SET serves = true WHERE model_id = %(model_id)s;

-- set_lock_timeout --
SELECT set_config('lock_timeout', %(timeout)s, true);

-- delete_model --
DELETE FROM embedding_models WHERE model_id = %(model_id)s AND NOT serves RETURNING model_id;

-- drop_vectors --
DROP TABLE IF EXISTS {vectors};

-- create_vectors --
-- Narrow, and never out of line: a scan of all rows then reads nothing else.
CREATE TABLE {vectors} (
    chunk_id bigint PRIMARY KEY REFERENCES chunks ON DELETE CASCADE,
    document_id bigint NOT NULL,
    collection_id int NOT NULL,
    embedding halfvec({dimensions}) STORAGE PLAIN
);

-- count_vectors --
SELECT count(*) AS vectors FROM {vectors};

-- index_state --
SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass(%(index)s);

-- try_index_lock --
SELECT pg_try_advisory_lock(%(key)s, %(model)s) AS locked;

-- release_index_lock --
SELECT pg_advisory_unlock(%(key)s, %(model)s);

-- drop_index --
DROP INDEX CONCURRENTLY IF EXISTS {index};

-- lay_index_aside --
DROP INDEX IF EXISTS {index};

-- create_word_index --
-- As in schema.sql.
CREATE INDEX CONCURRENTLY lexical_by_term ON lexical USING gin (terms_of(weights)) WITH (fastupdate = off);

-- create_index --
CREATE INDEX CONCURRENTLY {index} ON {vectors} USING hnsw (embedding halfvec_ip_ops);

-- unembedded --
-- Newest first, in the stretches above and below what this pass has seen. A value is asked for, not
-- whether there is one: the planner would join all passages with all vectors for the sake of ten.
SELECT chunk_id, context, text, content_key FROM (
    (SELECT chunk_id FROM chunks
    WHERE chunk_id > %(top)s
        AND (SELECT v.chunk_id FROM {vectors} AS v WHERE v.chunk_id = chunks.chunk_id) IS NULL
    ORDER BY chunk_id DESC LIMIT %(limit)s)
    UNION ALL
    (SELECT chunk_id FROM chunks
    WHERE chunk_id < %(bottom)s
        AND (SELECT v.chunk_id FROM {vectors} AS v WHERE v.chunk_id = chunks.chunk_id) IS NULL
    ORDER BY chunk_id DESC LIMIT %(limit)s)
) AS waiting JOIN chunks USING (chunk_id)
ORDER BY chunk_id DESC LIMIT %(limit)s;

-- count_unembedded --
SELECT count(*) AS chunks FROM chunks
WHERE NOT EXISTS (SELECT FROM {vectors} AS v WHERE v.chunk_id = chunks.chunk_id);

-- count_chunks --
SELECT count(*) AS chunks FROM chunks;

-- copy_vectors --
-- Give passages the vectors of their equals elsewhere.
INSERT INTO {vectors} (chunk_id, document_id, collection_id, embedding)
SELECT DISTINCT ON (lexical.chunk_id)
    lexical.chunk_id, lexical.document_id, lexical.collection_id, v.embedding
FROM chunks
JOIN lexical USING (chunk_id)
JOIN chunks AS equal ON equal.content_key = chunks.content_key
JOIN {vectors} AS v ON v.chunk_id = equal.chunk_id
WHERE chunks.chunk_id = ANY(%(chunk_ids)s::bigint[])
ORDER BY lexical.chunk_id
ON CONFLICT (chunk_id) DO NOTHING
RETURNING chunk_id;

-- add_vectors --
-- One vector to all passages of that content which are still there.
INSERT INTO {vectors} (chunk_id, document_id, collection_id, embedding)
SELECT lexical.chunk_id, lexical.document_id, lexical.collection_id, given.embedding
FROM unnest(%(content_keys)s::bytea[], %(embeddings)s::halfvec[]) AS given (content_key, embedding)
JOIN chunks USING (content_key)
JOIN lexical USING (chunk_id)
ORDER BY lexical.chunk_id
ON CONFLICT (chunk_id) DO NOTHING;
