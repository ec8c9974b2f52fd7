//! The client for threads.
//!
//! Owns the waiting for a renewal. How one goes on in a thread of its own is [`renewal`]'s matter; what
//! is to be done is the session's to say.

mod calling;
mod reconciling;
mod renewal;
mod tending;
mod waiting;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use imts_core::{Credentials, Epoch, Health, Keep, Phase, Saved, Source};

use self::renewal::Shared;
use crate::bearer::{Bearer, Sight};
use crate::clock::Deadline;
use crate::error::CallError;
use crate::flight::Flight;
use crate::hub::{Ask, Entry, Held, Hub};
use crate::transport::Transport;

/// A client for threads. Clones share one session; any number of threads may ask at once.
///
/// ```
/// use imts::{Builder, Credentials, Endpoint};
/// # let mut sandbox = imts_sandbox::Sandbox::new(imts_sandbox::Settings::default());
/// # let sandbox = std::sync::Mutex::new(sandbox);
/// # let transport = move |request: http::Request<imts::Body>, _: imts::Bounds| {
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

/// How many renewals one ask waits for before it gives up on tokens that die at once.
const ATTEMPTS: usize = 3;

impl Client {
    pub(crate) fn new(hub: Hub<Flight>, transport: Arc<dyn Transport>, patience: Duration) -> Self {
        Self { shared: Arc::new(Shared::new(hub, transport)), patience }
    }

    /// Starts the thread that renews while nobody asks.
    pub(crate) fn keep_alive(&self) -> io::Result<()> {
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
    /// trouble. [`token_waiting`](Client::token_waiting) does, and so do calls.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub fn token(&self) -> Result<Bearer, CallError> {
        match self.shared.hub.at_hand(Duration::ZERO) {
            Some(bearer) => Ok(bearer),
            None => self.later(Duration::ZERO),
        }
    }

    /// Gets a token before the first call needs one, or says why there is none: for a program's start.
    /// It waits as [`token`](Client::token) does.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub fn warm_up(&self) -> Result<(), CallError> {
        self.token().map(drop)
    }

    /// A token with at least this much of its life left, renewed first where less remains.
    ///
    /// # Errors
    ///
    /// [`CallError::ShortLived`], where the service's tokens do not live that long; else as
    /// [`token`](Client::token).
    pub fn token_valid_for(&self, at_least: Duration) -> Result<Bearer, CallError> {
        match self.shared.hub.at_hand(at_least) {
            Some(bearer) => Ok(bearer),
            None => self.later(at_least),
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
    /// given up is marked as [in doubt](Saved::is_in_doubt). A renewal that was given up changes
    /// nothing any more, though its thread lives on until the transport returns.
    pub fn close(&self, deadline: Duration) -> Option<Saved> {
        let deadline = Deadline::after(deadline);
        let flight = self.shared.hub.close().filter(|flight| !flight.is_on_this_thread());
        let has_landed = flight.is_none_or(|flight| flight.lands_by(deadline));
        let (flight, saved) = self.shared.hub.abandon();
        if let Some(flight) = flight {
            flight.land(Err(CallError::Closed));
        }
        if has_landed {
            self.shared.join();
        }
        saved
    }

    #[cold]
    fn later(&self, at_least: Duration) -> Result<Bearer, CallError> {
        match self.shared.hub.enter(at_least) {
            Entry::Served(bearer) => Ok(bearer),
            Entry::Held(held) => self.asked(held, at_least),
        }
    }

    /// Asks with the session in hand, and again after each flight that had to be waited for.
    fn asked(&self, held: Held<'_, Flight>, at_least: Duration) -> Result<Bearer, CallError> {
        let deadline = Deadline::after(self.patience);
        let (mut held, mut wanted) = (held, at_least);
        for _ in 0..ATTEMPTS {
            if let Some(bearer) = self.ask(held, wanted, deadline)? {
                return self.shared.hub.lasting(bearer, at_least);
            }
            // A crowd that has waited for one renewal takes no turns at the session.
            if let Some(bearer) = self.shared.hub.at_hand_now(at_least) {
                return Ok(bearer);
            }
            // A second renewal would bring no longer life than the first.
            wanted = Duration::ZERO;
            held = self.shared.hub.lock();
        }
        Err(CallError::ShortLived { remaining: Duration::ZERO })
    }

    /// A token, or `None` once a flight that had to be waited for has landed well.
    fn ask(
        &self,
        mut held: Held<'_, Flight>,
        at_least: Duration,
        deadline: Deadline,
    ) -> Result<Option<Bearer>, CallError> {
        if held.flight.is_some() {
            // Its thread still runs, or has been stopped with the whole process: it lands by itself.
            self.shared.hub.gives_up(&mut held, false);
        }
        let flight = match self.shared.hub.ask(&mut held, at_least)? {
            Ask::Ready(bearer) => return Ok(Some(bearer)),
            Ask::Join(_) => {
                let flight = held.flight.clone().ok_or(CallError::TimedOut)?;
                drop(held);
                flight
            }
            Ask::Fly(work, meanwhile) => {
                let flight = Flight::default();
                held.flight = Some(flight.clone());
                drop(held);
                self.shared.start(&flight, work);
                if meanwhile.is_some() {
                    return Ok(meanwhile);
                }
                flight
            }
        };
        if flight.is_on_this_thread() {
            return Err(CallError::Reentrant);
        }
        flight.wait(deadline).map(|()| None)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("patience", &self.patience)
            .field("session", &self.shared.hub.lock().session)
            .finish_non_exhaustive()
    }
}
