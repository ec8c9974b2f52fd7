//! The steps that a call asks its driver to take.
//!
//! Owns the names of the steps. Does not know when a step comes: [`Call`] decides that.

#[cfg(doc)]
use super::Call;
use super::Outcome;
use crate::exchange::Exchange;
use crate::journal::{Entry, IntentError};
use crate::secret::Epoch;
use crate::time::Mono;

/// What the call asks its driver to do.
#[derive(Debug)]
#[must_use]
pub enum CallStep<R> {
    /// Get a token from the session, then report [`Call::on_bearer`] or [`Call::on_no_bearer`].
    Token,
    /// Make this durable, then report [`Call::on_recorded`]. This step comes only if a journal is
    /// declared.
    Record(Entry),
    /// Send this once, then report [`Call::on_reply`] or [`Call::on_failure`].
    Send(Exchange),
    /// The service refused this token: report it to the session
    /// ([`Session::reject`](crate::Session::reject)).
    Reject(Epoch),
    /// Nothing has to be done before this time, unless something is reported.
    Wait {
        /// When to poll again.
        until: Mono,
    },
    /// The journal does not admit the call, so it was not sent. Yielded once, instead of an
    /// outcome.
    NotAdmitted(IntentError),
    /// The call has ended. Yielded once.
    Over(Outcome<R>),
}
