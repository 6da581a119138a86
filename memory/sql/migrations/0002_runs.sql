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
    status text NOT NULL CHECK (status IN ('accepted', 'running', 'waiting', 'done', 'failed', 'cancelled')),
    token bigint,
    parent_id uuid REFERENCES runs ON DELETE SET NULL,
    input jsonb NOT NULL,
    context jsonb NOT NULL,
    error text,
    prompt_tokens bigint NOT NULL DEFAULT 0,
    answer_tokens bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz
);
CREATE INDEX runs_by_thread ON runs (thread_id, created_at DESC);
CREATE INDEX runs_by_time ON runs (created_at DESC);
COMMENT ON COLUMN runs.token IS 'Fence token under which it is or was last run';

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
