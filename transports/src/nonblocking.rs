//! The client for tasks, on any executor or none.
//!
//! Owns what a caller may ask of it. How a caller waits is [`asking`]'s matter, how a renewal goes on
//! without a thread [`renewal`]'s, how a future is shared [`flight`]'s. Knows nothing of any runtime:
//! the transport brings I/O and timer.

mod asking;
mod calling;
mod flight;
mod reconciling;
mod renewal;
mod tending;
mod waiting;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use imts_core::{Credentials, Epoch, Health, Keep, Phase, Saved, Source};

pub(crate) use self::flight::Flight;
pub(crate) use self::renewal::Spawner;
use self::renewal::{Asked, Shared};
use crate::bearer::{Bearer, Sight};
use crate::error::CallError;
use crate::hub::{Entry, Hub};
use crate::transport::{AsyncTransport, BoxFuture};

/// A client for tasks. Clones share one session; any number of tasks may ask at once, on any
/// executor, and on several.
///
/// A renewal belongs to the client. It is polled by all who wait for it, so that none of them can
/// hold it up by leaving; while the old token still serves, each asker polls it once in passing and
/// waits for nothing. It needs no executor for that; with [`Builder::spawner`](crate::Builder::spawner), a renewal goes on
/// in the background even while nobody asks.
///
/// Dropping the last client drops a renewal under way that no spawner drives, and with it perhaps
/// the only copy of a new refresh token: [`close`](AsyncClient::close) brings it to its end.
///
/// ```
/// use imts::{Builder, Credentials, Endpoint};
/// # use std::{future::{pending, ready}, pin::pin, task::{Context, Poll, Waker}};
/// # let sandbox = imts_sandbox::Sandbox::new(imts_sandbox::Settings::default());
/// # let sandbox = std::sync::Mutex::new(sandbox);
/// # let send = move |request: http::Request<imts::Body>, _: imts::Bounds| {
/// #     let request = request.map(|body| body.as_ref().to_vec());
/// #     ready(Ok(sandbox.lock().unwrap().handle(imts_sandbox::Time::from(std::time::SystemTime::now()), &request)))
/// # };
/// # let transport = (send, |_: std::time::Duration| pending());
///
/// # let mut example = pin!(async move {
/// let client = Builder::new(Endpoint::https("https://sandbox.example")?)
///     .credentials(Credentials::new("sandbox-agent", "sandbox-secret")?)
///     .nonblocking(transport)?;
/// let bearer = client.token().await?; // valid now; the next ask costs no request
/// assert!(bearer.header().to_str()?.starts_with("Bearer "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # });
/// # let Poll::Ready(outcome) = example.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
/// #     panic!("the sandbox answers at once");
/// # };
/// # outcome?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AsyncClient {
    shared: Arc<Shared>,
    patience: Duration,
}

impl AsyncClient {
    pub(crate) fn new(
        hub: Hub<Flight>,
        transport: Arc<dyn AsyncTransport>,
        spawner: Option<Spawner>,
        patience: Duration,
    ) -> Self {
        Self { shared: Arc::new(Shared { hub, transport, spawner }), patience }
    }

    /// Starts the task that renews while nobody asks; whether the spawner took it.
    pub(crate) fn keep_alive(&self) -> bool {
        self.shared.keep_alive()
    }

    /// The same client with another patience: how long its callers wait for a renewal, at most.
    /// A renewal that one caller gave up waiting for goes on.
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self { shared: Arc::clone(&self.shared), patience }
    }

    /// A token that is valid now.
    ///
    /// Returns at once while there is one, even if it is about to be renewed. Otherwise it waits
    /// for a renewal, one for all who ask. It never sleeps through a back-off: it returns the last
    /// trouble. [`token_waiting`](AsyncClient::token_waiting) does, and so do calls. A call that is dropped at any point changes nothing for the others.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub async fn token(&self) -> Result<Bearer, CallError> {
        match self.shared.hub.at_hand(Duration::ZERO) {
            Some(bearer) => Ok(bearer),
            None => match self.later(Duration::ZERO)? {
                Later::Served(bearer) => Ok(bearer),
                Later::Waits(waiting) => waiting.await,
            },
        }
    }

    /// Gets a token before the first call needs one, or says why there is none: for a program's start.
    /// It waits as [`token`](AsyncClient::token) does.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub async fn warm_up(&self) -> Result<(), CallError> {
        self.token().await.map(drop)
    }

    /// A token with at least this much of its life left, renewed first where less remains.
    ///
    /// # Errors
    ///
    /// [`CallError::ShortLived`], where the service's tokens do not live that long; else as
    /// [`token`](AsyncClient::token).
    pub async fn token_valid_for(&self, at_least: Duration) -> Result<Bearer, CallError> {
        match self.shared.hub.at_hand(at_least) {
            Some(bearer) => Ok(bearer),
            None => match self.later(at_least)? {
                Later::Served(bearer) => Ok(bearer),
                Later::Waits(waiting) => waiting.await,
            },
        }
    }

    /// An ask that nothing is at hand for.
    ///
    /// What waits is boxed, so that the future of an ask that waits for nothing is small.
    #[cold]
    fn later(&self, at_least: Duration) -> Result<Later<'_>, CallError> {
        let asked = match self.shared.hub.enter(at_least) {
            Entry::Served(bearer) => return Ok(Later::Served(bearer)),
            Entry::Held(held) => self.shared.ask(held, at_least, None)?,
        };
        match asked {
            Asked::Ready(bearer) => self.shared.hub.lasting(bearer, at_least).map(Later::Served),
            Asked::Wait { flight, overdue } => {
                Ok(Later::Waits(Box::pin(self.waiting(flight, overdue, at_least))))
            }
        }
    }

    /// What is kept of a token between two asks.
    pub(crate) fn sight(&self) -> Sight {
        self.shared.hub.sight()
    }

    /// The service refused this token with a 401: it is never handed out again, and the next ask
    /// renews. Does nothing where someone renewed already.
    pub fn reject(&self, epoch: Epoch) {
        self.shared.hub.reject(epoch);
    }

    /// Gives new credentials, for good or for one sign-in.
    pub fn sign_in(&self, credentials: Credentials, keep: Keep) {
        self.shared.hub.sign_in(credentials, keep);
    }

    /// Forgets tokens and credentials. What the hook persisted is the caller's to erase.
    pub fn sign_out(&self) {
        self.shared.hub.sign_out();
    }

    /// Reads the session's phase now. What reads it has the session in hand: it must not call the
    /// client.
    pub fn phase<R>(&self, read: impl FnOnce(Phase<'_>) -> R) -> R {
        self.shared.hub.phase(read)
    }

    /// A view of the session without secrets: its phase, what is left of the token, the next renewal,
    /// the last error, and what the service thinks of the credentials.
    ///
    /// It takes the session's lock for a moment and waits for nothing else. A readiness probe asks
    /// [`Health::is_ready`]. A liveness probe should not depend on it: a restart makes no service well.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.hub.health()
    }

    /// The state to persist now; `None` where there is no grant.
    #[must_use]
    pub fn saved(&self) -> Option<Saved> {
        self.shared.hub.saved()
    }

    /// Why the hook's last save failed; `None` where it did not.
    #[must_use]
    pub fn save_failure(&self) -> Option<Source> {
        self.shared.hub.save_failure()
    }

    /// Closes this client and all its clones: a renewal under way is brought to its end, or given
    /// up at the deadline; every later ask is [`CallError::Closed`]. A call that waits to be sent again
    /// ends as it stands.
    ///
    /// Returns the state to persist; `None` where there is no grant. A refresh token whose use was
    /// given up is marked as [in doubt](Saved::is_in_doubt).
    pub async fn close(&self, deadline: Duration) -> Option<Saved> {
        if let Some(flight) = self.shared.hub.close().filter(|it| !it.is_on_this_thread()) {
            let mut patience = Some(self.shared.transport.sleep(deadline));
            self.wait(Some(&flight), Duration::MAX, &mut patience).await;
        }
        let (flight, saved) = self.shared.hub.abandon();
        if let Some(flight) = flight {
            flight.land(Err(CallError::Closed));
        }
        saved
    }
}

/// What an ask comes to that nothing was at hand for.
enum Later<'a> {
    Served(Bearer),
    Waits(BoxFuture<'a, Result<Bearer, CallError>>),
}

impl fmt::Debug for AsyncClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncClient")
            .field("patience", &self.patience)
            .field("session", &self.shared.hub.lock().session)
            .finish_non_exhaustive()
    }
}
