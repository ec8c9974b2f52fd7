//! Waits in a task: what the loops that both clients share need of it.
//!
//! Owns the wait for a time or a change, whichever comes first.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::AsyncClient;
use super::flight::Flight;
use crate::client::bearer::BearerGuard;
use crate::client::changes::{Changes, Version};
use crate::client::common::{Common, Driver, RetryBudget, token_waiting};
use crate::clock::Deadline;
use crate::token_error::TokenError;
use crate::transport::AsyncTransport;

impl AsyncClient {
    /// Returns a token that is valid now, and waits for it as long as this client's patience.
    ///
    /// Unlike [`token`](AsyncClient::token), it waits out a back-off that ends within that
    /// patience. It asks again after a renewal that failed in a way that may pass. It returns at
    /// once an error that waiting does not solve. Signing in, signing out and
    /// [`close`](AsyncClient::close) end the wait.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError`] if there is no token. If the next renewal is due only after this
    /// client's patience has ended, returns [`TokenError::Waiting`] at once.
    pub async fn token_waiting(&self) -> Result<BearerGuard, TokenError> {
        if let Some(bearer) = self.shared.common.token.cached(Duration::ZERO) {
            return Ok(bearer);
        }
        let budget = RetryBudget::by(Deadline::after(self.patience));
        Box::pin(token_waiting(self, Duration::ZERO, budget)).await
    }
}

impl Driver for AsyncClient {
    type Flight = Flight;

    fn common(&self) -> &Common<Flight> {
        &self.shared.common
    }

    async fn token_by(
        &self,
        at_least: Duration,
        patience: Duration,
    ) -> Result<BearerGuard, TokenError> {
        self.with_patience(patience).token_valid_for(at_least).await
    }

    async fn wait(&self, seen: Version, at_most: Duration) {
        until(self.shared.common.changes(), seen, &*self.shared.transport, Some(at_most)).await;
    }
}

/// Completes once there is a change since `seen`, or after this long, if that is given.
pub(super) async fn until(
    changes: &Arc<Changes>,
    seen: Version,
    transport: &dyn AsyncTransport,
    at_most: Option<Duration>,
) {
    let (mut change, mut sleep) = (changes.changed(seen), None);
    poll_fn(|cx| {
        if at_most == Some(Duration::ZERO) || Pin::new(&mut change).poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some(at_most) = at_most else { return Poll::Pending };
        sleep.get_or_insert_with(|| transport.sleep(at_most)).as_mut().poll(cx)
    })
    .await;
}
