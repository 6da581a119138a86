-- The terms of a passage stand in its weights: written twice they made a third of the index of words.

CREATE FUNCTION terms_of(weights sparsevec) RETURNS int[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(weights::text, ':[^,}]+|/.*$', '', 'g')::int[];
COMMENT ON FUNCTION terms_of IS 'Ids of the terms that have a weight; the weights are dropped before they are read as numbers';

DROP INDEX lexical_by_term;
ALTER TABLE lexical DROP COLUMN terms;
CREATE INDEX lexical_by_term ON lexical USING gin (terms_of(weights)) WITH (fastupdate = off);
