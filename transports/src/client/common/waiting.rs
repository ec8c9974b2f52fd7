//! Decides whether waiting out a back-off helps a caller, and how often.
//!
//! Owns that rule, for both clients. If a wait ends within the caller's patience, it is waited out.
//! If a renewal failed in a way that may pass, another one follows. Does not know how a caller
//! waits.

use std::sync::Arc;
use std::time::Duration;

use imts_core::{Mono, Recovery};

use super::Hub;
use super::locked::Door;
use crate::client::notify::{Bell, Heard};
use crate::clock::Deadline;
use crate::error::TokenError;

/// What is left of a caller's patience with a session in back-off.
pub(crate) struct Patience {
    deadline: Deadline,
    /// How many failed renewals the caller accepts, this one included.
    renewals: u32,
}

impl Patience {
    /// Waits for a token as long as time is left.
    pub(crate) fn by(deadline: Deadline) -> Self {
        Self { deadline, renewals: u32::MAX }
    }

    /// Returns how long the caller may still be kept waiting.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.left().unwrap_or_default()
    }

    /// Returns how long to wait before the next ask; `None` if another ask within the caller's
    /// patience would return the same.
    pub(crate) fn pause(&mut self, why: &TokenError) -> Option<Duration> {
        match why {
            TokenError::Waiting { wait, .. } => {
                self.deadline.left().is_some_and(|left| *wait < left).then_some(*wait)
            }
            // The next ask says how long to wait.
            TokenError::Renewal(trouble)
                if matches!(trouble.recovery(), Recovery::Retry { .. }) =>
            {
                self.renewals = self.renewals.saturating_sub(1);
                (self.renewals > 0 && self.deadline.left().is_some()).then_some(Duration::ZERO)
            }
            _ => None,
        }
    }
}

impl<F> Hub<F> {
    /// Returns the patience for a call's token: as many renewals as the call may be sent.
    pub(crate) fn patience_of_call(&self, deadline: Deadline) -> Patience {
        Patience { deadline, renewals: self.call_attempts }
    }

    /// Returns how long a call pauses before it is polled again at this time. `None` once the
    /// client is closed: then the call has no time left.
    pub(crate) fn pause(&self, until: Mono, deadline: Deadline) -> Option<Duration> {
        let is_open = self.lock().door == Door::Open;
        let pause = until.since(self.now().mono).min(deadline.left().unwrap_or_default());
        is_open.then_some(pause)
    }

    /// Call this before an ask that the caller may have to wait for.
    pub(crate) fn heard(&self) -> Heard {
        self.bell.heard()
    }

    pub(crate) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }
}
