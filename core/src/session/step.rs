//! The steps of a session, how long it keeps credentials, and what it will yield until an event
//! other than time.
//!
//! Owns the types, and that forecast: a driver uses it to serve tokens without access to the
//! session. Does not know when a step comes: [`Session`] decides that.

use std::sync::Arc;
use std::time::Duration;

use super::Session;
use crate::exchange::{Exchange, Ticket};
use crate::renewal_error::RenewalError;
use crate::saved::Saved;
use crate::secret::Bearer;
use crate::time::{End, Mono, Now};

/// What the session asks its driver to do.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// Use this token now.
    Ready(Bearer),
    /// Send this request, then report with the ticket to [`Session::on_reply`] or
    /// [`Session::on_failure`].
    Send(Ticket, Exchange),
    /// Persist this, then report with [`Session::on_saved`] or [`Session::on_save_failed`]. This step comes only if a store is
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

/// A token that polls yield until an event other than time.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    bearer: &'a Bearer,
    due: Option<Now>,
}

impl<'a> Outlook<'a> {
    /// Returns the token.
    #[must_use]
    pub fn bearer(self) -> &'a Bearer {
        self.bearer
    }

    /// Returns the time before which a [`poll`](Session::poll) only yields the token, if both
    /// clocks are before it. It ends when a renewal is due, a renewal under way times out, or a
    /// back-off ends. `None` if a poll may send or save at any time.
    #[must_use]
    pub fn due(self) -> Option<Now> {
        self.due
    }
}

impl Session {
    /// Returns what polls yield until the next reply, report, rejection, or other input. `None` if
    /// no token is usable at the latest time that the session has seen.
    ///
    /// ```
    /// use imts_core::{Endpoint, Policy, Session, services};
    ///
    /// let endpoint = Endpoint::https("https://service.example")?;
    /// let session = Session::new(endpoint, services::transfer(), Policy::default())?;
    /// assert!(session.outlook().is_none(), "no token yet");
    /// # Ok::<(), imts_core::endpoint::EndpointError>(())
    /// ```
    #[must_use]
    pub fn outlook(&self) -> Option<Outlook<'_>> {
        let access = self.grant.as_ref()?.access.as_ref()?;
        let end = access.bearer.end();
        if self.seen >= end.sooner(Duration::ZERO).mono {
            return None;
        }
        let nothing_to_save = self
            .store
            .as_ref()
            .is_none_or(|store| store.incoming.is_none() && store.saving.is_none());
        let due = self.yields_until(end, access.margin);
        Some(Outlook { bearer: &access.bearer, due: due.filter(|_| nothing_to_save) })
    }

    /// Until when polls yield the token with this end, even if something else becomes due.
    fn yields_until(&self, end: End, margin: Duration) -> Option<Now> {
        let (due, dead) = (end.sooner(margin), end.sooner(Duration::ZERO));
        let until = match self.flight {
            Some(flight) => Some(flight.deadline).filter(|deadline| self.seen < *deadline),
            None if self.seen < due.mono && !self.signs_in_once() => return Some(due),
            None => self.pace.not_before(self.seen),
        };
        until.map(|until| Now { mono: until.min(dead.mono), ..dead })
    }
}
