-- The sessions that processes share: one row for each endpoint and agent. Times are microseconds
-- since 1970, by the server's clock.
CREATE TABLE IF NOT EXISTS imts_session (
    -- The form of the row, endpoint and agent.
    key text PRIMARY KEY,
    -- The stamp of the state.
    generation numeric(20) NOT NULL,
    holder numeric(20) NOT NULL,
    serial numeric(20) NOT NULL,
    made_at bigint NOT NULL,
    -- Whether the server may have lost writes before the state was put.
    moved boolean NOT NULL,
    -- The lease: who holds it, until when, how long it is, and whether its holder sends nothing.
    lease_holder numeric(20),
    lease_until bigint NOT NULL,
    lease_length bigint NOT NULL,
    resting boolean NOT NULL,
    -- The life of the server in which the state was put.
    incarnation text NOT NULL,
    -- When its last token has ended, and a day.
    keep_until bigint NOT NULL,
    -- The state: JSON, or sealed.
    state bytea NOT NULL
) WITH (fillfactor = 50);
