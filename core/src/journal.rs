//! What is recorded of a call that creates something or moves money, before and after it is sent,
//! and whether the records permit a call.
//!
//! Owns the entries, the trait of a journal that keeps them, and ([`Book`]) the one rule of which
//! call may be sent. Does not know about files. An entry holds no secret: no token and no body,
//! only digests of the body.

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

/// What was found out about a call in doubt, who found it out, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Whether the service did it.
    pub finding: Finding,
    /// How it was found out, in the words of the person or program that found it out.
    pub reason: String,
    /// Who found it out, if known.
    pub by: Option<String>,
}

/// What the service says about a call in doubt.
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
