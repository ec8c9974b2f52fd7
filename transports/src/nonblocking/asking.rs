//! How a task waits for a renewal: no longer than it may take, and no longer than its own patience.
//!
//! Owns the waiting. Knows nothing of who drives the renewal, and of the session only what it is told
//! after each wait.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use super::AsyncClient;
use super::flight::Flight;
use super::renewal::Asked;
use crate::bearer::Bearer;
use crate::error::CallError;
use crate::transport::BoxFuture;

/// How many renewals one ask waits for before it gives up on tokens that die at once.
const ATTEMPTS: usize = 3;

/// How much longer than its time limit a flight is waited for: its own timer comes first, unless
/// the runtime that would have fired it stands still.
const GRACE: Duration = Duration::from_secs(1);

impl AsyncClient {
    /// Waits where that is needed, and asks again after each flight that was waited for.
    pub(super) async fn asked(
        &self,
        mut asked: Asked,
        at_least: Duration,
    ) -> Result<Bearer, CallError> {
        let (mut patience, mut wanted, mut renewals) = (None, at_least, 0);
        loop {
            let (flight, overdue) = match asked {
                Asked::Ready(bearer) => {
                    let remaining = bearer.remaining(self.shared.hub.now());
                    if remaining < at_least {
                        return Err(CallError::ShortLived { remaining });
                    }
                    return Ok(bearer);
                }
                Asked::Wait { flight, overdue } => (flight, overdue),
            };
            match self.wait(flight.as_ref(), overdue, &mut patience).await {
                Waited::Landed(outcome) => {
                    outcome?;
                    renewals += 1;
                    if renewals == ATTEMPTS {
                        return Err(CallError::ShortLived { remaining: Duration::ZERO });
                    }
                    // A second renewal would bring no longer life than the first.
                    wanted = Duration::ZERO;
                }
                Waited::Overdue => {}
                Waited::TimedOut => return Err(CallError::TimedOut),
            }
            asked = self.shared.ask(self.shared.hub.lock(), wanted)?;
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
        let mut landing = flight.map(Flight::wait);
        let mut overrun = None;
        poll_fn(|cx| {
            if let Some(landing) = &mut landing
                && let Poll::Ready(outcome) = Pin::new(landing).poll(cx)
            {
                return Poll::Ready(Waited::Landed(outcome));
            }
            let patience = patience.get_or_insert_with(|| sleep(self.patience));
            if patience.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Waited::TimedOut);
            }
            if overdue < self.patience {
                let overrun = overrun.get_or_insert_with(|| sleep(overdue.saturating_add(GRACE)));
                if overrun.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Waited::Overdue);
                }
            }
            Poll::Pending
        })
        .await
    }
}

pub(super) enum Waited {
    Landed(Result<(), CallError>),
    /// The flight did not even end by its own time limit.
    Overdue,
    TimedOut,
}
