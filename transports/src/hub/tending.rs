//! What a client does that keeps itself alive while nobody asks.
//!
//! Owns when it looks again. Knows nothing of the thread or the task that does it.

use std::time::Duration;

use imts_core::Health;

use super::{Hub, State};
use crate::error::CallError;

/// What whoever keeps a client alive does next.
pub(crate) enum Tended {
    /// Look again at the next change, or after this long.
    Rest(Option<Duration>),
    /// Nothing any more.
    Over,
}

/// How soon a token is looked at again, at the soonest: one that is due from the start must not be
/// renewed without end.
const SOONEST: Duration = Duration::from_secs(1);

impl Tended {
    /// After an ask that brought no token.
    pub(crate) fn without_token(why: &CallError) -> Self {
        match why {
            CallError::Closed => Self::Over,
            CallError::Waiting { wait, .. } => Self::Rest(Some(*wait)),
            CallError::Renewal(_) => Self::Rest(Some(SOONEST)),
            _ => Self::Rest(None),
        }
    }
}

impl<F> Hub<F> {
    /// After an ask that brought a token: until its renewal is due.
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
