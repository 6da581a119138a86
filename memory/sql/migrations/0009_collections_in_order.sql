-- In the order of passages: then the planner walks the index as far as it has to, whatever it
-- believes about the size of a collection.

DROP INDEX lexical_by_collection;
CREATE INDEX lexical_by_collection ON lexical (collection_id, chunk_id);
