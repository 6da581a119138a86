-- take_thread --
-- Take the thread if nobody holds it, its lease ran out, or its holder is known to be dead.
INSERT INTO threads (thread_id, token, holder, lease_until)
VALUES (%(thread_id)s, 1, %(holder)s, now() + make_interval(secs => %(lease_s)s))
ON CONFLICT (thread_id) DO UPDATE
SET token = threads.token + 1, holder = excluded.holder, lease_until = excluded.lease_until
WHERE threads.holder IS NULL OR threads.lease_until < now() OR threads.holder = %(dead)s
RETURNING token;

-- thread_holder --
SELECT holder, lease_until, lease_until < now() AS late FROM threads WHERE thread_id = %(thread_id)s;

-- renew_thread --
UPDATE threads SET lease_until = now() + make_interval(secs => %(lease_s)s)
WHERE thread_id = %(thread_id)s AND token = %(token)s AND holder IS NOT NULL;

-- release_thread --
UPDATE threads SET holder = NULL, lease_until = NULL
WHERE thread_id = %(thread_id)s AND token = %(token)s;

-- hold_fence --
SELECT hold_fence(%(thread_id)s, %(token)s);

-- hold_fence_of_run --
SELECT hold_fence(thread_id, %(token)s) FROM runs WHERE run_id = %(run_id)s;

-- insert_run --
INSERT INTO runs (run_id, thread_id, graph, status, parent_id, input, context, created_at)
VALUES (%(run_id)s, %(thread_id)s, %(graph)s, 'accepted', %(parent_id)s, %(input)s, %(context)s, %(now)s)
ON CONFLICT (run_id) DO NOTHING;

-- move_run --
-- One statement, so that two processes cannot both make the move. Nobody goes on with a run that is
-- cancelled, so an act that it had begun is one of which nobody can know.
WITH moved AS (
    UPDATE runs SET
        status = %(status)s,
        token = coalesce(%(token)s, token),
        error = %(error)s,
        ended_by = %(ended_by)s,
        started_at = CASE WHEN %(status)s = 'running' THEN coalesce(started_at, %(now)s) ELSE started_at END,
        ended_at = CASE WHEN %(ended)s THEN %(now)s END
    WHERE run_id = %(run_id)s AND status = ANY(%(from)s)
    RETURNING run_id, status
), doubted AS (
    UPDATE effects SET state = 'unknown', ended_at = %(now)s
    FROM moved
    WHERE effects.run_id = moved.run_id AND moved.status = 'cancelled' AND effects.state = 'intended'
)
SELECT status FROM moved;

-- list_acts --
SELECT tool, target, state, intended_at, ended_at FROM effects WHERE run_id = %(run_id)s ORDER BY intended_at, key;

-- ask_to_cancel --
UPDATE runs SET cancel_asked_at = coalesce(cancel_asked_at, %(now)s)
WHERE run_id = %(run_id)s AND status IN ('accepted', 'running', 'waiting', 'paused')
RETURNING cancel_asked_at;

-- cancel_asked --
SELECT cancel_asked_at FROM runs WHERE run_id = %(run_id)s;

-- add_tokens --
UPDATE runs SET prompt_tokens = prompt_tokens + %(prompt_tokens)s, answer_tokens = answer_tokens + %(answer_tokens)s
WHERE run_id = %(run_id)s;

-- get_run --
SELECT * FROM runs WHERE run_id = %(run_id)s;

-- find_runs --
-- A whole id or its beginning.
SELECT * FROM runs WHERE run_id::text LIKE %(prefix)s ORDER BY created_at DESC LIMIT 3;

-- list_runs --
SELECT * FROM runs
WHERE (%(thread_id)s::text IS NULL OR thread_id = %(thread_id)s)
    AND (%(statuses)s::text[] IS NULL OR status = ANY(%(statuses)s))
ORDER BY created_at DESC, run_id LIMIT %(limit)s;

-- unfinished_run --
-- Not only the newest of all is looked at: the clocks of two hosts may differ.
SELECT * FROM runs
WHERE thread_id = %(thread_id)s AND status IN ('accepted', 'running', 'waiting', 'paused')
ORDER BY created_at DESC, run_id LIMIT 1;

-- insert_step --
INSERT INTO run_steps (run_id, node, task_id, started_at, seconds, error)
VALUES (%(run_id)s, %(node)s, %(task_id)s, %(started_at)s, %(seconds)s, %(error)s);

-- list_steps --
SELECT node, task_id, started_at, seconds, error FROM run_steps
WHERE run_id = %(run_id)s ORDER BY started_at, step_id;

-- intend_effect --
-- Nothing comes back where the key is known: then the act was intended before.
INSERT INTO effects (key, run_id, thread_id, token, tool, target, arguments, state, origins, audience, intended_at)
VALUES (%(key)s, %(run_id)s, %(thread_id)s, %(token)s, %(tool)s, %(target)s, %(arguments)s, 'intended',
    %(origins)s, %(audience)s, %(now)s)
ON CONFLICT (key) DO NOTHING
RETURNING state;

-- get_effect --
SELECT * FROM effects WHERE key = %(key)s;

-- end_effect --
UPDATE effects SET state = %(state)s, receipt = %(receipt)s, ended_at = %(now)s
WHERE key = %(key)s AND state IN ('intended', 'unknown')
RETURNING state;

-- put_artifact --
INSERT INTO artifacts (artifact_id, thread_id, run_id, kind, body, origins, audience, created_at)
VALUES (%(artifact_id)s, %(thread_id)s, %(run_id)s, %(kind)s, %(body)s, %(origins)s, %(audience)s, %(now)s)
ON CONFLICT (artifact_id) DO NOTHING;

-- get_artifacts --
SELECT * FROM artifacts WHERE artifact_id = ANY(%(ids)s);

-- get_referred_artifacts --
-- Those of one thread whose ids begin so; two tell that the beginning is not enough.
SELECT * FROM artifacts
WHERE thread_id = %(thread_id)s AND starts_with(artifact_id::text, %(reference)s)
ORDER BY artifact_id LIMIT 2;

-- forget_threads --
-- Everything that is known of these threads but their checkpoints.
WITH acts AS (DELETE FROM effects WHERE thread_id = ANY(%(thread_ids)s)),
    bodies AS (DELETE FROM artifacts WHERE thread_id = ANY(%(thread_ids)s)),
    gone AS (DELETE FROM runs WHERE thread_id = ANY(%(thread_ids)s))
DELETE FROM threads WHERE thread_id = ANY(%(thread_ids)s);
