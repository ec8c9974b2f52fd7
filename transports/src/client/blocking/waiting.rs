//! Waits on a thread: what the loops that both clients share need of it.
//!
//! Each wait blocks in place.

use std::pin::pin;
use std::time::Duration;

use super::Client;
use super::flight::Flight;
use crate::client::bearer::BearerGuard;
use crate::client::changes::Version;
use crate::client::common::{Common, Driver, RetryBudget, token_waiting};
use crate::clock::Deadline;
use crate::sync::wait;
use crate::token_error::TokenError;

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
    pub fn token_waiting(&self) -> Result<BearerGuard, TokenError> {
        if let Some(bearer) = self.shared.common.token.cached(Duration::ZERO) {
            return Ok(bearer);
        }
        let budget = RetryBudget::by(Deadline::after(self.patience));
        self.wait_for_token(Duration::ZERO, budget)
    }

    /// Asks until there is a token, or until another ask does not help.
    #[cold]
    pub(super) fn wait_for_token(
        &self,
        at_least: Duration,
        budget: RetryBudget,
    ) -> Result<BearerGuard, TokenError> {
        wait(pin!(token_waiting(self, at_least, budget)))
    }
}

impl Driver for Client {
    type Flight = Flight;

    fn common(&self) -> &Common<Flight> {
        &self.shared.common
    }

    async fn token_by(
        &self,
        at_least: Duration,
        patience: Duration,
    ) -> Result<BearerGuard, TokenError> {
        self.with_patience(patience).token_valid_for(at_least)
    }

    async fn wait(&self, seen: Version, at_most: Duration) {
        self.shared.common.changes().wait(seen, at_most);
    }
}
