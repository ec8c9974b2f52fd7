//! The journal's statements. Each one takes arrays, so that one statement serves all entries of a
//! transaction.
//!
//! None is prepared by a name, and none changes the session: a pooler may run each transaction in
//! another session.

/// Begins a transaction. If this client disappears in its middle, the server ends it, so that what
/// it has locked becomes free.
pub(super) const BEGIN: &str = "\
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
    SET LOCAL idle_in_transaction_session_timeout = '5s'; \
    SET LOCAL lock_timeout = '2s'; ";

/// For a transaction that no one waits for until it is durable. It comes after [`GUARD`], which
/// reads the same setting.
pub(super) const NOT_AT_ONCE: &str = "; SET LOCAL synchronous_commit = off";

/// What must hold in each transaction, as text. The log's file name begins with its timeline.
pub(super) const GUARD: &str = "\
    SELECT version, system, timeline, accepted, is_rewound, \
    (SELECT system_identifier FROM pg_control_system()) AS here, \
    substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) AS timeline_here, \
    pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0') AS flushed, \
    current_setting('synchronous_commit') AS synchronous_commit, \
    current_setting('fsync') AS fsync, \
    current_setting('full_page_writes') AS full_page_writes \
    FROM imts_journal";

/// How much of the server's log is durable, in bytes.
pub(super) const FLUSHED: &str =
    "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0') AS flushed";

/// Marks the journal, so that no client sends anything.
pub(super) const REWOUND: &str = "UPDATE imts_journal SET is_rewound = true";

/// The hash of a key. A length before each part keeps one part from containing the end of another.
macro_rules! key {
    ($url:literal, $agent:literal, $reference:literal) => {
        concat!(
            "sha256(convert_to(length(",
            $url,
            ") || ':' || ",
            $url,
            " || length(",
            $agent,
            ") || ':' || ",
            $agent,
            " || ",
            $reference,
            ", 'UTF8'))"
        )
    };
}

/// The columns of a call, in the order in which `rows` reads them.
macro_rules! columns {
    () => {
        "c.id, c.holder, c.operation, c.url, c.agent, c.reference, c.digest, c.meaning, \
         c.intended_at, c.sent_at, c.sending_until, c.ended_at, c.state, c.despite_id, \
         c.despite_reason, c.despite_by, c.finding, c.found_reason, c.found_by"
    };
}

/// Takes numbers for calls: `$1` how many.
pub(super) const NUMBERS: &str =
    "SELECT nextval('imts_journal_number') FROM generate_series(1, $1)";

/// Lets calls no longer stand that a decision names: `$1` their numbers, `$2` `$3` `$4` the key
/// (URL, agent, reference), `$5` the latest deadlines of senders that are certainly gone.
pub(super) const STAND_BACK: &str = concat!(
    "UPDATE imts_journal_call c SET stands = false \
     FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[]) \
     AS n(id, url, agent, reference, gone) WHERE c.id = n.id AND c.stands \
     AND (c.sending_until IS NULL OR c.sending_until <= n.gone) \
     AND c.key = ",
    key!("n.url", "n.agent", "n.reference"),
);

/// Records sendings, each unless a call of its key stands already. Returns the numbers of those
/// that are recorded now. In the order of the keys, so that two clients do not wait for each other.
pub(super) const SEND: &str = concat!(
    "INSERT INTO imts_journal_call AS c (id, key, stands, holder, operation, url, agent, \
     reference, digest, meaning, intended_at, sent_at, sending_until, state, despite_id, \
     despite_reason, despite_by) \
     SELECT n.id, n.key, true, $1, n.operation, n.url, n.agent, n.reference, n.digest, n.meaning, \
     n.intended_at, n.sent_at, n.sending_until, 'in_doubt', n.despite_id, n.despite_reason, \
     n.despite_by FROM (SELECT u.*, ",
    key!("u.key_url", "u.agent", "u.key_reference"),
    " AS key FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], \
     $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], \
     $14::bigint[], $15::text[], $16::text[]) AS u(id, operation, url, key_url, agent, reference, \
     key_reference, digest, meaning, intended_at, sent_at, sending_until, despite_id, \
     despite_reason, despite_by)) AS n ORDER BY n.key \
     ON CONFLICT DO NOTHING RETURNING c.id",
);

/// Finds what stands against intents: `$1` numbers by which to recognize them, `$2` `$3` `$4` the
/// keys. The first column is the number.
pub(super) const STANDING: &str = concat!(
    "SELECT n.number, ",
    columns!(),
    " FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) \
     AS n(number, url, agent, reference) JOIN imts_journal_call c ON c.stands AND c.key = ",
    key!("n.url", "n.agent", "n.reference"),
);

/// Reads and locks calls: `$1` their numbers.
pub(super) const LOCKED: &str = concat!(
    "SELECT c.id, ",
    columns!(),
    " FROM imts_journal_call c WHERE c.id = ANY($1::bigint[]) ORDER BY c.id FOR UPDATE"
);

/// Changes calls that are locked. A call stands if it may have been done, unless another one of its
/// key stands.
pub(super) const CHANGE: &str = "\
    UPDATE imts_journal_call c SET state = n.state, sent_at = n.sent_at, \
    sending_until = n.sending_until, ended_at = n.ended_at, finding = n.finding, \
    found_reason = n.reason, found_by = n.by, \
    stands = n.state IN ('in_doubt', 'done') AND (c.stands OR NOT EXISTS \
    (SELECT FROM imts_journal_call o WHERE o.stands AND o.key = c.key)) \
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], \
    $7::text[], $8::text[]) AS n(id, state, sent_at, sending_until, ended_at, finding, reason, by) \
    WHERE c.id = n.id";

/// Lets the newest call of a key stand again that may have been done, if none stands since these
/// calls ended: `$1` their numbers.
pub(super) const STAND_AGAIN: &str = "\
    UPDATE imts_journal_call c SET stands = true WHERE c.id IN \
    (SELECT DISTINCT ON (o.key) o.id FROM imts_journal_call e JOIN imts_journal_call o \
    ON o.key = e.key AND NOT o.stands AND o.state IN ('in_doubt', 'done') \
    WHERE e.id = ANY($1::bigint[]) AND NOT EXISTS \
    (SELECT FROM imts_journal_call s WHERE s.stands AND s.key = e.key) \
    ORDER BY o.key, o.sent_at DESC, o.id DESC)";

/// Reads the calls in doubt, oldest first.
pub(super) const IN_DOUBT: &str = concat!(
    "SELECT c.id, ",
    columns!(),
    " FROM imts_journal_call c WHERE c.state = 'in_doubt' ORDER BY c.intended_at, c.id"
);

/// Reads the newest calls, oldest first: `$1` how many.
pub(super) const NEWEST: &str = concat!(
    "SELECT * FROM (SELECT c.id AS number, ",
    columns!(),
    " FROM imts_journal_call c ORDER BY c.id DESC LIMIT $1) AS c ORDER BY c.intended_at, c.id"
);

/// Reads one call: `$1` its number.
pub(super) const ONE: &str =
    concat!("SELECT c.id, ", columns!(), " FROM imts_journal_call c WHERE c.id = $1");

/// Keeps two migrations, or acceptances, from running at once, until the transaction ends.
pub(super) const ALONE: &str = "SELECT pg_advisory_xact_lock(7307218417)";

/// The version of the tables; no row if there is none.
pub(super) const VERSION: &str = "SELECT version FROM imts_journal";

/// Whether there is a journal.
pub(super) const EXISTS: &str = "SELECT to_regclass('imts_journal') IS NOT NULL";

/// Names the server as the one of a new journal: `$1` the version of the tables.
pub(super) const FIRST: &str = "\
    INSERT INTO imts_journal (version, system, timeline) \
    SELECT $1, (SELECT system_identifier FROM pg_control_system()), \
    substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) \
    ON CONFLICT (only_row) DO UPDATE SET version = excluded.version";

/// Accepts the journal on the server that it is on: `$1` when, `$2` why, `$3` by whom.
pub(super) const ACCEPT: &str = "\
    WITH now AS (UPDATE imts_journal SET accepted = accepted + 1, is_rewound = false, \
    system = (SELECT system_identifier FROM pg_control_system()), \
    timeline = substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) \
    RETURNING accepted, system, timeline) \
    INSERT INTO imts_journal_accepted (accepted, at, system, timeline, reason, by) \
    SELECT accepted, $1, system, timeline, $2, $3 FROM now";

/// A name for one opening of the journal.
pub(super) const HOLDER: &str = "SELECT gen_random_uuid()::text";
