//! The client for tasks, on any executor or none.
//!
//! Owns the public interface. [`asking`] makes a caller wait, [`renewal`] runs a renewal without a
//! thread, and [`flight`] shares a future. Does not know any runtime: the transport provides I/O
//! and the timer.

mod asking;
mod calling;
mod flight;
mod keep_alive;
mod reconciling;
mod renewal;
mod waiting;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use imts_core::session::Health;
use imts_core::transport_error::Source;
use imts_core::{Credentials, Epoch, Keep, Phase, Saved};

use self::asking::Waited;
pub(crate) use self::flight::Flight;
pub(crate) use self::renewal::Spawner;
use self::renewal::{Asked, Shared};
use crate::client::alike::methods_alike;
use crate::client::bearer::{BearerGuard, TokenCache};
use crate::client::common::{Common, StoreCounts};
use crate::token_error::TokenError;
use crate::transport::{AsyncTransport, BoxFuture};

/// A client for tasks. Clones share one session, and any number of tasks may ask for a token at
/// once, on any executor, and on several.
///
/// A renewal belongs to the client. All tasks that wait for it poll it, so a task that stops
/// waiting cannot delay the others. While the old token is still valid, each caller polls the
/// renewal once and waits for nothing. This needs no executor. With
/// [`Builder::spawner`](crate::Builder::spawner), a renewal continues in the background even if no
/// one asks.
///
/// Dropping the last client drops a running renewal that no spawner drives. The only copy of a new
/// refresh token may be lost with it: [`close`](AsyncClient::close) completes the renewal.
///
/// ```
/// use imts::{Builder, Credentials, Endpoint};
/// # use std::{future::{pending, ready}, pin::pin, task::{Context, Poll, Waker}};
/// # let sandbox = imts_sandbox::Sandbox::new(imts_sandbox::Settings::default());
/// # let sandbox = std::sync::Mutex::new(sandbox);
/// # let send = move |request: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
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
        common: Common<Flight>,
        transport: Arc<dyn AsyncTransport>,
        spawner: Option<Spawner>,
        patience: Duration,
    ) -> Self {
        Self { shared: Arc::new(Shared { common, transport, spawner }), patience }
    }

    /// Starts the task that renews while no one asks. Returns whether the spawner took it.
    pub(crate) fn keep_alive(&self) -> bool {
        self.shared.keep_alive()
    }

    /// Returns a token that is valid now.
    ///
    /// If there is a valid token, this returns at once, even if the token is due for renewal.
    /// Otherwise it waits for a renewal, which all callers share. During a back-off it does not
    /// wait: it returns the last error. [`token_waiting`](AsyncClient::token_waiting) waits through
    /// a back-off, and so do calls. Dropping this future at any point does not affect the other
    /// callers.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError`] if there is no valid token.
    pub async fn token(&self) -> Result<BearerGuard, TokenError> {
        match self.shared.common.token.cached(Duration::ZERO) {
            Some(bearer) => Ok(bearer),
            None => match self.later(Duration::ZERO)? {
                Later::Served(bearer) => Ok(bearer),
                Later::Waits(waiting) => waiting.await,
            },
        }
    }

    /// Gets a token before the first call needs one, or returns why there is none. Call it when a
    /// program starts. It waits as [`token`](AsyncClient::token) does.
    ///
    /// # Errors
    ///
    /// Fails as [`token`](AsyncClient::token) does.
    pub async fn warm_up(&self) -> Result<(), TokenError> {
        self.token().await.map(drop)
    }

    /// Returns a token that is valid for at least this long. If less time remains, it is renewed
    /// first.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError::ShortLived`] if the service's tokens do not live that long; otherwise
    /// as [`token`](AsyncClient::token).
    pub async fn token_valid_for(&self, at_least: Duration) -> Result<BearerGuard, TokenError> {
        match self.shared.common.token.cached(at_least) {
            Some(bearer) => Ok(bearer),
            None => match self.later(at_least)? {
                Later::Served(bearer) => Ok(bearer),
                Later::Waits(waiting) => waiting.await,
            },
        }
    }

    /// Asks for a token if no cached one can be used.
    ///
    /// The waiting future is boxed, so that the future of an ask that waits for nothing is small.
    #[cold]
    fn later(&self, at_least: Duration) -> Result<Later<'_>, TokenError> {
        let asked = match self.shared.common.cached_or_lock(at_least) {
            Ok(bearer) => return Ok(Later::Served(bearer)),
            Err(locked) => self.shared.ask(locked, at_least, None)?,
        };
        match asked {
            Asked::Ready(bearer) => self.shared.common.lasting(bearer, at_least).map(Later::Served),
            Asked::Wait { flight, overdue } => {
                Ok(Later::Waits(Box::pin(self.waiting(flight, overdue, at_least))))
            }
        }
    }

    /// Forgets tokens and credentials here, and empties the agent's entry in the
    /// [store](crate::Builder::store), so that siblings lose their tokens too. A sibling that holds
    /// credentials signs in anew. It waits for the store for `policy.store_within` at most. Without
    /// a store, this is [`sign_out`](Self::sign_out).
    ///
    /// # Errors
    ///
    /// Returns why the store did not answer. The entry is then emptied by a later ask.
    pub async fn sign_out_everywhere(&self) -> Result<(), Source> {
        self.shared.common.sign_out_everywhere();
        // The ask does what is left to do in the store. It brings no token.
        drop(self.token().await);
        self.store_failure().map_or(Ok(()), Err)
    }

    /// Closes this client and all its clones. A running renewal is completed, or abandoned at the
    /// deadline. Every later ask for a token fails with [`TokenError::Closed`]. A call that waits to
    /// be retried ends as it stands.
    ///
    /// Returns the state to persist, or `None` if there is no grant. If the use of a refresh token
    /// was abandoned, the state is marked as [in doubt](Saved::is_in_doubt).
    pub async fn close(&self, deadline: Duration) -> Option<Saved> {
        let mut patience = None;
        // After a flight, what it has to report to siblings is another one.
        while let Some(flight) = self
            .shared
            .common
            .close()
            .filter(|flight| !flight.has_ended() && !flight.is_on_this_thread())
        {
            let sleep = || self.shared.transport.sleep(deadline);
            patience.get_or_insert_with(sleep);
            if let Waited::TimedOut = self.wait(Some(&flight), Duration::MAX, &mut patience).await {
                break;
            }
        }
        let (flight, saved) = self.shared.common.abandon();
        if let Some(flight) = flight {
            flight.end(Err(TokenError::Closed));
        }
        saved
    }
}

/// The result of an ask that no cached token could answer.
enum Later<'a> {
    Served(BearerGuard),
    Waits(BoxFuture<'a, Result<BearerGuard, TokenError>>),
}

methods_alike!(AsyncClient);
