//! How a thread waits out a back-off.
//!
//! Owns the loop. Whether another ask helps is the hub's rule.

use std::time::Duration;

use super::Client;
use crate::bearer::Bearer;
use crate::clock::Deadline;
use crate::error::CallError;
use crate::hub::Patience;

impl Client {
    /// A token that is valid now, waited for as long as this client's patience.
    ///
    /// Unlike [`token`](Client::token), it waits out a back-off that ends within that patience, and
    /// asks again after a renewal that failed in a way that may pass. What waiting does not mend is
    /// returned at once. Signing in, signing out and [`close`](Client::close) end the wait.
    ///
    /// # Errors
    ///
    /// [`CallError`]; [`CallError::Waiting`] at once if the next renewal is due only after this
    /// client's patience has ended.
    pub fn token_waiting(&self) -> Result<Bearer, CallError> {
        if let Some(bearer) = self.shared.hub.at_hand(Duration::ZERO) {
            return Ok(bearer);
        }
        let patience = Patience::by(Deadline::after(self.patience));
        self.waits_for(Duration::ZERO, patience)
    }

    /// Asks until there is a token, or until another ask does not help: one with `at_least` left, or
    /// else the one that there is.
    pub(super) fn waits_for(
        &self,
        at_least: Duration,
        mut patience: Patience,
    ) -> Result<Bearer, CallError> {
        loop {
            let heard = self.shared.hub.heard();
            let client = || self.with_patience(patience.left());
            let why = match client().token_valid_for(at_least) {
                Ok(bearer) => return Ok(bearer),
                Err(why) => why,
            };
            if !at_least.is_zero()
                && let Ok(bearer) = client().token()
            {
                return Ok(bearer);
            }
            let Some(pause) = patience.pause(&why) else { return Err(why) };
            self.shared.hub.bell().wait(heard, pause);
        }
    }
}
