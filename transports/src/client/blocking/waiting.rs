//! Waits out a back-off on a thread.
//!
//! Owns the loop. [`RetryBudget`] decides whether another ask helps.

use std::time::Duration;

use super::Client;
use crate::client::bearer::Bearer;
use crate::client::common::RetryBudget;
use crate::clock::Deadline;
use crate::error::TokenError;

impl Client {
    /// Returns a token that is valid now, and waits for it as long as this client's patience.
    ///
    /// Unlike [`token`](Client::token), it waits out a back-off that ends within that patience. It
    /// asks again after a renewal that failed in a way that may pass. It returns at once an error
    /// that waiting does not solve. Signing in, signing out and [`close`](Client::close) end the
    /// wait.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError`] if there is no token. If the next renewal is due only after this
    /// client's patience has ended, returns [`TokenError::Waiting`] at once.
    pub fn token_waiting(&self) -> Result<Bearer, TokenError> {
        if let Some(bearer) = self.shared.common.cached(Duration::ZERO) {
            return Ok(bearer);
        }
        let budget = RetryBudget::by(Deadline::after(self.patience));
        self.waits_for(Duration::ZERO, budget)
    }

    /// Asks until there is a token, or until another ask does not help. Returns a token with
    /// `at_least` left, or otherwise the token that there is.
    pub(super) fn waits_for(
        &self,
        at_least: Duration,
        mut budget: RetryBudget,
    ) -> Result<Bearer, TokenError> {
        loop {
            let seen = self.shared.common.version();
            let client = || self.with_patience(budget.left());
            let why = match client().token_valid_for(at_least) {
                Ok(bearer) => return Ok(bearer),
                Err(why) => why,
            };
            if !at_least.is_zero()
                && let Ok(bearer) = client().token()
            {
                return Ok(bearer);
            }
            let Some(pause) = budget.pause(&why) else { return Err(why) };
            self.shared.common.changes().wait(seen, pause);
        }
    }
}
