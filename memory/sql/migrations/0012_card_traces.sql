-- Who had the card when: the lines that the card's arbiter writes into files, copied by the programs
-- that have the database open, so that they outlive the files.

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
