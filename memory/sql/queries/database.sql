-- databases --
SELECT datname FROM pg_database;

-- name_database --
-- initdb has made this one, and making another takes longer than all the rest of the start.
ALTER DATABASE postgres RENAME TO cortical;

-- create_database --
CREATE DATABASE cortical;

-- server_versions --
SELECT
    current_setting('server_version_num')::int AS server,
    (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS pgvector;

-- load_pgvector --
-- Before its library is loaded, Postgres takes any word for a value of `hnsw.` settings.
SELECT '[1]'::vector;

-- setting --
SELECT current_setting(%(name)s, true) AS value;

-- try_migration_lock --
-- Asked for again and again instead of waited for: a statement that waits holds a snapshot, and
-- CREATE INDEX CONCURRENTLY under the lock would wait for that snapshot for ever.
SELECT pg_try_advisory_lock(%(key)s) AS locked;

-- release_migration_lock --
SELECT pg_advisory_unlock(%(key)s);

-- create_vector --
CREATE EXTENSION IF NOT EXISTS vector;

-- migrations_known --
SELECT to_regclass('cortical_migrations') IS NOT NULL AS known;

-- create_migrations --
CREATE TABLE cortical_migrations (
    number int PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- applied_migrations --
SELECT number, name, sha256 FROM cortical_migrations ORDER BY number;

-- record_migration --
INSERT INTO cortical_migrations (number, name, sha256)
VALUES (%(number)s, %(name)s, %(sha256)s);
