-- linked_messages --
SELECT document_id, message_id, ancestors, topic, orphan, thread FROM documents
WHERE document_id = ANY(%(document_ids)s::bigint[]);

-- link_messages --
-- What a mail says of its links; its thread follows from them.
UPDATE documents SET message_id = given.message_id, topic = given.topic, orphan = given.orphan,
    ancestors = ARRAY(SELECT jsonb_array_elements_text(given.ancestors)), thread = NULL
FROM unnest(%(document_ids)s::bigint[], %(message_ids)s::text[], %(ancestors)s::jsonb[],
    %(topics)s::text[], %(orphans)s::boolean[])
    AS given (document_id, message_id, ancestors, topic, orphan)
WHERE documents.document_id = given.document_id;

-- orphaned_threads --
-- Threads that new mails may change: of orphans that one of them may be the elder of.
SELECT DISTINCT d.thread FROM documents AS e JOIN documents AS d ON d.orphan AND d.topic = e.topic
    AND e.modified_at < d.modified_at AND e.modified_at > d.modified_at - interval '92 days'
    AND (e.recipients || e.sender) && (d.recipients || d.sender)
WHERE e.document_id = ANY(%(document_ids)s::bigint[]) AND d.thread IS NOT NULL;

-- messages_of_threads --
-- The elder of an orphan is the latest mail on its topic in the three months before it that has an
-- address in common with it.
SELECT d.document_id, d.message_id, d.ancestors, elder.message_id AS elder
FROM documents AS d LEFT JOIN LATERAL (
    SELECT e.message_id FROM documents AS e
    WHERE d.orphan AND e.topic = d.topic
        AND e.modified_at < d.modified_at AND e.modified_at > d.modified_at - interval '92 days'
        AND (e.recipients || e.sender) && (d.recipients || d.sender)
    ORDER BY e.modified_at DESC, e.message_id LIMIT 1
) AS elder ON true
WHERE d.message_id IS NOT NULL
    AND (d.document_id = ANY(%(document_ids)s::bigint[]) OR d.thread = ANY(%(threads)s::text[]));

-- dissolve_threads --
DELETE FROM mail_threads WHERE thread = ANY(%(threads)s::text[]);

-- join_thread --
-- Nodes that hang together become one thread with all that they touch, under the least name.
WITH met AS MATERIALIZED (
    SELECT DISTINCT thread FROM mail_threads WHERE node = ANY(%(nodes)s::text[])
),
label AS MATERIALIZED (
    SELECT min(thread) AS thread
    FROM (TABLE met UNION ALL SELECT unnest(%(nodes)s::text[])) AS named (thread)
),
-- Named apart: of a thread that keeps its name no mail is looked at, however many it has.
given_up AS MATERIALIZED (
    SELECT thread FROM met WHERE thread <> (SELECT thread FROM label)
),
renamed AS (
    UPDATE mail_threads SET thread = label.thread FROM label
    WHERE mail_threads.thread IN (TABLE given_up)
),
carried AS (
    UPDATE documents SET thread = label.thread FROM label
    WHERE documents.thread IN (TABLE given_up) AND document_id <> ALL(%(document_ids)s::bigint[])
),
added AS (
    INSERT INTO mail_threads (node, thread)
    SELECT given.node, label.thread FROM label, unnest(%(nodes)s::text[]) AS given (node)
    ON CONFLICT (node) DO NOTHING
)
UPDATE documents SET thread = label.thread FROM label
WHERE document_id = ANY(%(document_ids)s::bigint[]) AND documents.thread IS DISTINCT FROM label.thread;

-- thread_documents --
-- The parent of a mail is the nearest of its ancestors that is stored; of several copies the first.
SELECT d.document_id, name AS collection, d.uri, title, kind, language, d.modified_at, author, thread,
    d.origins AS document_origins, d.audience AS document_audience, parent.document_id AS parent_id
FROM documents AS d JOIN sources USING (source_id) JOIN collections USING (collection_id)
LEFT JOIN LATERAL (
    SELECT p.document_id
    FROM unnest(d.ancestors) WITH ORDINALITY AS named (message_id, rank)
    JOIN documents AS p USING (message_id)
    ORDER BY rank DESC, p.modified_at, p.document_id LIMIT 1
) AS parent ON true
WHERE d.thread = %(thread)s
ORDER BY d.modified_at, d.document_id;
