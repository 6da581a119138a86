-- A filter by kind is followed from the kind, not found by reading through all documents.

CREATE INDEX documents_by_kind ON documents (kind, document_id);
