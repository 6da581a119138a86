-- begin_card_trace --
INSERT INTO card_traces (trace_id, card, epoch, host, began_at, head, copied_bytes, copied_lines, last_at)
VALUES (%(trace_id)s, %(card)s, %(epoch)s, %(host)s, %(began_at)s, %(head)s, %(copied_bytes)s, 1, %(began_at)s)
ON CONFLICT (trace_id) DO NOTHING;

-- hold_card_trace --
-- One program copies a trace at a time; the others pass it by.
SELECT copied_bytes, copied_lines, ended_n, cut_line, lost, closed FROM card_traces
WHERE trace_id = %(trace_id)s FOR UPDATE SKIP LOCKED;

-- insert_card_events --
INSERT INTO card_events (trace_id, n, at, kind, holder, lease, line)
SELECT %(trace_id)s, (line ->> 'n')::int,
    %(began_at)s + make_interval(secs => (line ->> 't')::float8 - %(began_t)s),
    line #>> '{event,kind}', line ->> 'actor', (line ->> 'lease')::bigint, line
FROM unnest(%(lines)s::jsonb[]) AS line
ON CONFLICT (trace_id, n) DO NOTHING;

-- advance_card_trace --
UPDATE card_traces SET
    copied_bytes = %(copied_bytes)s,
    copied_lines = %(copied_lines)s,
    ended_n = %(ended_n)s,
    cut_line = %(cut_line)s,
    lost = %(lost)s,
    closed = %(closed)s,
    last_at = coalesce((SELECT at FROM card_events WHERE trace_id = %(trace_id)s ORDER BY n DESC LIMIT 1), last_at)
WHERE trace_id = %(trace_id)s;

-- lose_card_traces --
-- Those that were being copied on this host, and whose files are gone.
UPDATE card_traces SET lost = %(reason)s, closed = true
WHERE card = %(card)s AND host = %(host)s AND NOT closed AND NOT trace_id = ANY(%(there)s) AND epoch < %(before)s
RETURNING epoch;

-- newest_card_epoch --
SELECT max(epoch) AS epoch FROM card_traces WHERE card = %(card)s AND host = %(host)s;

-- insert_lost_card_trace --
INSERT INTO card_traces (trace_id, card, epoch, host, began_at, lost, closed, last_at)
VALUES (%(trace_id)s, %(card)s, %(epoch)s, %(host)s, %(began_at)s, %(reason)s, true, %(now)s)
ON CONFLICT (trace_id) DO NOTHING;

-- card_trace --
SELECT trace_id, card, epoch, host, began_at, head, ended_n, cut_line, lost FROM card_traces
WHERE card = %(card)s AND (%(epoch)s::int IS NULL OR epoch = %(epoch)s)
ORDER BY began_at DESC, epoch DESC LIMIT 1;

-- card_lines --
SELECT line FROM card_events WHERE trace_id = %(trace_id)s ORDER BY n;

-- prune_card_traces --
DELETE FROM card_traces WHERE last_at < %(before)s;
