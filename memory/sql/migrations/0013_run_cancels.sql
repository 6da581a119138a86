-- A run can be told to end from anywhere; whoever runs it looks.

ALTER TABLE runs ADD COLUMN cancel_asked_at timestamptz;
COMMENT ON COLUMN runs.cancel_asked_at IS 'When a person told it to end; its runner does that at its next look';
