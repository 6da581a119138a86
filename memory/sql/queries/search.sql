-- matching_document --
-- What a filter asks of the document `d`.
(%(kinds)s::text[] IS NULL OR d.kind = ANY(%(kinds)s))
AND (%(uri_prefix)s::text IS NULL OR d.uri ^@ %(uri_prefix)s)
AND (%(source_uris)s::text[] IS NULL
    OR d.source_id IN (SELECT source_id FROM sources WHERE uri = ANY(%(source_uris)s)))
AND (%(sender)s::text IS NULL OR strpos(lower(d.author), lower(%(sender)s)) > 0)
AND (%(thread)s::text IS NULL OR d.thread = %(thread)s)
AND (%(since)s::timestamptz IS NULL OR d.modified_at >= %(since)s)
AND (%(until)s::timestamptz IS NULL OR d.modified_at < %(until)s)
AND (%(document_ids)s::bigint[] IS NULL OR d.document_id = ANY(%(document_ids)s));

-- no_vectors --
-- Stands for the table of a model that has no vectors yet.
(SELECT NULL::bigint AS chunk_id, NULL::bigint AS document_id, NULL::int AS collection_id,
    NULL::halfvec AS embedding LIMIT 0);

-- search --
-- The best by words and the best by meaning, both scores of all of them, and the passages
-- themselves, in one round trip.
WITH scope AS MATERIALIZED (
    SELECT array_agg(collection_id) AS ids FROM collections
    WHERE %(collections)s::text[] IS NULL OR name = ANY(%(collections)s)
),
languages AS MATERIALIZED (
    SELECT configuration, sum(chunks) AS chunks FROM lexicon
    WHERE collection_id = ANY((SELECT ids FROM scope)::int[]) AND chunks > 0
    GROUP BY configuration
),
size AS MATERIALIZED (
    SELECT sum(chunks) AS whole, (SELECT sum(chunks) FROM languages) AS scope FROM lexicon
),
words AS MATERIALIZED (
    SELECT unnest(tsvector_to_array(to_tsvector('simple', %(words)s::text))) AS word
),
-- The words as each language stems them. `simple` knows no stop words: there a word is left out
-- that is one in English or in another language of these collections.
stems AS MATERIALIZED (
    SELECT word, configuration, stem.lexeme, term_id, coalesce(df, 0) AS df
    FROM words CROSS JOIN languages
    CROSS JOIN unnest(tsvector_to_array(to_tsvector(configuration::regconfig, word))) AS stem (lexeme)
    -- One look into the index for each, however small the table seems to the planner.
    LEFT JOIN LATERAL (
        SELECT term_id, df FROM terms
        WHERE terms.configuration = languages.configuration AND terms.lexeme = stem.lexeme LIMIT 1
    ) AS known ON true
    WHERE configuration <> 'simple' OR NOT EXISTS (
        SELECT FROM (SELECT configuration FROM languages UNION SELECT 'english') AS other
        WHERE other.configuration <> 'simple'
            AND length(to_tsvector(other.configuration::regconfig, word)) = 0
    )
),
-- A word that no language knows says nothing; one that only another knows counts as missing.
asked AS MATERIALIZED (
    SELECT DISTINCT configuration, lexeme, term_id, df,
        ln(1 + ((SELECT whole FROM size) - df + 0.5) / (df + 0.5))::float8 AS idf
    FROM stems
    WHERE word IN (SELECT word FROM stems WHERE term_id IS NOT NULL)
),
weighed AS MATERIALIZED (
    SELECT configuration, term_id, df, idf / best AS weight,
        row_number() OVER (PARTITION BY configuration ORDER BY df, term_id) AS rank
    FROM (SELECT *, sum(idf) OVER (PARTITION BY configuration) AS best FROM asked) AS asked
    WHERE term_id IS NOT NULL
),
-- How many words the question has. In its own language it has the fewest: there its stop words are
-- left out.
strength AS MATERIALIZED (
    SELECT coalesce(min(number), 0) AS words FROM (
        SELECT count(*) AS number FROM asked GROUP BY configuration
    ) AS by_language
),
question AS MATERIALIZED (
    SELECT ('{{' || string_agg(term_id || ':' || weight::real, ',') || '}}/1000000000')::sparsevec AS weights
    FROM weighed
),
-- What a candidate has to hold: one of the rarest words, or two that are not so rare. A passage with
-- a single common word cannot come near the best; one with two of them can. Words that are asked for
-- together stand together more often than by chance.
holdings AS (
    SELECT configuration, ARRAY[term_id] AS held, df::bigint AS size
    FROM weighed WHERE rank <= %(words_paired)s::bigint
    UNION ALL
    SELECT configuration, ARRAY[one.term_id, other.term_id],
        least(one.df, other.df, 4 * one.df::bigint * other.df / (SELECT whole FROM size))::bigint
    FROM weighed AS one JOIN weighed AS other USING (configuration)
    WHERE one.rank < other.rank AND other.rank <= %(words_paired)s::bigint
),
-- As many as the budget affords, the smallest first, and that one in any case.
afforded AS (
    SELECT configuration, held FROM (
        SELECT *, sum(size) OVER w AS reached, row_number() OVER w AS place FROM holdings
        WINDOW w AS (PARTITION BY configuration ORDER BY size, held)
    ) AS priced
    WHERE place = 1 OR reached <= %(budget)s::bigint
),
keys AS MATERIALIZED (
    SELECT held FROM afforded
    WHERE NOT EXISTS (
        SELECT FROM afforded AS single
        WHERE cardinality(single.held) < cardinality(afforded.held) AND single.held <@ afforded.held
    )
),
route AS MATERIALIZED (
    SELECT %(narrowed)s::bool OR (scope < whole AND scope <= %(exact_limit)s::bigint) AS counted FROM size
),
kept AS MATERIALIZED (
    SELECT chunk_id FROM (
        SELECT chunk_id FROM unnest((SELECT ids FROM scope)::int[]) AS one (id) CROSS JOIN LATERAL (
            SELECT chunk_id FROM lexical
            WHERE (SELECT counted FROM route) AND NOT %(narrowed)s::bool AND collection_id = one.id
            ORDER BY chunk_id LIMIT %(exact_limit)s::bigint + 1
        ) AS its_own
        UNION ALL
        SELECT l.chunk_id FROM documents AS d JOIN lexical AS l USING (document_id)
        WHERE (SELECT counted FROM route) AND %(narrowed)s::bool
            AND l.collection_id = ANY((SELECT ids FROM scope)::int[])
            AND {matching}
    ) AS left_over
    LIMIT %(exact_limit)s::bigint + 1
),
exact AS MATERIALIZED (
    SELECT counted AND (SELECT count(*) FROM kept) <= %(exact_limit)s::bigint AS yes FROM route
),
lexical_leg AS MATERIALIZED (
    SELECT chunk_id FROM (
        (SELECT l.chunk_id, l.weights <#> (SELECT weights FROM question) AS distance
        FROM kept JOIN lexical AS l USING (chunk_id)
        WHERE (SELECT yes FROM exact) AND (SELECT weights FROM question) IS NOT NULL
        ORDER BY distance LIMIT %(depth)s::bigint)
        UNION ALL
        -- Sorted first: then the filter looks at no more of them than it lets through.
        (SELECT chunk_id, distance FROM (
            SELECT DISTINCT chunk_id, document_id, distance
            FROM keys CROSS JOIN LATERAL (
                SELECT chunk_id, document_id, weights <#> (SELECT weights FROM question) AS distance
                FROM lexical
                WHERE NOT (SELECT yes FROM exact) AND terms_of(weights) @> held
                    AND collection_id = ANY((SELECT ids FROM scope)::int[])
                -- Also keeps the planner from reading the whole table once for all keys.
                ORDER BY distance LIMIT CASE WHEN NOT %(narrowed)s::bool THEN %(depth)s::bigint END
            ) AS holding
            ORDER BY distance
        ) AS l
        WHERE NOT %(narrowed)s::bool
            OR (SELECT {matching} FROM documents AS d WHERE d.document_id = l.document_id)
        LIMIT %(depth)s::bigint)
    ) AS leg
    WHERE distance < 0
),
vector_leg AS MATERIALIZED (
    (SELECT v.chunk_id, (v.embedding <#> %(vector)s::halfvec) + 0 AS distance
    FROM kept JOIN {vectors} AS v USING (chunk_id)
    WHERE (SELECT yes FROM exact) AND v.embedding IS NOT NULL
    ORDER BY distance LIMIT %(depth)s::bigint)
    UNION ALL
    (SELECT v.chunk_id, v.embedding <#> %(vector)s::halfvec FROM {vectors} AS v
    WHERE NOT (SELECT yes FROM exact) AND %(vector)s::halfvec IS NOT NULL AND v.embedding IS NOT NULL
        AND v.collection_id = ANY((SELECT ids FROM scope)::int[])
        AND (NOT %(narrowed)s::bool
            OR (SELECT {matching} FROM documents AS d WHERE d.document_id = v.document_id))
    ORDER BY v.embedding <#> %(vector)s::halfvec LIMIT %(depth)s::bigint)
),
-- The walk through the approximate index may end far from the nearest passages, since questions lie
-- elsewhere than texts. A passage that the words found and that it should have met tells so. A second
-- walk looks for the middle of that passage and the question: it comes to the passage, and to those
-- of its neighbours that are on the question's side.
missed AS MATERIALIZED (
    SELECT v.embedding FROM lexical_leg JOIN {vectors} AS v USING (chunk_id)
    WHERE NOT (SELECT yes FROM exact)
        AND v.embedding <#> %(vector)s::halfvec < (SELECT max(distance) FROM vector_leg)
        AND NOT EXISTS (SELECT FROM vector_leg WHERE vector_leg.chunk_id = v.chunk_id)
    ORDER BY (v.embedding <#> %(vector)s::halfvec) + 0 LIMIT 1
),
second_leg AS MATERIALIZED (
    SELECT v.chunk_id FROM {vectors} AS v
    WHERE EXISTS (SELECT FROM missed) AND v.embedding IS NOT NULL
        AND v.collection_id = ANY((SELECT ids FROM scope)::int[])
        AND (NOT %(narrowed)s::bool
            OR (SELECT {matching} FROM documents AS d WHERE d.document_id = v.document_id))
    ORDER BY v.embedding <#> (SELECT embedding + %(vector)s::halfvec FROM missed) LIMIT %(depth)s::bigint
),
found AS MATERIALIZED (
    TABLE lexical_leg UNION SELECT chunk_id FROM vector_leg UNION TABLE second_leg
),
scored AS (
    SELECT chunk_id, l.document_id, text_key, coalesce(-(l.weights <#> (SELECT weights FROM question)), 0) AS lexical,
        -(v.embedding <#> %(vector)s::halfvec) AS cosine
    FROM found JOIN lexical AS l USING (chunk_id) LEFT JOIN {vectors} AS v USING (chunk_id)
),
-- Evidence adds up. A passage without a vector yet is taken to be as near as the others on average.
ranked AS (
    SELECT *, coalesce(greatest(cosine, 0), avg(greatest(cosine, 0)) OVER (), 0)
        + %(word_weight)s::float8 * (SELECT words FROM strength) * lexical AS evidence
    FROM scored
),
-- Of passages with the same text the best one stands for all, or for those of its document.
distinct_texts AS (
    SELECT DISTINCT ON (text_key, owner) * FROM (
        SELECT *, CASE WHEN NOT %(fold)s::bool THEN document_id END AS owner FROM ranked
    ) AS owned
    ORDER BY text_key, owner, evidence DESC, chunk_id
),
best AS (
    SELECT * FROM (
        SELECT *, row_number() OVER (PARTITION BY document_id ORDER BY evidence DESC, chunk_id) AS place_in_document
        FROM distinct_texts
    ) AS placed
    WHERE %(per_document)s::bigint IS NULL OR place_in_document <= %(per_document)s::bigint
    ORDER BY evidence DESC, chunk_id LIMIT 2 * %(k)s::bigint
),
-- What a mail quotes gives way to the mail that it is from.
weighed_best AS (
    SELECT best.*, evidence * CASE WHEN quoted THEN %(quoted_weight)s::float8 ELSE 1 END AS score
    FROM best JOIN chunks USING (chunk_id)
    ORDER BY score DESC, chunk_id LIMIT %(k)s::bigint
)
SELECT score, lexical, cosine, (SELECT yes FROM exact) AS exact, (SELECT count(*) FROM found) AS found,
    (SELECT name FROM embedding_models WHERE serves) AS serving,
    chunk_id, ordinal, text, context, place, spans, c.origins, c.audience, c.quoted,
    d.document_id, name AS collection, d.uri, title, kind, language, modified_at, author, thread,
    d.origins AS document_origins, d.audience AS document_audience
FROM weighed_best AS best JOIN chunks AS c USING (chunk_id)
JOIN documents AS d ON d.document_id = best.document_id
JOIN sources USING (source_id)
JOIN collections USING (collection_id)
ORDER BY score DESC, chunk_id;
