//! The published token that answers most asks, and how a client lends it.
//!
//! Owns the check of a published token against the clocks, at each ask. Does not know about
//! sessions: [`common`](crate::client::common) decides what is published, and when.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use imts_core::session::Outlook;
use imts_core::time::{Mono, Wall};
use imts_core::{Bearer, Epoch, Now};

use crate::clock::{self, Clock};
use crate::sync::{CachedRead, Lent, owned};

/// Borrows the [`Bearer`] that a client has cached. It was valid when the client returned it.
///
/// Taking one and dropping it costs no allocation and no reference count that threads would contend
/// for. It dereferences to the bearer, so it goes wherever a `&Bearer` goes. To keep the bearer,
/// clone it: [`clone`](Clone::clone) is the bearer's own, and returns a [`Bearer`].
///
/// ```
/// # let sandbox = std::sync::Mutex::new(imts_sandbox::Sandbox::default());
/// # let transport = move |request: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
/// #     let request = request.map(|body| body.as_ref().to_vec());
/// #     Ok(sandbox.lock().unwrap().handle(imts_sandbox::Time::from(std::time::SystemTime::now()), &request))
/// # };
/// # let client = imts::Builder::new(imts::Endpoint::https("https://sandbox.example")?)
/// #     .credentials(imts::Credentials::new("sandbox-agent", "sandbox-secret")?)
/// #     .blocking(transport)?;
/// let kept: imts::Bearer = client.token()?.clone();
/// assert_eq!(kept.epoch(), client.token()?.epoch());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BearerGuard(Lent<Snapshot>);

impl BearerGuard {
    /// Borrows the published token. The argument must hold one.
    #[inline]
    pub(crate) fn lent(snapshot: Lent<Snapshot>) -> Self {
        Self(snapshot)
    }

    /// Holds a bearer that is not the published one.
    pub(crate) fn owned(bearer: Bearer) -> Self {
        Self(owned(Arc::new(Snapshot::of(bearer))))
    }
}

impl Deref for BearerGuard {
    type Target = Bearer;

    #[inline]
    fn deref(&self) -> &Bearer {
        match self.0.as_ref() {
            Some(snapshot) => &snapshot.bearer,
            None => unreachable!("only what is there is lent"),
        }
    }
}

impl AsRef<Bearer> for BearerGuard {
    fn as_ref(&self) -> &Bearer {
        self
    }
}

impl From<BearerGuard> for Bearer {
    fn from(guard: BearerGuard) -> Self {
        (*guard).clone()
    }
}

impl fmt::Debug for BearerGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The published part of a session: its token, and until when asks need nothing else from the
/// session.
pub(crate) struct Snapshot {
    bearer: Bearer,
    /// The readings of both clocks from which a renewal is due, by coarse readings.
    due: Option<Now>,
    /// How far a coarse reading may be behind.
    lag: Duration,
    /// The last tick of the clock at which no renewal was due; 0 if that is not known.
    fresh_at: AtomicU64,
}

impl Snapshot {
    pub(crate) fn new(outlook: Outlook<'_>, due: Option<Now>, lag: Duration) -> Self {
        let by = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
        let due = due.map(|due| Now {
            mono: Mono::from_micros(due.mono.as_micros().saturating_sub(by)),
            wall: Wall::from_unix_micros(due.wall.unix_micros().saturating_sub_unsigned(by)),
        });
        Self { due, lag, ..Self::of(outlook.bearer().clone()) }
    }

    /// Creates a snapshot of a token alone. It answers no ask.
    fn of(bearer: Bearer) -> Self {
        Self { bearer, due: None, lag: Duration::ZERO, fresh_at: AtomicU64::new(0) }
    }

    /// Returns whether the token is valid and no renewal is due.
    ///
    /// The stored tick orders nothing: a stale tick costs one reading of the clock.
    #[inline]
    pub(crate) fn is_fresh(&self, clock: &clock::Source) -> bool {
        let tick = clock.tick().unwrap_or(0);
        self.was_fresh_at(tick) || self.is_fresh_from(tick, clock)
    }

    /// Returns whether the token was valid and no renewal was due at this tick of the clock.
    #[inline]
    pub(crate) fn was_fresh_at(&self, tick: u64) -> bool {
        tick != 0 && tick == self.fresh_at.load(Ordering::Relaxed)
    }

    /// Checks by a reading of the clock, and stores the result.
    #[cold]
    fn is_fresh_from(&self, tick: u64, clock: &clock::Source) -> bool {
        let is_fresh = self.is_before_due(clock.coarse());
        if is_fresh && tick != 0 {
            self.fresh_at.store(tick, Ordering::Relaxed);
        }
        is_fresh
    }

    fn is_before_due(&self, coarse: Now) -> bool {
        self.due.is_some_and(|due| coarse.mono < due.mono && coarse.wall < due.wall)
    }

    /// Returns whether the token has this much life left.
    #[inline]
    pub(crate) fn lasts(&self, at_least: Duration, clock: &clock::Source) -> bool {
        at_least.is_zero()
            || self.bearer.remaining(clock.coarse()) >= at_least.saturating_add(self.lag)
    }

    /// Returns whether this is the token of that grant.
    pub(crate) fn is_of(&self, epoch: Epoch) -> bool {
        self.bearer.epoch() == epoch
    }

    /// Returns whether the token is valid, whether or not a renewal is due.
    pub(crate) fn is_usable(&self, clock: &clock::Source) -> bool {
        !self.bearer.remaining(clock.now()).is_zero()
    }
}

/// The published snapshot that one thread or task last saw.
pub(crate) struct TokenCache {
    clock: clock::Source,
    snapshot: CachedRead<Snapshot>,
}

impl TokenCache {
    pub(crate) fn new(clock: clock::Source, snapshot: CachedRead<Snapshot>) -> Self {
        Self { clock, snapshot }
    }

    /// Returns the published token, if it is valid now and no renewal is due.
    #[inline]
    pub(crate) fn fresh(&mut self) -> Option<&Bearer> {
        let snapshot = self.snapshot.load()?;
        snapshot.is_fresh(&self.clock).then_some(&snapshot.bearer)
    }
}
