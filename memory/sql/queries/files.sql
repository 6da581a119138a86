-- known_files --
SELECT uri, stamp, digest, reader, reason, many FROM files WHERE source_id = %(source_id)s;

-- overtaken_documents --
-- What stands in memory of files, but not any more in them: the document of one that cannot be read
-- or now holds many; documents within one that is now a document itself. '$' follows upon '#'.
SELECT document_id, documents.uri
FROM unnest(%(uris)s::text[], %(whole)s::boolean[], %(many)s::boolean[]) AS file (uri, whole, many)
JOIN documents ON source_id = %(source_id)s AND documents.uri = file.uri
WHERE NOT whole
UNION ALL
SELECT document_id, documents.uri
FROM unnest(%(uris)s::text[], %(whole)s::boolean[], %(many)s::boolean[]) AS file (uri, whole, many)
JOIN documents ON source_id = %(source_id)s
    AND documents.uri > file.uri || '#' AND documents.uri < file.uri || '$'
WHERE NOT many;

-- record_files --
INSERT INTO files (source_id, uri, stamp, digest, reader, reason, many)
SELECT %(source_id)s, uri, stamp, digest, reader, reason, many
FROM unnest(%(uris)s::text[], %(stamps)s::text[], %(digests)s::bytea[], %(readers)s::text[],
    %(reasons)s::text[], %(many)s::boolean[])
    AS given (uri, stamp, digest, reader, reason, many)
ORDER BY uri
ON CONFLICT (source_id, uri) DO UPDATE SET stamp = excluded.stamp, digest = excluded.digest,
    reader = excluded.reader, reason = excluded.reason, many = excluded.many;

-- member_documents --
-- A page of the documents within a file, by uri.
SELECT uri FROM documents
WHERE source_id = %(source_id)s AND uri > %(after)s AND uri < %(file)s || '$'
ORDER BY uri LIMIT %(limit)s;

-- documents_of_files --
-- Some of the documents of files, and of those within them.
SELECT document_id FROM (
    SELECT document_id FROM unnest(%(uris)s::text[]) AS file (uri)
    JOIN documents ON source_id = %(source_id)s AND documents.uri = file.uri
    UNION ALL
    SELECT document_id FROM unnest(%(uris)s::text[]) AS file (uri)
    JOIN documents ON source_id = %(source_id)s
        AND documents.uri > file.uri || '#' AND documents.uri < file.uri || '$'
) AS held
LIMIT %(limit)s;

-- forget_files --
DELETE FROM files USING unnest(%(uris)s::text[]) AS file (uri)
WHERE source_id = %(source_id)s
    AND (files.uri = file.uri OR files.uri > file.uri || '#' AND files.uri < file.uri || '$');

-- move_files --
-- Give documents the uris that their files have now, also in another source of the same collection.
-- What somebody else has read at the new place in the meantime stays.
WITH given AS (
    SELECT * FROM unnest(%(sources)s::bigint[], %(olds)s::text[], %(old_names)s::text[],
        %(news)s::text[], %(new_names)s::text[], %(stamps)s::text[])
        AS given (source, old, old_name, new, new_name, stamp)
),
free AS MATERIALIZED (
    SELECT * FROM given
    WHERE NOT EXISTS (
        SELECT FROM files WHERE files.source_id = %(source_id)s AND files.uri = given.new
    )
),
held AS MATERIALIZED (
    SELECT document_id, free.* FROM free
    JOIN documents ON documents.source_id = source AND documents.uri = old
    UNION ALL
    SELECT document_id, free.* FROM free
    JOIN documents ON documents.source_id = source
        AND documents.uri > old || '#' AND documents.uri < old || '$'
),
renamed AS (
    UPDATE documents SET source_id = %(source_id)s,
        uri = new || substr(documents.uri, length(old) + 1),
        title = CASE WHEN title = old_name THEN new_name ELSE title END
    FROM held WHERE documents.document_id = held.document_id
),
within AS (
    UPDATE files SET source_id = %(source_id)s, uri = new || substr(files.uri, length(old) + 1)
    FROM free
    WHERE files.source_id = source AND files.uri > old || '#' AND files.uri < old || '$'
)
UPDATE files SET source_id = %(source_id)s, uri = new, stamp = free.stamp
FROM free WHERE files.source_id = source AND files.uri = old
RETURNING files.uri;
