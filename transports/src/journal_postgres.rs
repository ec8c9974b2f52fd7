//! A journal of calls in PostgreSQL, which several processes share.
//!
//! Owns what callers see. `thread` has the connection, `batch` is one transaction, and
//! `guard` what must hold of the server. The core's book decides which calls are permitted. The
//! tables hold no secret: neither a token nor the body of a request.

mod batch;
mod error;
mod guard;
mod job;
mod once;
mod queue;
mod reading;
mod rows;
mod schema;
mod statements;
mod thread;
mod together;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use imts_core::journal::{
    CallRecord, Entry, EntryError, Intent, Journal, RecordError, Resolution, Submitted,
};

pub use self::error::JournalPostgresError;
use self::job::Job;
use self::reading::Which;
pub use self::schema::Migrated;
use self::writer::{Writer, wait};
use crate::clock::{Clock, SystemClock};
use crate::postgres::PostgresAddress;

/// A journal in PostgreSQL, for any number of processes and machines.
///
/// Of all clients that share it, one sends an intent, and the others get an error that says so. The
/// intent is committed, and durable, before its request leaves. If a process dies, its calls are in
/// doubt, and each client sees them once their deadline has passed.
///
/// Entries of several callers share a commit. A thread of this journal's own talks to the database.
/// While the database cannot be reached, a call that moves money is not sent, and fails at once. A
/// transaction that takes longer than the [time limit](Self::open_within) is given up.
///
/// The journal relies on the server to keep what it has committed. It refuses a server with
/// `synchronous_commit`, `fsync` or `full_page_writes` off. After a failover, or if the data was
/// restored, it sends nothing until the journal is [accepted](Self::accept). One case is found only
/// by a client that was open before: the server's data folder was replaced by an older copy.
///
/// ```no_run
/// use imts::JournalPostgres;
/// use imts::postgres::PostgresAddress;
/// use imts::tls::Tls;
///
/// let address = PostgresAddress::new("postgres://payer@db.example/payments")?
///     .password(std::fs::read_to_string("/run/secrets/journal")?.trim_end())
///     .tls(Tls::platform()?);
/// JournalPostgres::migrate(&address)?; // once
/// let journal = JournalPostgres::open(address)?; // give it to Builder::journal
/// # drop(journal);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct JournalPostgres {
    writer: Writer,
    /// The calls that this client makes, until they end.
    own: BTreeMap<u64, Own>,
}

/// Prints no reference: it may name a person.
impl fmt::Debug for JournalPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalPostgres").field("calls", &self.own.len()).finish_non_exhaustive()
    }
}

/// A call of this client.
struct Own {
    intent: Intent,
    /// Whether its sending was submitted.
    is_sent: bool,
}

impl JournalPostgres {
    /// How long the database may take for a transaction, unless
    /// [another limit](Self::open_within) is given: 5 s.
    pub const TIME_LIMIT: Duration = Duration::from_secs(5);

    /// Connects to the database, and checks that the journal can be used.
    ///
    /// # Errors
    ///
    /// Returns [`JournalPostgresError`], which says what is wrong with the address, the server, its
    /// settings, or the journal's tables.
    pub fn open(address: PostgresAddress) -> Result<Self, JournalPostgresError> {
        Self::open_within(address, Self::TIME_LIMIT)
    }

    /// Opens it as [`open`](Self::open) does, with another time limit for a transaction and for
    /// each connection.
    ///
    /// # Errors
    ///
    /// Fails as [`open`](Self::open) does.
    pub fn open_within(
        address: PostgresAddress,
        time_limit: Duration,
    ) -> Result<Self, JournalPostgresError> {
        Ok(Self { writer: Writer::open(address, time_limit)?, own: BTreeMap::new() })
    }

    /// Creates the journal's tables, or brings them to the version that this program uses. Several
    /// processes may do so at once. The user of the address becomes the owner of the tables.
    ///
    /// # Errors
    ///
    /// Returns [`JournalPostgresError::TooNew`] for tables of a later version, or an error of the
    /// database. Nothing is then changed.
    pub fn migrate(address: &PostgresAddress) -> Result<Migrated, JournalPostgresError> {
        once::migrate(address)
    }

    /// Accepts the journal on the server that it is on now: after a failover, or after its data was
    /// restored. Before that, ask the service about the calls that this server may not know. They
    /// **may be sent again** after that.
    ///
    /// # Errors
    ///
    /// Returns an error of the database, or of the journal's tables.
    pub fn accept(
        address: &PostgresAddress,
        reason: &str,
        by: Option<&str>,
    ) -> Result<(), JournalPostgresError> {
        once::accept(address, reason, by, SystemClock.now().wall)
    }

    /// Reads the calls in doubt, oldest first. Works on a standby too.
    ///
    /// # Errors
    ///
    /// Returns an error of the database, or of the journal's tables.
    pub fn read_in_doubt(
        address: &PostgresAddress,
    ) -> Result<Vec<CallRecord>, JournalPostgresError> {
        once::read(address, Which::InDoubt)
    }

    /// Reads the newest calls, at most so many, oldest first. Works on a standby too.
    ///
    /// # Errors
    ///
    /// Returns an error of the database, or of the journal's tables.
    pub fn read_newest(
        address: &PostgresAddress,
        count: u32,
    ) -> Result<Vec<CallRecord>, JournalPostgresError> {
        once::read(address, Which::Newest(count))
    }

    /// Reads the call of this number, if there is one. Works on a standby too.
    ///
    /// # Errors
    ///
    /// Returns an error of the database, or of the journal's tables.
    pub fn read_call(
        address: &PostgresAddress,
        id: u64,
    ) -> Result<Option<CallRecord>, JournalPostgresError> {
        Ok(once::read(address, Which::One(id))?.pop())
    }

    /// Records the resolution of a call in doubt: that it was done, or that it was not.
    ///
    /// # Errors
    ///
    /// Returns [`JournalPostgresError::Entry`] if the call is not in doubt, or may still be under
    /// way in any client, or an error of the database.
    pub fn resolve(&mut self, id: u64, resolution: Resolution) -> Result<(), JournalPostgresError> {
        let entry = Entry::Resolved { id, at: SystemClock.now().wall, resolution };
        let outcome = self.writer.add(Job { id, entry, intent: None });
        wait(outcome).unwrap_or(Err(JournalPostgresError::Closed))
    }

    /// Prepares an entry. `None` if it changes nothing in the database.
    fn job(&mut self, entry: &Entry) -> Result<(u64, Option<Job>), JournalPostgresError> {
        let (id, intent) = match entry {
            Entry::Intent(intent) => {
                let id = self.writer.number()?;
                self.own.insert(id, Own { intent: intent.clone(), is_sent: false });
                (id, None)
            }
            Entry::Sending { id, .. } => {
                let own = self.own.get_mut(id).ok_or(EntryError::NoSuchCall { id: *id })?;
                own.is_sent = true;
                (*id, Some(own.intent.clone()))
            }
            Entry::Ended { id, .. } => match self.own.remove(id) {
                // Its intent is not in the database, and nothing was sent.
                Some(own) if !own.is_sent => return Ok((*id, None)),
                own => (*id, own.map(|own| own.intent)),
            },
            Entry::Resolved { id, .. } => (*id, None),
        };
        Ok((id, Some(Job { id, entry: entry.clone(), intent })))
    }
}

impl From<JournalPostgresError> for RecordError {
    fn from(error: JournalPostgresError) -> Self {
        match error {
            JournalPostgresError::Entry(error) => error.into(),
            error => Self::Failed(Arc::new(error)),
        }
    }
}

impl Journal for JournalPostgres {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        let submitted = self.submit(entry)?;
        let id = submitted.id();
        match submitted.into_durable() {
            Some(durable) => crate::sync::wait(pin!(durable)).map(|()| id),
            None => Ok(id),
        }
    }

    /// Waits for a sending and for a resolution until they are durable. An intent is compared with
    /// the journal, and is recorded with its sending. An end is waited for until it is committed.
    /// The server makes it durable within a second. If it stops before that, the call is in doubt.
    fn submit(&mut self, entry: &Entry) -> Result<Submitted, RecordError> {
        let (id, job) = self.job(entry)?;
        let Some(job) = job else { return Ok(Submitted::durable(id)) };
        let outcome = self.writer.add(job);
        Ok(Submitted::later(
            id,
            Box::pin(async move {
                outcome
                    .await
                    .unwrap_or(Err(JournalPostgresError::Closed))
                    .map_err(RecordError::from)
            }),
        ))
    }

    /// Reads from the database, and waits for it. Calls of other clients are among them, also while
    /// they are [under way](CallRecord::under_way_until).
    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        Ok(self.writer.read(Which::InDoubt)?)
    }
}
