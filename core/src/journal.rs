//! What is written down of a call that creates something or moves money, before and after it is
//! sent, and whether that permits a call.
//!
//! Owns the entries, the trait of what keeps them, and ([`Book`]) the one rule of who may send.
//! Knows nothing of files. An entry holds no secret: neither a token nor a body, only digests of the
//! body.

mod book;
mod digest;
mod done;
mod error;
mod identity;
mod intent;
mod memory;
mod reconcile;
mod record;
mod submitted;
mod under_way;

use std::time::Duration;

pub use self::book::{Book, Kept};
pub use self::digest::Digest;
pub(crate) use self::digest::fields;
pub use self::done::DoneCall;
pub use self::error::{EntryError, IntentError, RecordError};
pub use self::intent::{Despite, Intent, IntentKey, Scope};
pub use self::memory::MemoryJournal;
pub use self::reconcile::{Answer, Reconcile, ReconcileStep, Reconciled, Reconciling, Unresolved};
pub use self::record::{CallRecord, CallState};
pub use self::submitted::{Durable, Submitted};
pub use self::under_way::UnderWay;
use crate::call::Ending;
use crate::time::Wall;

/// How much longer than its own deadline a sender counts as alive: 10 s.
///
/// The deadline is written and read by wall clocks, the only ones that two processes share. This is
/// how far apart the two may be, and how far one may be set forward, without harm.
pub const CLOCK_MARGIN: Duration = Duration::from_secs(10);

/// Keeps entries so that they outlive the process, and admits a call once.
///
/// An implementation decides by [`Book::admit`], or by an equal rule where several processes share
/// it, atomically with writing the intent.
pub trait Journal {
    /// Makes an entry durable: it outlives the process, and the machine's power, once this returns.
    /// Yields the number of the entry's call: a new one for an intent, the entry's own otherwise.
    ///
    /// # Errors
    ///
    /// [`RecordError::Intent`], where an intent is not admitted; [`RecordError::Failed`] for
    /// whatever else failed. A call whose intent or sending could not be written is not sent.
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError>;

    /// Takes an entry in, and returns without waiting for a disk. By default it is
    /// [recorded](Journal::record) first.
    ///
    /// A client goes on with the call once the [`Durable`], if there is one, is ready. So a sending
    /// needs one. An intent does not, if it is durable no later than its sending; nor does an end: a
    /// crash before it is durable leaves the call in doubt.
    ///
    /// # Errors
    ///
    /// As [`record`](Journal::record).
    fn submit(&mut self, entry: &Entry) -> Result<Submitted, RecordError> {
        self.record(entry).map(Submitted::durable)
    }

    /// The calls of which the service must be asked what became, oldest first.
    ///
    /// # Errors
    ///
    /// [`RecordError::Failed`], where the journal cannot be read.
    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError>;
}

/// One record of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A call is about to be made. Nothing was sent.
    Intent(Intent),
    /// Its request is about to be sent, for the first time or again: from here on it is in doubt.
    Sending {
        /// The number that the journal gave the call.
        id: u64,
        /// When, by this machine's clock.
        at: Wall,
        /// When the sender gives it up at the latest, by the same clock; `None` in journals of
        /// earlier versions. Whoever shares the journal does not resolve the call
        /// [before](CallRecord::under_way_until).
        until: Option<Wall>,
    },
    /// It has ended.
    Ended {
        /// The number that the journal gave the call.
        id: u64,
        /// When, by this machine's clock.
        at: Wall,
        /// How; [`Ending::Unknown`] leaves it in doubt.
        ending: Ending,
    },
    /// What became of a call in doubt was found out by other means.
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
    /// The number of its call; `None` for an intent, which has none yet.
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

/// What was found out of a call in doubt, by whom, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Whether the service did it.
    pub finding: Finding,
    /// How it was found out, in the words of whoever did.
    pub reason: String,
    /// Who found it out, as far as known.
    pub by: Option<String>,
}

/// What the service says of a call in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// It did it: the same intent is never sent again.
    Done,
    /// It did not, and will not: the same intent may be sent again.
    Refused,
}

impl Finding {
    /// The name in lower case, as it stands in outputs and journals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}
