-- A small collection beside a large one is found without reading through the large one.

CREATE INDEX lexical_by_collection ON lexical (collection_id);
