//! The steps of a session, and the tickets by which a driver reports on them.
//!
//! Owns only these types. Does not know when a step comes: [`Session`](crate::Session) decides that.

use std::sync::Arc;

use crate::exchange::{Exchange, Purpose};
use crate::renewal_error::RenewalError;
use crate::saved::Saved;
use crate::secret::Bearer;
use crate::swap::Swap;
use crate::time::{Mono, Now};

/// What the session asks its driver to do.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// Use this token now.
    Ready(Bearer),
    /// Send this request, then report with the ticket to [`Session::on_reply`](crate::Session::on_reply) or
    /// [`Session::on_failure`](crate::Session::on_failure).
    Send(Ticket, Exchange),
    /// Persist this, then report with [`Session::on_saved`](crate::Session::on_saved) or [`Session::on_save_failed`](crate::Session::on_save_failed). This step comes only if a store is
    /// declared.
    Save(SaveTicket, Saved),
    /// Ask the shared store for this, then report with the ticket to
    /// [`Session::on_swap`](crate::Session::on_swap). This step comes only if a shared store is
    /// declared.
    Swap(SwapTicket, Swap),
    /// A sibling renews, and nothing is under way here. Poll again at this time. This step comes
    /// only if a shared store is declared.
    Rest {
        /// When to look again.
        until: Mono,
    },
    /// Another poller is renewing, saving or asking the store. Poll again after its report, or at this time.
    Busy {
        /// When the session stops waiting for the report.
        until: Mono,
    },
    /// A renewal failed, and the next one is not due before this time.
    Wait {
        /// When the next renewal is due.
        until: Mono,
        /// Why the last renewal failed.
        last: Arc<RenewalError>,
    },
    /// The session needs new credentials; nothing else helps.
    SignIn {
        /// Why the last renewal failed. `None` if none was tried.
        last: Option<Arc<RenewalError>>,
    },
}

/// Ties a reply or a failure to the request that the session asked for.
///
/// A ticket may be dropped without a report. The session then counts the request's outcome as
/// unknown once its time limit has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Ticket {
    pub(super) serial: u64,
    pub(super) purpose: Purpose,
    /// When the request was handed out. The lifetime of its grant counts from here.
    pub(super) sent: Now,
}

impl Ticket {
    /// Returns what the request is for.
    #[must_use]
    pub fn purpose(self) -> Purpose {
        self.purpose
    }
}

/// Ties the report of a save to the state that was to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct SaveTicket {
    pub(super) serial: u64,
}

/// Ties the answer of a shared store to the swap that the session asked for.
///
/// A ticket may be dropped without a report. The session then counts the store as out of reach once
/// [`Swap::within`] has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct SwapTicket {
    pub(super) serial: u64,
}
