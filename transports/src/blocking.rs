//! The client for threads.
//!
//! Owns the thread of a flight and the waiting for it. What is to be done is the session's to say;
//! a flight belongs to the client, and goes on when the caller who started it has left.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use imts_core::{
    Bearer, Credentials, Endpoint, Epoch, Failure, Keep, NotSent, Phase, Saved, Source,
};

use crate::builder::Builder;
use crate::clock::Deadline;
use crate::error::CallError;
use crate::flight::Flight;
use crate::hub::{Ask, Hub, Next, TransportPanicked, Work};
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

struct Shared {
    hub: Hub<Flight>,
    transport: Arc<dyn Transport>,
}

impl Client {
    /// What a client is made of.
    #[must_use]
    pub fn builder(endpoint: Endpoint) -> Builder {
        Builder::new(endpoint)
    }

    pub(crate) fn new(hub: Hub<Flight>, transport: Arc<dyn Transport>, patience: Duration) -> Self {
        Self { shared: Arc::new(Shared { hub, transport }), patience }
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
    /// trouble.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub fn token(&self) -> Result<Bearer, CallError> {
        self.token_valid_for(Duration::ZERO)
    }

    /// A token with at least this much of its life left, renewed first where less remains.
    ///
    /// # Errors
    ///
    /// [`CallError::ShortLived`], where the service's tokens do not live that long; else as
    /// [`token`](Client::token).
    pub fn token_valid_for(&self, at_least: Duration) -> Result<Bearer, CallError> {
        let deadline = Deadline::after(self.patience);
        let mut wanted = at_least;
        for _ in 0..ATTEMPTS {
            if let Some(bearer) = self.ask(wanted, deadline)? {
                let remaining = bearer.remaining(self.shared.hub.now());
                if remaining < at_least {
                    return Err(CallError::ShortLived { remaining });
                }
                return Ok(bearer);
            }
            // A second renewal would bring no longer life than the first.
            wanted = Duration::ZERO;
        }
        Err(CallError::ShortLived { remaining: Duration::ZERO })
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

    /// Reads the session's phase now.
    pub fn phase<R>(&self, read: impl FnOnce(Phase<'_>) -> R) -> R {
        self.shared.hub.phase(read)
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
    /// up at the deadline; every later ask is [`CallError::Closed`].
    ///
    /// Returns the state to persist; `None` where there is no grant. A refresh token whose use was
    /// given up is marked as [in doubt](Saved::is_in_doubt). A renewal that was given up changes
    /// nothing any more, though its thread lives on until the transport returns.
    pub fn close(&self, deadline: Duration) -> Option<Saved> {
        if let Some(flight) = self.shared.hub.close().filter(|it| !it.is_on_this_thread()) {
            let _outcome = flight.wait(Deadline::after(deadline));
        }
        let (flight, saved) = self.shared.hub.abandon();
        if let Some(flight) = flight {
            flight.land(Err(CallError::Closed));
        }
        saved
    }

    /// A token, or `None` once a flight that had to be waited for has landed well.
    fn ask(&self, at_least: Duration, deadline: Deadline) -> Result<Option<Bearer>, CallError> {
        let flight = {
            let mut state = self.shared.hub.lock();
            match self.shared.hub.ask(&mut state, at_least)? {
                Ask::Ready(bearer) => return Ok(Some(bearer)),
                Ask::Join(_) => state.flight.clone().ok_or(CallError::TimedOut)?,
                Ask::Fly(work, meanwhile) => {
                    let flight = Flight::default();
                    state.flight = Some(flight.clone());
                    drop(state);
                    self.shared.start(&flight, work);
                    if meanwhile.is_some() {
                        return Ok(meanwhile);
                    }
                    flight
                }
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

impl Shared {
    /// Runs a flight on a thread of its own.
    fn start(self: &Arc<Self>, flight: &Flight, work: Box<Work>) {
        let (shared, aboard) = (Arc::clone(self), flight.clone());
        let (hand, take) = mpsc::sync_channel(1);
        let spawned = thread::Builder::new().name("imts-renewal".to_owned()).spawn(move || {
            if let Ok(work) = take.recv() {
                let outcome = aboard.on_this_thread(|| shared.fly(work));
                shared.land(&aboard, outcome);
            }
        });
        match spawned {
            Ok(_detached) => drop(hand.send(work)),
            Err(error) => self.land(flight, self.ground(work, error)),
        }
    }

    fn fly(&self, mut work: Box<Work>) -> Result<(), CallError> {
        loop {
            let next = match *work {
                Work::Send(ticket, request, bounds) => {
                    let send = AssertUnwindSafe(|| self.transport.send(request, bounds));
                    let outcome = catch_unwind(send)
                        .unwrap_or_else(|_| Err(Failure::unknown().because(TransportPanicked)));
                    self.hub.on_reply(ticket, outcome)
                }
                Work::Save(ticket, saved) => self.hub.save(ticket, &saved),
            };
            match next {
                Next::Work(more) => work = more,
                Next::Landed(outcome) => return outcome,
            }
        }
    }

    /// The machine has no thread to give: nothing was sent.
    fn ground(&self, work: Box<Work>, error: std::io::Error) -> Result<(), CallError> {
        match *work {
            Work::Send(ticket, ..) => {
                let failure = Failure::not_sent(NotSent::vouch()).because(error);
                match self.hub.on_reply(ticket, Err(failure)) {
                    Next::Work(more) => self.fly(more),
                    Next::Landed(outcome) => outcome,
                }
            }
            save @ Work::Save(..) => self.fly(Box::new(save)),
        }
    }

    fn land(&self, flight: &Flight, outcome: Result<(), CallError>) {
        self.hub.lock().flight.take_if(|current| current.is(flight));
        flight.land(outcome);
    }
}
