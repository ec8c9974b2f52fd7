//! What a client with keep-alive does while no one asks.
//!
//! Owns when the client checks again. Does not know the thread or the task that does it.

use std::time::Duration;

use imts_core::Health;

use super::{Hub, State};
use crate::error::TokenError;

/// The next step of the thread or task that keeps a client alive.
pub(crate) enum Tended {
    /// Check again at the next change, or after this long.
    Rest(Option<Duration>),
    /// Stop.
    Over,
}

/// The shortest time until a token is checked again. A token that is due from the start must not be
/// renewed without end.
const SOONEST: Duration = Duration::from_secs(1);

impl Tended {
    /// Returns the next step after an ask that returned no token.
    pub(crate) fn without_token(why: &TokenError) -> Self {
        match why {
            TokenError::Closed => Self::Over,
            TokenError::Waiting { wait, .. } => Self::Rest(Some(*wait)),
            TokenError::Renewal(_) => Self::Rest(Some(SOONEST)),
            _ => Self::Rest(None),
        }
    }
}

impl<F> Hub<F> {
    /// Returns the next step after an ask that returned a token: wait until its renewal is due.
    pub(crate) fn rests(&self, state: &State<F>) -> Tended {
        let next = state.session.health(self.now()).next_renewal;
        Tended::Rest(next.map(|next| next.max(SOONEST)))
    }

    pub(crate) fn health(&self) -> Health {
        let held = self.lock();
        let mut health = held.session.health(self.now());
        health.save_failed = held.save_failure.is_some();
        health
    }
}
