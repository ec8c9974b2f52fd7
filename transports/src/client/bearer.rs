//! The published token that answers most asks, and how a client lends it.
//!
//! Owns all of an ask that needs no lock: the check of the published token against the clocks. Does
//! not know about sessions: [`common`](crate::client::common) decides what is published, and when.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use imts_core::time::{Mono, Wall};
use imts_core::{Bearer, Now};

use crate::clock::{self, Clock};
use crate::sync::{CachedRead, Lent, Published, owned};

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

/// The place where a client publishes its token, and the clock that says whether the token serves.
pub(crate) struct PublishedToken {
    place: Published<Snapshot>,
    clock: clock::Source,
    /// How far the clock's coarse readings may be behind.
    lag: Duration,
}

impl PublishedToken {
    /// Creates a place without a token.
    pub(crate) fn nothing(clock: clock::Source) -> Self {
        Self { place: Published::nothing(), lag: clock.lag(), clock }
    }

    /// Answers most asks. While no renewal is due, this is all that an ask costs: no lock, no
    /// precise clock. Inlined, because a value that is returned through memory is copied once more.
    #[inline(always)]
    pub(crate) fn cached(&self, at_least: Duration) -> Option<BearerGuard> {
        // Read the tick first: nothing may unwind between the load and the return.
        let tick = self.clock.tick().unwrap_or(0);
        let published = self.place.load();
        if at_least.is_zero() && published.as_ref().is_some_and(|it| it.was_fresh_at(tick)) {
            return Some(BearerGuard(published));
        }
        self.cached_now(at_least)
    }

    /// Returns what [`cached`](Self::cached) serves, for a caller that has waited. It is not
    /// inlined, so that `cached` stays inlined.
    #[cold]
    #[inline(never)]
    pub(crate) fn cached_now(&self, at_least: Duration) -> Option<BearerGuard> {
        self.lent_if(|it| it.is_fresh(&self.clock) && it.lasts(at_least, &self.clock))
    }

    /// Returns the token if it is valid and has this much life left, whether or not a renewal is
    /// due.
    pub(crate) fn usable(&self, at_least: Duration) -> Option<BearerGuard> {
        self.lent_if(|it| it.is_usable(&self.clock) && it.lasts(at_least, &self.clock))
    }

    /// Returns the published bearer if it is the same one: this saves an allocation.
    pub(crate) fn share(&self, bearer: Bearer) -> BearerGuard {
        self.lent_if(|it| it.bearer.epoch() == bearer.epoch())
            .unwrap_or_else(|| BearerGuard::owned(bearer))
    }

    /// Returns a cache of what is published, for one thread or task.
    pub(crate) fn token_cache(&self) -> TokenCache {
        TokenCache { clock: self.clock.clone(), snapshot: self.place.cached_read() }
    }

    /// Publishes a token, and from when a renewal is due, by precise readings. `None` as that time
    /// means that each ask goes to the session.
    pub(crate) fn publish(&self, token: Option<(&Bearer, Option<Now>)>) {
        self.place.store(token.map(|(bearer, due)| Snapshot::new(bearer.clone(), due, self.lag)));
    }

    fn lent_if(&self, serves: impl FnOnce(&Snapshot) -> bool) -> Option<BearerGuard> {
        let published = self.place.load();
        if published.as_deref().is_some_and(serves) { Some(BearerGuard(published)) } else { None }
    }
}

/// The published part of a session: its token, and until when asks need nothing else from the
/// session.
struct Snapshot {
    bearer: Bearer,
    /// The readings of both clocks from which a renewal is due, by coarse readings.
    due: Option<Now>,
    /// How far a coarse reading may be behind.
    lag: Duration,
    /// The last tick of the clock at which no renewal was due; 0 if that is not known.
    fresh_at: AtomicU64,
}

impl Snapshot {
    fn new(bearer: Bearer, due: Option<Now>, lag: Duration) -> Self {
        let by = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
        let due = due.map(|due| Now {
            mono: Mono::from_micros(due.mono.as_micros().saturating_sub(by)),
            wall: Wall::from_unix_micros(due.wall.unix_micros().saturating_sub_unsigned(by)),
        });
        Self { due, lag, ..Self::of(bearer) }
    }

    /// Creates a snapshot of a token alone. It answers no ask.
    fn of(bearer: Bearer) -> Self {
        Self { bearer, due: None, lag: Duration::ZERO, fresh_at: AtomicU64::new(0) }
    }

    /// Returns whether the token is valid and no renewal is due.
    ///
    /// The stored tick orders nothing: a stale tick costs one reading of the clock.
    #[inline]
    fn is_fresh(&self, clock: &clock::Source) -> bool {
        let tick = clock.tick().unwrap_or(0);
        self.was_fresh_at(tick) || self.is_fresh_from(tick, clock)
    }

    /// Returns whether the token was valid and no renewal was due at this tick of the clock.
    #[inline]
    fn was_fresh_at(&self, tick: u64) -> bool {
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
    fn lasts(&self, at_least: Duration, clock: &clock::Source) -> bool {
        at_least.is_zero()
            || self.bearer.remaining(clock.coarse()) >= at_least.saturating_add(self.lag)
    }

    /// Returns whether the token is valid, whether or not a renewal is due.
    fn is_usable(&self, clock: &clock::Source) -> bool {
        !self.bearer.remaining(clock.now()).is_zero()
    }
}

/// The published snapshot that one thread or task last saw.
pub(crate) struct TokenCache {
    clock: clock::Source,
    snapshot: CachedRead<Snapshot>,
}

impl TokenCache {
    /// Returns the published token, if it is valid now and no renewal is due.
    #[inline]
    pub(crate) fn fresh(&mut self) -> Option<&Bearer> {
        let snapshot = self.snapshot.load()?;
        snapshot.is_fresh(&self.clock).then_some(&snapshot.bearer)
    }
}
