-- The tables of a new database. Whoever changes them adds a file to migrations/ for old databases
-- and writes here what that leads to; a test compares both.

-- Documents and their passages, the lexicon that ranks them by their words, and the models whose
-- vectors rank them by their meaning.

CREATE TEXT SEARCH CONFIGURATION code (COPY = english);
COMMENT ON TEXT SEARCH CONFIGURATION code IS 'Words of source code, stemmed as English is';

CREATE TABLE collections (
    collection_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);

CREATE TABLE sources (
    source_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection_id int NOT NULL REFERENCES collections,
    uri text NOT NULL,
    UNIQUE (collection_id, uri)
);
COMMENT ON TABLE sources IS 'What is ingested as a whole: a folder, a mailbox, a repository';

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

CREATE TABLE documents (
    document_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id bigint NOT NULL REFERENCES sources ON DELETE CASCADE,
    uri text COLLATE "C" NOT NULL,
    title text NOT NULL,
    kind text NOT NULL,
    media_type text NOT NULL,
    content_hash bytea NOT NULL,
    reader text NOT NULL,
    language text NOT NULL,
    configuration text NOT NULL,
    modified_at timestamptz,
    origins text[] NOT NULL,
    audience text[] NOT NULL,
    flaws text[] NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    author text NOT NULL DEFAULT '',
    sender text,
    recipients text[] NOT NULL DEFAULT '{}',
    message_id text COLLATE "C",
    ancestors text[] NOT NULL DEFAULT '{}',
    topic text COLLATE "C",
    orphan boolean NOT NULL DEFAULT false,
    thread text COLLATE "C",
    UNIQUE (source_id, uri)
);
CREATE INDEX documents_by_uri ON documents (uri);
CREATE INDEX documents_by_sender ON documents (sender, modified_at) WHERE sender IS NOT NULL;
CREATE INDEX documents_by_recipient ON documents USING gin (recipients);
CREATE INDEX documents_by_time ON documents (modified_at);
CREATE INDEX documents_by_message ON documents (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX documents_by_thread ON documents (thread, modified_at) WHERE thread IS NOT NULL;
CREATE INDEX documents_by_topic ON documents (topic, modified_at) WHERE topic IS NOT NULL;
CREATE INDEX documents_by_kind ON documents (kind, document_id);
CREATE INDEX documents_orphaned ON documents (topic) WHERE orphan;
COMMENT ON COLUMN documents.configuration IS 'Text search configuration that its words went through';
COMMENT ON COLUMN documents.author IS 'Who wrote it, as the content says: of a mail the name and address of its sender';
COMMENT ON COLUMN documents.sender IS 'Address alone of who sent a mail, in lower case';
COMMENT ON COLUMN documents.recipients IS 'Addresses alone of those whom a mail was sent to, in lower case';
COMMENT ON COLUMN documents.message_id IS 'Message-ID of a mail, without its brackets';
COMMENT ON COLUMN documents.ancestors IS 'Message-IDs of the mails that it goes back to, that of its parent last';
COMMENT ON COLUMN documents.topic IS 'Subject of a mail without prefixes and tags';
COMMENT ON COLUMN documents.orphan IS 'A reply by its subject that names no ancestor: its thread is found by topic';
COMMENT ON COLUMN documents.thread IS 'Names the thread of a mail: the same for all its mails, whatever order they came in';

CREATE TABLE mail_threads (
    node text COLLATE "C" PRIMARY KEY,
    thread text COLLATE "C" NOT NULL
);
CREATE INDEX mail_threads_by_thread ON mail_threads (thread);
COMMENT ON TABLE mail_threads IS
    'Each Message-ID that a mail has or names, by its digest: those of one thread hang together';
COMMENT ON COLUMN mail_threads.thread IS 'The least of its nodes, so that no order of arrival matters';

CREATE TABLE memories (
    document_id bigint PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
    namespace text[] COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value jsonb NOT NULL,
    source text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    ttl_minutes double precision,
    expires_at timestamptz,
    UNIQUE (namespace, key)
);
CREATE INDEX memories_expiring ON memories (expires_at) WHERE expires_at IS NOT NULL;
COMMENT ON TABLE memories IS 'Items of the store that graphs are handed; where their words came from stands with the document';
COMMENT ON COLUMN memories.source IS 'What put it there, such as run:ID; null where nobody said';
COMMENT ON COLUMN memories.ttl_minutes IS 'Time to live from the last reading on; null: for ever';

CREATE TABLE chunks (
    chunk_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_id bigint NOT NULL REFERENCES documents ON DELETE CASCADE,
    ordinal int NOT NULL,
    text text NOT NULL,
    context text NOT NULL,
    content_key bytea NOT NULL,
    place jsonb NOT NULL,
    spans jsonb NOT NULL,
    origins text[] NOT NULL,
    audience text[] NOT NULL,
    quoted boolean NOT NULL DEFAULT false,
    UNIQUE (document_id, ordinal) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX chunks_by_content ON chunks (content_key);
COMMENT ON COLUMN chunks.content_key IS 'Digest of context and text: equal passages share one embedding';
COMMENT ON COLUMN chunks.quoted IS 'It repeats an earlier mail: found when nothing else says the same';

CREATE TABLE terms (
    term_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    configuration text COLLATE "C" NOT NULL,
    lexeme text COLLATE "C" NOT NULL,
    df int NOT NULL,
    UNIQUE (configuration, lexeme)
) WITH (fillfactor = 80);
COMMENT ON TABLE terms IS 'Each language has its own terms, so that a word common in one can be rare in another';
COMMENT ON COLUMN terms.df IS 'Number of passages that hold the term; a term of none has no row';

CREATE TABLE lexicon (
    collection_id int NOT NULL REFERENCES collections,
    configuration text COLLATE "C" NOT NULL,
    chunks bigint NOT NULL,
    PRIMARY KEY (collection_id, configuration)
) WITH (fillfactor = 50);
COMMENT ON TABLE lexicon IS 'Number of indexed passages by collection and language; the sum is the N of BM25';

CREATE FUNCTION terms_of(weights sparsevec) RETURNS int[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(weights::text, ':[^,}]+|/.*$', '', 'g')::int[];
COMMENT ON FUNCTION terms_of IS 'Ids of the terms that have a weight; the weights are dropped before they are read as numbers';

-- Without ON DELETE CASCADE on purpose: whoever deletes a passage has to take it out of the lexicon
-- first, which corrects the frequencies, or Postgres refuses.
CREATE TABLE lexical (
    chunk_id bigint PRIMARY KEY REFERENCES chunks,
    document_id bigint NOT NULL,
    collection_id int NOT NULL,
    text_key bigint NOT NULL,
    weights sparsevec(1000000000) NOT NULL
) WITH (toast_tuple_target = 8160);
-- A list of pending entries would be read through by every search.
CREATE INDEX lexical_by_term ON lexical USING gin (terms_of(weights)) WITH (fastupdate = off);
CREATE INDEX lexical_by_document ON lexical (document_id) INCLUDE (chunk_id);
CREATE INDEX lexical_by_collection ON lexical (collection_id, chunk_id);
COMMENT ON COLUMN lexical.text_key IS 'Digest of the text alone: passages with the same one are shown once';
COMMENT ON COLUMN lexical.weights IS
    'By term: tf / (tf + k1 (1 - b + b length / mean length)), so that a score is one inner product';

CREATE TABLE embedding_models (
    model_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    dimensions int NOT NULL,
    serves boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX embedding_models_serving ON embedding_models (serves) WHERE serves;
COMMENT ON TABLE embedding_models IS 'Each has a table vectors_ID, made when its first vectors come';
COMMENT ON COLUMN embedding_models.serves IS 'Whether search works with it: one at most, the first that came until another is complete';

-- Runs of graphs, the steps they took, who may work on a thread, the acts that were done once,
-- and the bodies of what graph state only refers to.

CREATE TABLE threads (
    thread_id text PRIMARY KEY,
    token bigint NOT NULL,
    holder text,
    lease_until timestamptz
);
COMMENT ON TABLE threads IS 'One row a thread that was ever run: the fence that lets one runner write at a time';
COMMENT ON COLUMN threads.token IS 'Rises whenever a runner takes the thread; a write with a lower one is refused';
COMMENT ON COLUMN threads.holder IS 'Host, process and its start, of the runner; null when nobody works on it';

CREATE TABLE runs (
    run_id uuid PRIMARY KEY,
    thread_id text NOT NULL,
    graph text NOT NULL,
    status text NOT NULL CHECK (status IN ('accepted', 'running', 'waiting', 'paused', 'done', 'failed', 'cancelled')),
    token bigint,
    parent_id uuid REFERENCES runs ON DELETE SET NULL,
    input jsonb NOT NULL,
    context jsonb NOT NULL,
    error text,
    prompt_tokens bigint NOT NULL DEFAULT 0,
    answer_tokens bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    ended_by text,
    cancel_asked_at timestamptz
);
CREATE INDEX runs_by_thread ON runs (thread_id, created_at DESC);
CREATE INDEX runs_by_time ON runs (created_at DESC);
COMMENT ON COLUMN runs.token IS 'Fence token under which it is or was last run';
COMMENT ON COLUMN runs.ended_by IS 'The budget that ended the run before its own end, in words';
COMMENT ON COLUMN runs.cancel_asked_at IS 'When a person told it to end; its runner does that at its next look';

CREATE TABLE run_steps (
    step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    node text NOT NULL,
    task_id text NOT NULL,
    started_at timestamptz NOT NULL,
    seconds double precision NOT NULL,
    error text
);
CREATE INDEX run_steps_by_run ON run_steps (run_id, step_id);

CREATE TABLE effects (
    key text PRIMARY KEY,
    run_id uuid NOT NULL,
    thread_id text NOT NULL,
    token bigint NOT NULL,
    tool text NOT NULL,
    target text NOT NULL,
    arguments jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('intended', 'done', 'refused', 'unknown')),
    receipt text,
    origins text[] NOT NULL,
    audience text[] NOT NULL,
    intended_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX effects_by_run ON effects (run_id);
COMMENT ON TABLE effects IS 'Ledger of acts: written before the act, so that none is done twice';

CREATE TABLE artifacts (
    artifact_id uuid PRIMARY KEY,
    thread_id text NOT NULL,
    run_id uuid NOT NULL,
    kind text NOT NULL,
    body jsonb NOT NULL,
    origins text[] NOT NULL,
    audience text[] NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX artifacts_by_thread ON artifacts (thread_id, created_at);
COMMENT ON TABLE artifacts IS 'Bodies that graph state refers to: transcripts, sightings, results of tools';

CREATE FUNCTION hold_fence(wanted_thread text, wanted_token bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM threads WHERE thread_id = wanted_thread AND token = wanted_token FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another runner has taken thread %', wanted_thread USING ERRCODE = 'CT001';
    END IF;
END
$$;
COMMENT ON FUNCTION hold_fence IS 'Refuses the transaction unless the token is the newest; keeps it so until commit';

-- Who had the card when: copies of what the arbiters of cards write into files.

CREATE TABLE card_traces (
    trace_id uuid PRIMARY KEY,
    card text NOT NULL,
    epoch int NOT NULL,
    host text NOT NULL,
    began_at timestamptz NOT NULL,
    head jsonb,
    copied_bytes bigint NOT NULL DEFAULT 0,
    copied_lines int NOT NULL DEFAULT 0,
    ended_n int,
    cut_line int,
    lost text,
    closed boolean NOT NULL DEFAULT false,
    last_at timestamptz NOT NULL
);
CREATE INDEX card_traces_by_card ON card_traces (card, began_at);
COMMENT ON TABLE card_traces IS 'Traces of the arbiters of cards, a life of one each';
COMMENT ON COLUMN card_traces.trace_id IS 'Digest of the first line, which no two traces share';
COMMENT ON COLUMN card_traces.head IS 'First line; null where nothing of the trace was there to be copied';
COMMENT ON COLUMN card_traces.copied_bytes IS 'How far its file is copied, the first line included';
COMMENT ON COLUMN card_traces.ended_n IS 'Transitions that its last line tells of; null where it has no end';
COMMENT ON COLUMN card_traces.cut_line IS 'The last line, if it was not written whole';
COMMENT ON COLUMN card_traces.lost IS 'Why the rest of it is not here and will not come';
COMMENT ON COLUMN card_traces.closed IS 'Nothing more of it will come';
COMMENT ON COLUMN card_traces.last_at IS 'When the last transition that is here happened';

CREATE TABLE card_events (
    trace_id uuid NOT NULL REFERENCES card_traces ON DELETE CASCADE,
    n int NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    holder text,
    lease bigint,
    line jsonb NOT NULL,
    PRIMARY KEY (trace_id, n)
);
COMMENT ON TABLE card_events IS 'Transitions, each with the bytes before and after';
COMMENT ON COLUMN card_events.line IS 'The whole line, as agent/residency/trace.py tells it';
