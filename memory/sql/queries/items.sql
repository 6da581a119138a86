-- item_columns --
-- What is read of an item `m` and its document `d`.
d.uri, document_id, namespace, key, value, source, created_at, updated_at, ttl_minutes, expires_at,
d.origins, d.audience;

-- item_alive --
(NOT %(omit_expired)s::bool OR m.expires_at IS NULL OR m.expires_at > %(now)s::timestamptz);

-- item_within --
-- A namespace and all below it. Arrays compare label by label, and no label fits in between.
(%(prefix)s::text[] IS NULL
    OR (m.namespace >= %(prefix)s::text[] AND m.namespace < %(beyond)s::text[]));

-- namespace_like --
-- Whether the labels from `offset` on are those of the path; `*` is any one label.
(cardinality(namespace) >= cardinality({path}) AND NOT EXISTS (
    SELECT FROM unnest({path}) WITH ORDINALITY AS wanted (label, position)
    WHERE label <> '*' AND namespace[position + {offset}] <> label
));

-- get_items --
SELECT {columns} FROM memories AS m JOIN documents AS d USING (document_id)
WHERE d.uri = ANY(%(uris)s::text[]) AND {alive};

-- items_of_documents --
SELECT {columns} FROM memories AS m JOIN documents AS d USING (document_id)
WHERE document_id = ANY(%(document_ids)s::bigint[]);

-- newest_items --
SELECT {columns} FROM (
    SELECT * FROM memories AS m WHERE {scope} AND document_id <> ALL(%(left_out)s::bigint[])
    ORDER BY updated_at DESC, document_id DESC LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint
) AS m JOIN documents AS d USING (document_id)
ORDER BY updated_at DESC, document_id DESC;

-- item_documents --
SELECT document_id FROM memories AS m WHERE {scope};

-- list_namespaces --
SELECT DISTINCT namespace[1:coalesce(%(max_depth)s::int, cardinality(namespace))] COLLATE "C" AS namespace
FROM (SELECT DISTINCT namespace FROM memories AS m WHERE {alive}) AS m
WHERE {matching}
ORDER BY namespace LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint;

-- refresh_items --
-- One that somebody else writes at this moment gets its time from there.
UPDATE memories SET expires_at = %(now)s::timestamptz + make_interval(secs => 60 * ttl_minutes)
WHERE document_id IN (
    SELECT document_id FROM memories AS m
    WHERE document_id = ANY(%(document_ids)s::bigint[]) AND ttl_minutes IS NOT NULL AND {alive}
    FOR UPDATE SKIP LOCKED
);

-- put_items --
INSERT INTO memories (document_id, namespace, key, value, source, created_at, updated_at,
    ttl_minutes, expires_at)
SELECT document_id, ARRAY(SELECT jsonb_array_elements_text(namespace)), key, value, source,
    %(now)s::timestamptz, %(now)s::timestamptz, ttl,
    %(now)s::timestamptz + make_interval(secs => 60 * ttl)
FROM unnest(%(document_ids)s::bigint[], %(namespaces)s::jsonb[], %(keys)s::text[],
    %(values)s::jsonb[], %(sources)s::text[], %(ttls)s::float8[])
    AS given (document_id, namespace, key, value, source, ttl)
ON CONFLICT (document_id) DO UPDATE SET value = excluded.value, source = excluded.source,
    updated_at = excluded.updated_at, ttl_minutes = excluded.ttl_minutes,
    expires_at = excluded.expires_at;

-- documents_of_items --
SELECT document_id FROM memories JOIN documents USING (document_id)
WHERE uri = ANY(%(uris)s::text[]);

-- expired_items --
SELECT document_id FROM memories WHERE expires_at <= %(now)s ORDER BY expires_at LIMIT %(limit)s;

-- known_contents --
SELECT DISTINCT content_key FROM chunks JOIN {vectors} AS v USING (chunk_id)
WHERE content_key = ANY(%(content_keys)s::bytea[]);

-- chunks_of_documents --
SELECT chunk_id FROM chunks WHERE document_id = ANY(%(document_ids)s::bigint[]);

-- value_equals --
-- The empty value of JSON stands for what is not there.
coalesce({place}, 'null'::jsonb) = {wanted}::jsonb;

-- value_differs --
coalesce({place}, 'null'::jsonb) <> {wanted}::jsonb;

-- value_is_object --
coalesce(jsonb_typeof({place}) = 'object', false);

-- value_has_length --
coalesce(CASE WHEN jsonb_typeof({place}) = 'array' THEN jsonb_array_length({place}) END = {length}::int, false);

-- number_compares --
coalesce(CASE WHEN jsonb_typeof({place}) = 'number' THEN ({place})::numeric END {sign} {wanted}::numeric, false);

-- text_compares --
coalesce(CASE WHEN jsonb_typeof({place}) = 'string' THEN {place} #>> '{{}}' END COLLATE "C" {sign} {wanted}::text, false);

-- page_of_items --
SELECT {columns} FROM memories AS m JOIN documents AS d USING (document_id)
WHERE {within} AND (%(after_key)s::text IS NULL
    OR (namespace, key) > (%(after_namespace)s::text[], %(after_key)s::text))
ORDER BY namespace, key LIMIT %(limit)s::bigint;

-- items_of_key --
SELECT {columns} FROM memories AS m JOIN documents AS d USING (document_id)
WHERE {within} AND key = %(key)s::text
ORDER BY namespace LIMIT %(limit)s::bigint;

-- count_items --
SELECT count(*) AS items FROM memories AS m WHERE {within};
