-- A run that a person stopped stands open until its thread is asked again; one that a budget ended
-- says which.

ALTER TABLE runs DROP CONSTRAINT runs_status_check;
ALTER TABLE runs ADD CONSTRAINT runs_status_check
    CHECK (status IN ('accepted', 'running', 'waiting', 'paused', 'done', 'failed', 'cancelled'));
ALTER TABLE runs ADD COLUMN ended_by text;
COMMENT ON COLUMN runs.ended_by IS 'The budget that ended the run before its own end, in words';
