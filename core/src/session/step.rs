//! What a session says and what ties the answers to it: steps, tickets; and for how long it holds
//! credentials.
//!
//! Owns the names alone; when a step comes is the session's to say.

use std::sync::Arc;

#[cfg(doc)]
use super::Session;
use crate::exchange::{Exchange, Purpose};
use crate::saved::Saved;
use crate::secret::Bearer;
use crate::time::{Mono, Now};
use crate::trouble::Trouble;

/// What the session wants of whoever polls it.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// Use this token now.
    Ready(Bearer),
    /// Send this request, then report under the ticket with [`Session::on_reply`] or
    /// [`Session::on_failure`].
    Send(Ticket, Exchange),
    /// Persist this, then report with [`Session::on_saved`]. Only where a store is declared.
    Save(SaveTicket, Saved),
    /// Someone else is renewing, or saving: poll again when that is reported, or at this time.
    Busy {
        /// When the session stops waiting for it.
        until: Mono,
    },
    /// A renewal failed and the next one is not due before this time.
    Wait {
        /// When the next renewal is due.
        until: Mono,
        /// Why the last one failed.
        last: Arc<Trouble>,
    },
    /// Only new credentials help.
    SignIn {
        /// Why the last renewal failed, where one was tried.
        last: Option<Arc<Trouble>>,
    },
}

/// Ties what comes back to the request that the session asked for.
///
/// Dropping it unreported is allowed: once its time limit has passed, the session counts the
/// request's outcome as unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Ticket {
    pub(super) serial: u64,
    pub(super) purpose: Purpose,
    /// When the request was handed out: its grant's lifetime counts from here.
    pub(super) sent: Now,
}

impl Ticket {
    /// What the request is for.
    #[must_use]
    pub fn purpose(self) -> Purpose {
        self.purpose
    }
}

/// How long a session keeps credentials that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// For good: the session signs in by itself whenever a refresh does not help.
    Held,
    /// For one sign-in, which is due at once: until it is accepted or refused.
    Once,
}

/// Ties the report of a save to what was to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct SaveTicket {
    pub(super) serial: u64,
}
