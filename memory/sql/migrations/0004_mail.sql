-- Who wrote a document and to whom, which mail answers which, and what a mail only repeats.

ALTER TABLE documents
    ADD COLUMN author text NOT NULL DEFAULT '',
    ADD COLUMN sender text,
    ADD COLUMN recipients text[] NOT NULL DEFAULT '{}',
    ADD COLUMN message_id text COLLATE "C",
    ADD COLUMN ancestors text[] NOT NULL DEFAULT '{}',
    ADD COLUMN topic text COLLATE "C",
    ADD COLUMN orphan boolean NOT NULL DEFAULT false,
    ADD COLUMN thread text COLLATE "C";
CREATE INDEX documents_by_sender ON documents (sender, modified_at) WHERE sender IS NOT NULL;
CREATE INDEX documents_by_recipient ON documents USING gin (recipients);
CREATE INDEX documents_by_time ON documents (modified_at);
CREATE INDEX documents_by_message ON documents (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX documents_by_thread ON documents (thread, modified_at) WHERE thread IS NOT NULL;
CREATE INDEX documents_by_topic ON documents (topic, modified_at) WHERE topic IS NOT NULL;
CREATE INDEX documents_orphaned ON documents (topic) WHERE orphan;
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

ALTER TABLE chunks ADD COLUMN quoted boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN chunks.quoted IS 'It repeats an earlier mail: found when nothing else says the same';
