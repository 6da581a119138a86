-- What ingestion knows of each file, so that one that has not changed costs a look at its state.

CREATE TABLE files (
    source_id bigint NOT NULL REFERENCES sources ON DELETE CASCADE,
    uri text COLLATE "C" NOT NULL,
    stamp text,
    digest bytea NOT NULL,
    reader text NOT NULL,
    reason text,
    many boolean NOT NULL,
    PRIMARY KEY (source_id, uri)
);
COMMENT ON TABLE files IS
    'Files whose documents are in memory or that cannot be read; of a file that holds many, also each that cannot';
COMMENT ON COLUMN files.stamp IS 'State of the file when it was read; what no state can equal means: read it to know whether it has changed';
COMMENT ON COLUMN files.digest IS 'SHA-256 of what was read';
COMMENT ON COLUMN files.reason IS 'Why it could not be read';
COMMENT ON COLUMN files.many IS 'Whether it holds documents rather than being one';

INSERT INTO files (source_id, uri, digest, reader, many)
SELECT source_id, documents.uri, content_hash, reader, false FROM documents JOIN sources USING (source_id)
WHERE sources.uri LIKE 'file:%';
