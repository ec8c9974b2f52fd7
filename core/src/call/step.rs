//! What a call says to its driver.
//!
//! Owns the names of the steps; when each comes is the call's to say.

#[cfg(doc)]
use super::Call;
use super::Outcome;
use crate::exchange::Exchange;
use crate::journal::{Entry, IntentError};
use crate::secret::Epoch;
use crate::time::Mono;

/// What a call wants of whoever polls it.
#[derive(Debug)]
#[must_use]
pub enum CallStep<R> {
    /// A token of the session is needed: report [`Call::on_bearer`] or [`Call::on_no_bearer`].
    Token,
    /// Make this durable, then report [`Call::on_recorded`]. Only where a journal is declared.
    Record(Entry),
    /// Send this once, then report [`Call::on_reply`] or [`Call::on_failure`].
    Send(Exchange),
    /// The service refused this token: tell the session ([`Session::reject`](crate::Session::reject)).
    Reject(Epoch),
    /// Nothing is to be done before this time, unless something is reported.
    Wait {
        /// When to poll again.
        until: Mono,
    },
    /// The journal does not admit it, so it was not sent. Said once, in place of an outcome.
    NotAdmitted(IntentError),
    /// It has ended. Said once.
    Over(Outcome<R>),
}
