-- The journal itself: one row. It names the server that the journal was accepted on.
CREATE TABLE imts_journal (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version integer NOT NULL,
    -- The server's identifier and the timeline of its log. Another one means a failover or a
    -- restored backup.
    system bigint NOT NULL,
    timeline text NOT NULL,
    -- How often the journal was accepted.
    accepted integer NOT NULL DEFAULT 0,
    -- Set by a client that has seen this server go back in time.
    is_rewound boolean NOT NULL DEFAULT false
);

-- Who accepted the journal on another server or timeline, and why.
CREATE TABLE imts_journal_accepted (
    accepted integer PRIMARY KEY,
    at bigint NOT NULL,
    system bigint NOT NULL,
    timeline text NOT NULL,
    reason text NOT NULL,
    by text
);

-- The numbers of the calls. Clients take them in blocks, so numbers may be missing.
CREATE SEQUENCE imts_journal_number AS bigint;

-- The calls. Times are microseconds since 1970, by the clock of the client.
CREATE TABLE imts_journal_call (
    id bigint PRIMARY KEY,
    -- A hash of URL, agent and reference.
    key bytea NOT NULL,
    -- Whether this call stands against another one of the same key.
    stands boolean NOT NULL,
    -- Which opening of the journal sends it.
    holder text NOT NULL,
    operation text NOT NULL,
    url text NOT NULL,
    agent text NOT NULL,
    reference text NOT NULL,
    -- Hashes of the request's bytes and of their meaning. The request itself is not kept.
    digest bigint NOT NULL,
    meaning bigint,
    intended_at bigint NOT NULL,
    sent_at bigint,
    sending_until bigint,
    ended_at bigint,
    state text NOT NULL CHECK (state IN ('in_doubt', 'done', 'refused', 'not_sent')),
    despite_id bigint,
    despite_reason text,
    despite_by text,
    finding text CHECK (finding IN ('done', 'refused')),
    found_reason text,
    found_by text
);

-- The guard: of all calls of one key, at most one stands.
CREATE UNIQUE INDEX imts_journal_call_stands ON imts_journal_call (key) WHERE stands;

-- The calls that stand again if the one that stands now was not done.
CREATE INDEX imts_journal_call_behind ON imts_journal_call (key)
    WHERE NOT stands AND state IN ('in_doubt', 'done');

CREATE INDEX imts_journal_call_in_doubt ON imts_journal_call (id) WHERE state = 'in_doubt';
