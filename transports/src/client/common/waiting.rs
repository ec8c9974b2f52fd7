//! Waits for a token through a back-off, for both clients.
//!
//! Owns the rule that says whether another ask helps a caller, and how often. If a wait ends within the caller's patience, it is waited out.
//! If a renewal failed in a way that may pass, another one follows. Does not know how a caller
//! waits.

use std::sync::Arc;
use std::time::Duration;

use imts_core::Recovery;
use imts_core::time::Mono;

use super::Common;
use super::driver::Driver;
use super::locked::Lifecycle;
use crate::client::bearer::BearerGuard;
use crate::client::changes::{Changes, Version};
use crate::clock::{Clock, Deadline};
use crate::token_error::TokenError;

/// How long, and through how many failed renewals, a caller still waits for a session in back-off.
pub(crate) struct RetryBudget {
    deadline: Deadline,
    /// How many failed renewals the caller accepts, this one included.
    renewals: u32,
}

impl RetryBudget {
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
            TokenError::Waiting { wait, .. } | TokenError::Credentials { wait, .. } => {
                self.deadline.left().is_some_and(|left| *wait < left).then_some(*wait)
            }
            // The next ask says how long to wait.
            TokenError::Renewal(error) if matches!(error.recovery(), Recovery::Retry { .. }) => {
                self.renewals = self.renewals.saturating_sub(1);
                (self.renewals > 0 && self.deadline.left().is_some()).then_some(Duration::ZERO)
            }
            _ => None,
        }
    }
}

/// Asks until there is a token, or until another ask does not help. Returns a token with
/// `at_least` left, or otherwise the token that there is.
pub(crate) async fn token_waiting<D: Driver>(
    client: &D,
    at_least: Duration,
    mut budget: RetryBudget,
) -> Result<BearerGuard, TokenError> {
    loop {
        let seen = client.common().version();
        let why = match client.token_by(at_least, budget.left()).await {
            Ok(bearer) => return Ok(bearer),
            Err(why) => why,
        };
        if !at_least.is_zero()
            && let Ok(bearer) = client.token_by(Duration::ZERO, budget.left()).await
        {
            return Ok(bearer);
        }
        let Some(pause) = budget.pause(&why) else { return Err(why) };
        client.wait(seen, pause).await;
    }
}

impl<F> Common<F> {
    /// Returns the budget for a call's token: as many renewals as the call may be sent.
    pub(crate) fn budget_of_call(&self, deadline: Deadline) -> RetryBudget {
        RetryBudget { deadline, renewals: self.call_attempts }
    }

    /// Returns how long a call pauses before it is polled again at this time. `None` once the
    /// client is closed: then the call has no time left.
    pub(crate) fn pause(&self, until: Mono, deadline: Deadline) -> Option<Duration> {
        let is_open = self.lock().lifecycle == Lifecycle::Open;
        let pause = until.since(self.clock.now().mono).min(deadline.left().unwrap_or_default());
        is_open.then_some(pause)
    }

    /// Call this before an ask that the caller may have to wait for.
    pub(crate) fn version(&self) -> Version {
        self.changes.version()
    }

    pub(crate) fn changes(&self) -> &Arc<Changes> {
        &self.changes
    }
}
