//! Makes a task wait for a renewal: no longer than it may take, and no longer than the task's own
//! patience.
//!
//! Owns the waiting. Does not know what drives the renewal. Of the session, it knows only the
//! answer after each wait.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use super::AsyncClient;
use super::flight::Flight;
use super::renewal::Asked;
use crate::client::bearer::BearerGuard;
use crate::token_error::TokenError;
use crate::transport::BoxFuture;
use crate::within::Limit;

/// How many renewals one caller waits for before it gives up on tokens that expire at once.
const ATTEMPTS: usize = 3;

/// How much longer than its time limit a flight is waited for. The flight's own timer comes first,
/// unless the runtime that would have fired it stands still.
const GRACE: Duration = Duration::from_secs(1);

impl AsyncClient {
    /// Waits for a flight, and asks again, until there is a token.
    pub(super) async fn waiting(
        &self,
        mut flight: Option<Flight>,
        mut overdue: Duration,
        at_least: Duration,
    ) -> Result<BearerGuard, TokenError> {
        let (mut patience, mut wanted, mut renewals) = (None, at_least, 0);
        loop {
            let mut vain = None;
            match self.wait(flight.as_ref(), overdue, &mut patience).await {
                Waited::Ended(outcome) => {
                    outcome?;
                    renewals += 1;
                    if renewals == ATTEMPTS {
                        return Err(TokenError::ShortLived { remaining: Duration::ZERO });
                    }
                    // After one renewal, callers that waited together do not queue for the session
                    // lock.
                    if let Some(bearer) = self.shared.common.token.cached_now(at_least) {
                        return Ok(bearer);
                    }
                    // A second renewal would not bring a longer life than the first.
                    wanted = Duration::ZERO;
                }
                Waited::Overdue => vain = flight,
                Waited::TimedOut => return Err(TokenError::TimedOut),
            }
            let asked = self.shared.ask(self.shared.common.lock(), wanted, vain.as_ref())?;
            (flight, overdue) = match asked {
                Asked::Ready(bearer) => return self.shared.common.lasting(bearer, at_least),
                Asked::Wait { flight, overdue } => (flight, overdue),
            };
        }
    }

    /// Waits for a flight, no longer than it should take and no longer than the caller's patience.
    pub(super) async fn wait(
        &self,
        flight: Option<&Flight>,
        overdue: Duration,
        patience: &mut Option<BoxFuture<'static, ()>>,
    ) -> Waited {
        let sleep = |duration| self.shared.transport.sleep(duration);
        let mut ending = flight.map(Flight::wait);
        let mut overrun = Limit::new(overdue.saturating_add(GRACE), sleep);
        poll_fn(|cx| {
            if let Some(ending) = &mut ending
                && let Poll::Ready(outcome) = Pin::new(ending).poll(cx)
            {
                return Poll::Ready(Waited::Ended(outcome));
            }
            let patience = patience.get_or_insert_with(|| sleep(self.patience));
            if patience.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Waited::TimedOut);
            }
            if overdue < self.patience && overrun.poll(cx).is_ready() {
                return Poll::Ready(Waited::Overdue);
            }
            Poll::Pending
        })
        .await
    }
}

pub(super) enum Waited {
    Ended(Result<(), TokenError>),
    /// The flight did not even end by its own time limit.
    Overdue,
    TimedOut,
}
