//! What a client with keep-alive does while no one asks.
//!
//! Owns when the client checks again. Does not know the thread or the task that does it.

use std::time::Duration;

use imts_core::session::Health;

use super::{Common, State};
use crate::clock::Clock;
use crate::token_error::TokenError;

/// The next step of the thread or task that keeps a client alive.
pub(crate) enum NextCheck {
    /// Check again at the next change, or after this long.
    Rest(Option<Duration>),
    /// Stop.
    Over,
}

/// The shortest time until a token is checked again. A token that is due from the start must not be
/// renewed without end.
const SHORTEST: Duration = Duration::from_secs(1);

impl NextCheck {
    /// Returns the next step after an ask that returned no token.
    fn after_error(why: &TokenError) -> Self {
        match why {
            TokenError::Closed => Self::Over,
            TokenError::Waiting { wait, .. } | TokenError::Credentials { wait, .. } => {
                Self::Rest(Some(*wait))
            }
            TokenError::Renewal(_) => Self::Rest(Some(SHORTEST)),
            _ => Self::Rest(None),
        }
    }
}

impl<F> Common<F> {
    /// Returns the next step after an ask that returned a token: wait until its renewal is due.
    pub(crate) fn next_check(&self, state: &State<F>) -> NextCheck {
        let next = state.session.health(self.clock.now()).next_renewal;
        let next = next.into_iter().chain(self.reads_in(state)).min();
        NextCheck::Rest(next.map(|next| next.max(SHORTEST)))
    }

    /// Returns the next step after an ask that returned no token. If other credentials are needed,
    /// the callback is called again when that is due.
    pub(crate) fn next_check_after(&self, state: &State<F>, why: &TokenError) -> NextCheck {
        match NextCheck::after_error(why) {
            NextCheck::Rest(None) => {
                NextCheck::Rest(self.reads_in(state).map(|wait| wait.max(SHORTEST)))
            }
            next => next,
        }
    }

    pub(crate) fn health(&self) -> Health {
        let locked = self.lock();
        let mut health = locked.session.health(self.clock.now());
        health.save_failed = locked.save_failure.is_some();
        health.credentials_failed = locked.reading.failure.is_some();
        health
    }
}
