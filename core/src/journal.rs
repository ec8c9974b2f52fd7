//! What is recorded of a call that creates something or moves money, before and after it is sent,
//! and whether the records permit a call.
//!
//! Owns the entries, the trait of a journal that keeps them, and the journal in memory. Also owns
//! which calls of one client are under way, and the one rule of which call may be sent ([`Book`]).
//! Does not know about files. An entry holds no secret: no token and no body, only digests of the
//! body.

mod book;
mod error;
mod intent;
mod reconcile;
mod record;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use self::book::{Book, Kept};
pub use self::error::{EntryError, IntentError, RecordError};
pub(crate) use self::intent::fields;
pub use self::intent::{Despite, Digest, Intent, IntentKey, Scope};
pub use self::reconcile::{Answer, Reconcile, ReconcileStep, Reconciled, Reconciling, Unresolved};
pub use self::record::{CallRecord, CallState, DoneCall};
use crate::call::Ending;
use crate::time::Wall;

/// How long after its own deadline a sender still counts as alive: 10 s.
///
/// The deadline is a time of wall clocks, because two processes share no other clock. Two wall
/// clocks may differ by this much, or one may be set forward by this much, without harm.
pub const CLOCK_MARGIN: Duration = Duration::from_secs(10);

/// Keeps entries so that they outlive the process, and admits a call once.
///
/// An implementation must decide with [`Book::admit`]. If several processes share the journal, it
/// may use an equal rule. It must decide and write the intent atomically.
pub trait Journal {
    /// Makes an entry durable: when this returns, the entry survives the end of the process and a
    /// power failure. Returns the number of the entry's call: a new one for an intent, otherwise
    /// the entry's own.
    ///
    /// # Errors
    ///
    /// [`RecordError::Intent`] if an intent is not admitted; [`RecordError::Failed`] for any other
    /// failure. If a call's intent or sending could not be written, the call is not sent.
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError>;

    /// Accepts an entry, and returns without waiting for a disk. The default implementation
    /// [records](Journal::record) the entry first.
    ///
    /// If there is a [`Durable`], a client continues with the call once that is ready. A sending
    /// therefore needs one. An intent does not, if it becomes durable no later than its sending. An
    /// end does not either: a crash before it is durable leaves the call in doubt.
    ///
    /// # Errors
    ///
    /// The same as [`record`](Journal::record).
    fn submit(&mut self, entry: &Entry) -> Result<Submitted, RecordError> {
        self.record(entry).map(Submitted::durable)
    }

    /// Returns the calls whose outcome the service must be asked for, oldest first.
    ///
    /// # Errors
    ///
    /// [`RecordError::Failed`] if the journal cannot be read.
    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError>;
}

/// One record of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A call is about to be made. Nothing was sent yet.
    Intent(Intent),
    /// The call's request is about to be sent, for the first time or again. From now on the call is
    /// in doubt.
    Sending {
        /// The number that the journal gave the call.
        id: u64,
        /// When, by this machine's clock.
        at: Wall,
        /// When the sender gives up at the latest, by the same clock. `None` in journals of earlier
        /// versions. Other clients of the journal do not resolve the call
        /// [before](CallRecord::under_way_until).
        until: Option<Wall>,
    },
    /// The call has ended.
    Ended {
        /// The number that the journal gave the call.
        id: u64,
        /// When, by this machine's clock.
        at: Wall,
        /// How it ended. [`Ending::Unknown`] leaves the call in doubt.
        ending: Ending,
    },
    /// The outcome of a call in doubt was found out by other means.
    Resolved {
        /// The number that the journal gave the call.
        id: u64,
        /// When, by this machine's clock.
        at: Wall,
        /// What was found out.
        resolution: Resolution,
    },
}

impl Entry {
    /// Returns the number of its call. `None` for an intent, which has no number yet.
    #[must_use]
    pub const fn id(&self) -> Option<u64> {
        match self {
            Self::Intent(_) => None,
            Self::Sending { id, .. } | Self::Ended { id, .. } | Self::Resolved { id, .. } => {
                Some(*id)
            }
        }
    }
}

/// A finding about a call in doubt, with who found it out, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Whether the service did it.
    pub finding: Finding,
    /// How it was found out, in the words of the person or program that found it out.
    pub reason: String,
    /// Who found it out, if known.
    pub by: Option<String>,
}

/// The answer of the service about a call in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// The service did it: the same intent is never sent again.
    Done,
    /// The service did not do it, and will not: the same intent may be sent again.
    Refused,
}

impl Finding {
    /// Returns the name in lower case, as outputs and journals show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// A future that is ready once an entry is durable, or has failed. Dropping it does not change the
/// entry.
pub type Durable = Pin<Box<dyn Future<Output = Result<(), RecordError>> + Send>>;

/// An entry that a journal has accepted.
#[must_use = "it may not be durable yet"]
pub struct Submitted {
    id: u64,
    durable: Option<Durable>,
}

impl Submitted {
    /// Makes an entry that is durable, or for which no one has to wait.
    pub fn durable(id: u64) -> Self {
        Self { id, durable: None }
    }

    /// Makes an entry that will be durable later.
    pub fn later(id: u64, durable: Durable) -> Self {
        Self { id, durable: Some(durable) }
    }

    /// Returns the number of the entry's call, as [`Journal::record`]
    /// returns it.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Returns what to wait for. `None` if there is nothing to wait for.
    #[must_use]
    pub fn into_durable(self) -> Option<Durable> {
        self.durable
    }
}

impl fmt::Debug for Submitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_durable = self.durable.is_none();
        f.debug_struct("Submitted").field("id", &self.id).field("is_durable", &is_durable).finish()
    }
}

/// Keeps entries in memory. A client without a journal knows its calls from here.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Book);

impl MemoryJournal {
    /// Returns the book of its calls.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.0
    }
}

impl Journal for MemoryJournal {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        let id = self.0.check(entry)?;
        self.0.apply(id, entry);
        Ok(id)
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        Ok(self.0.in_doubt().cloned().collect())
    }
}

/// The calls that have been admitted and have not ended, by intent.
///
/// A journal cannot know this. A record without an end may belong to a call that is being sent, or
/// to a process that has died. So each client that shares a journal among its callers keeps an
/// `UnderWay`, and asks it before the journal.
#[derive(Clone, Debug, Default)]
pub struct UnderWay {
    calls: BTreeMap<IntentKey, (u64, Option<Digest>)>,
}

impl UnderWay {
    /// Checks that no other caller is sending this intent.
    ///
    /// # Errors
    ///
    /// [`IntentError::InProgress`] if another caller is sending the same intent;
    /// [`IntentError::Conflict`] if it is sending another body under the same reference.
    pub fn admit(&self, intent: &Intent) -> Result<(), IntentError> {
        let Some((id, meaning)) = self.calls.get(&intent.key()) else { return Ok(()) };
        let (id, operation) = (*id, intent.operation.clone());
        let reference = intent.reference.clone().unwrap_or_default();
        Err(if *meaning == intent.meaning {
            IntentError::InProgress { id, operation, reference }
        } else {
            IntentError::Conflict { id, operation, reference }
        })
    }

    /// Adds a call whose intent is recorded under this number.
    pub fn begin(&mut self, id: u64, intent: &Intent) {
        self.calls.insert(intent.key(), (id, intent.meaning));
    }

    /// Removes a call, however it was left: it ended, or its caller gave up.
    pub fn end(&mut self, key: &IntentKey) {
        self.calls.remove(key);
    }

    /// Returns whether the call of this number is being sent. No one else may resolve it then,
    /// because it may still end by itself.
    #[must_use]
    pub fn has(&self, id: u64) -> bool {
        self.calls.values().any(|(under_way, _)| *under_way == id)
    }
}
