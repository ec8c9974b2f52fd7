//! What a session will yield until an event other than time.
//!
//! Owns that forecast. A driver uses it to serve tokens without access to the session. Decides
//! nothing: it says until when a poll would only yield the token.

use std::time::Duration;

use super::Session;
use crate::secret::Bearer;
use crate::time::{End, Now};

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
    /// use imts_core::{services, Endpoint, Policy, Session};
    ///
    /// let endpoint = Endpoint::https("https://service.example")?;
    /// let session = Session::new(endpoint, services::transfer(), Policy::default())?;
    /// assert!(session.outlook().is_none(), "no token yet");
    /// # Ok::<(), imts_core::EndpointError>(())
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
