//! The steps of a session, the tickets for their reports, and how long it keeps credentials.
//!
//! Owns the types only. Does not know when a step comes: [`Session`] decides that.

use std::sync::Arc;

#[cfg(doc)]
use super::Session;
use crate::exchange::{Exchange, Purpose};
use crate::renewal_error::RenewalError;
use crate::saved::Saved;
use crate::secret::Bearer;
use crate::time::{Mono, Now};

/// What the session asks its driver to do.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// Use this token now.
    Ready(Bearer),
    /// Send this request, then report with the ticket to [`Session::on_reply`] or
    /// [`Session::on_failure`].
    Send(Ticket, Exchange),
    /// Persist this, then report with [`Session::on_saved`]. This step comes only if a store is
    /// declared.
    Save(SaveTicket, Saved),
    /// Another poller is renewing or saving. Poll again after its report, or at this time.
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

/// How long a session keeps the credentials that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Until sign-out: the session signs in by itself whenever a refresh does not help.
    Always,
    /// For one sign-in, which is due at once. They are kept until the service accepts or refuses
    /// them.
    Once,
}

/// Ties the report of a save to the state that was to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct SaveTicket {
    pub(super) serial: u64,
}
