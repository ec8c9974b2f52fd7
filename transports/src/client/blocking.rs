//! The client for threads.
//!
//! Owns the waiting for a renewal. [`renewal`] runs a renewal in a thread of its own; the session
//! decides what to do.

mod calling;
mod flight;
mod keep_alive;
mod reconciling;
mod renewal;
mod waiting;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use imts_core::session::Health;
use imts_core::transport_error::Source;
use imts_core::{Credentials, Epoch, Keep, Phase, Saved};

use self::flight::Flight;
use self::renewal::Shared;
use crate::client::alike::methods_alike;
use crate::client::bearer::{BearerGuard, TokenCache};
use crate::client::common::{Ask, Common, Locked, StoreCounts};
use crate::clock::Deadline;
use crate::token_error::TokenError;
use crate::transport::Transport;

/// A client for threads. Clones share one session, and any number of threads may ask for a token at
/// once.
///
/// ```
/// use imts::{Builder, Credentials, Endpoint};
/// # let mut sandbox = imts_sandbox::Sandbox::new(imts_sandbox::Settings::default());
/// # let sandbox = std::sync::Mutex::new(sandbox);
/// # let transport = move |request: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
/// #     let request = request.map(|body| body.as_ref().to_vec());
/// #     Ok(sandbox.lock().unwrap().handle(imts_sandbox::Time::from(std::time::SystemTime::now()), &request))
/// # };
///
/// let client = Builder::new(Endpoint::https("https://sandbox.example")?)
///     .credentials(Credentials::new("sandbox-agent", "sandbox-secret")?)
///     .blocking(transport)?;
/// let bearer = client.token()?; // valid now; the next ask costs no request
/// assert!(bearer.header().to_str()?.starts_with("Bearer "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    patience: Duration,
}

/// How many renewals one caller waits for before it gives up on tokens that expire at once.
const ATTEMPTS: usize = 3;

impl Client {
    pub(crate) fn new(
        common: Common<Flight>,
        transport: Arc<dyn Transport>,
        patience: Duration,
    ) -> Self {
        Self { shared: Arc::new(Shared::new(common, transport)), patience }
    }

    /// Starts the thread that renews while no one asks.
    pub(crate) fn keep_alive(&self) -> io::Result<()> {
        self.shared.keep_alive()
    }

    /// Returns a token that is valid now.
    ///
    /// If there is a valid token, this returns at once, even if the token is due for renewal.
    /// Otherwise it waits for a renewal, which all callers share. During a back-off it does not
    /// wait: it returns the last error. [`token_waiting`](Client::token_waiting) waits through a
    /// back-off, and so do calls.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError`] if there is no valid token.
    pub fn token(&self) -> Result<BearerGuard, TokenError> {
        match self.shared.common.token.cached(Duration::ZERO) {
            Some(bearer) => Ok(bearer),
            None => self.later(Duration::ZERO),
        }
    }

    /// Gets a token before the first call needs one, or returns why there is none. Call it when a
    /// program starts. It waits as [`token`](Client::token) does.
    ///
    /// # Errors
    ///
    /// Fails as [`token`](Client::token) does.
    pub fn warm_up(&self) -> Result<(), TokenError> {
        self.token().map(drop)
    }

    /// Returns a token that is valid for at least this long. If less time remains, it is renewed
    /// first.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError::ShortLived`] if the service's tokens do not live that long; otherwise
    /// as [`token`](Client::token).
    pub fn token_valid_for(&self, at_least: Duration) -> Result<BearerGuard, TokenError> {
        match self.shared.common.token.cached(at_least) {
            Some(bearer) => Ok(bearer),
            None => self.later(at_least),
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
    pub fn sign_out_everywhere(&self) -> Result<(), Source> {
        self.shared.common.sign_out_everywhere();
        // The ask does what is left to do in the store. It brings no token.
        drop(self.token());
        self.store_failure().map_or(Ok(()), Err)
    }

    /// Closes this client and all its clones. A running renewal is completed, or abandoned at the
    /// deadline. Every later ask for a token fails with [`TokenError::Closed`]. A call that waits to
    /// be retried ends as it stands.
    ///
    /// Returns the state to persist, or `None` if there is no grant. If the use of a refresh token
    /// was abandoned, the state is marked as [in doubt](Saved::is_in_doubt). An abandoned renewal
    /// changes nothing any more, but its thread lives on until the transport returns.
    pub fn close(&self, deadline: Duration) -> Option<Saved> {
        let deadline = Deadline::after(deadline);
        // After a flight, what it has to report to siblings is another one.
        let mut has_ended = true;
        while let Some(flight) = self.shared.common.close().filter(|it| !it.is_on_this_thread()) {
            has_ended = flight.ends_by(deadline);
            if !has_ended {
                break;
            }
        }
        let (flight, saved) = self.shared.common.abandon();
        if let Some(flight) = flight {
            flight.end(Err(TokenError::Closed));
        }
        if has_ended {
            self.shared.join();
        }
        saved
    }

    #[cold]
    fn later(&self, at_least: Duration) -> Result<BearerGuard, TokenError> {
        match self.shared.common.cached_or_lock(at_least) {
            Ok(bearer) => Ok(bearer),
            Err(locked) => self.asked(locked, at_least),
        }
    }

    /// Asks under the session lock, and again after each flight that the caller had to wait for.
    fn asked(
        &self,
        locked: Locked<'_, Flight>,
        at_least: Duration,
    ) -> Result<BearerGuard, TokenError> {
        let deadline = Deadline::after(self.patience);
        let (mut locked, mut wanted) = (locked, at_least);
        for _ in 0..ATTEMPTS {
            if let Some(bearer) = self.ask(locked, wanted, deadline)? {
                return self.shared.common.lasting(bearer, at_least);
            }
            // After one renewal, callers that waited together do not queue for the session lock.
            if let Some(bearer) = self.shared.common.token.cached_now(at_least) {
                return Ok(bearer);
            }
            // A second renewal would not bring a longer life than the first.
            wanted = Duration::ZERO;
            locked = self.shared.common.lock();
        }
        Err(TokenError::ShortLived { remaining: Duration::ZERO })
    }

    /// Returns a token, or `None` once a flight that the caller had to wait for has succeeded.
    fn ask(
        &self,
        mut locked: Locked<'_, Flight>,
        at_least: Duration,
        deadline: Deadline,
    ) -> Result<Option<BearerGuard>, TokenError> {
        if locked.flight.is_some() {
            // The flight's thread still runs, or the whole process was stopped: the flight ends by
            // itself.
            self.shared.common.gives_up(&mut locked, false);
        }
        let flight = match self.shared.common.ask(&mut locked, at_least)? {
            Ask::Ready(bearer) => return Ok(Some(bearer)),
            Ask::Join(_) | Ask::Rest(_) => {
                let flight = locked.flight.clone().ok_or(TokenError::TimedOut)?;
                drop(locked);
                flight
            }
            Ask::Start(work, meanwhile) => {
                let flight = Flight::default();
                let former = locked.flight.replace(flight.clone());
                drop(locked);
                Flight::end_former(former);
                self.shared.start(&flight, work);
                if meanwhile.is_some() {
                    return Ok(meanwhile);
                }
                flight
            }
        };
        if flight.is_on_this_thread() {
            return Err(TokenError::Reentrant);
        }
        flight.wait(deadline).map(|()| None)
    }
}

methods_alike!(Client);
