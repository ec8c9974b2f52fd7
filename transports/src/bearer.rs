//! A bearer as it is handed out, and the published one that most asks are served from.
//!
//! Owns the check of a published token against the clocks, at each ask. Knows nothing of sessions:
//! what is published, and when, is [`hub`](crate::hub)'s matter.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use imts_core::{Epoch, Mono, Now, Outlook, Wall};

use crate::clock::{self, Clock};
use crate::sync::{Lent, Sighted, owned};

/// A bearer that was valid when a client handed it out: [`imts_core::Bearer`], lent.
///
/// Taking one and letting it go costs no allocation, and no count of references that threads would
/// contend for. A clone is for keeping.
pub struct Bearer(Lent<Snapshot>);

impl Bearer {
    /// Lends what is published, which must be something.
    #[inline]
    pub(crate) fn lent(snapshot: Lent<Snapshot>) -> Self {
        Self(snapshot)
    }

    /// A share of its own.
    fn owned(snapshot: &Arc<Snapshot>) -> Self {
        Self(owned(Arc::clone(snapshot)))
    }

    fn snapshot(&self) -> &Arc<Snapshot> {
        match self.0.as_ref() {
            Some(snapshot) => snapshot,
            None => unreachable!("only what is there is lent"),
        }
    }
}

impl Deref for Bearer {
    type Target = imts_core::Bearer;

    #[inline]
    fn deref(&self) -> &imts_core::Bearer {
        &self.snapshot().bearer
    }
}

impl Clone for Bearer {
    /// One of its own, no longer lent.
    fn clone(&self) -> Self {
        let snapshot = self.snapshot();
        Self::owned(snapshot.kept.as_ref().map_or(snapshot, Self::snapshot))
    }
}

impl AsRef<imts_core::Bearer> for Bearer {
    fn as_ref(&self) -> &imts_core::Bearer {
        self
    }
}

impl From<imts_core::Bearer> for Bearer {
    fn from(bearer: imts_core::Bearer) -> Self {
        Self::owned(&Arc::new(Snapshot::of(bearer)))
    }
}

impl From<Bearer> for imts_core::Bearer {
    fn from(bearer: Bearer) -> Self {
        (*bearer).clone()
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// What is published of a session: its token, and until when asks need nothing else of it.
pub(crate) struct Snapshot {
    bearer: imts_core::Bearer,
    /// The same as a share of its own, for who keeps it; `None` in that share.
    kept: Option<Bearer>,
    /// Both clocks' readings from which on a renewal is due, as coarse readings tell it.
    due: Option<Now>,
    /// How far a coarse reading may be behind.
    lag: Duration,
    /// The last tick of the clock at which no renewal was due; 0 where that is not known.
    calm_at: AtomicU64,
}

impl Snapshot {
    pub(crate) fn new(outlook: Outlook<'_>, due: Option<Now>, lag: Duration) -> Self {
        let by = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
        let due = due.map(|due| Now {
            mono: Mono::from_micros(due.mono.as_micros().saturating_sub(by)),
            wall: Wall::from_unix_micros(due.wall.unix_micros().saturating_sub_unsigned(by)),
        });
        let kept = Some(outlook.bearer().clone().into());
        Self { kept, due, lag, ..Self::of(outlook.bearer().clone()) }
    }

    /// A token alone, which serves no ask.
    fn of(bearer: imts_core::Bearer) -> Self {
        Self { bearer, kept: None, due: None, lag: Duration::ZERO, calm_at: AtomicU64::new(0) }
    }

    /// Whether the token is good and no renewal due.
    ///
    /// Nothing is ordered by the tick that is kept: a stale one costs a reading of the clock.
    #[inline]
    pub(crate) fn is_calm(&self, clock: &clock::Source) -> bool {
        let tick = clock.tick().unwrap_or(0);
        self.was_calm_at(tick) || self.is_calm_from(tick, clock)
    }

    /// Whether that was found at this tick of the clock.
    #[inline]
    pub(crate) fn was_calm_at(&self, tick: u64) -> bool {
        tick != 0 && tick == self.calm_at.load(Ordering::Relaxed)
    }

    /// By a reading of the clock, which is remembered.
    #[cold]
    fn is_calm_from(&self, tick: u64, clock: &clock::Source) -> bool {
        let is_calm = self.is_early(clock.coarse());
        if is_calm && tick != 0 {
            self.calm_at.store(tick, Ordering::Relaxed);
        }
        is_calm
    }

    fn is_early(&self, coarse: Now) -> bool {
        self.due.is_some_and(|due| coarse.mono < due.mono && coarse.wall < due.wall)
    }

    /// Whether the token has so much life left.
    #[inline]
    pub(crate) fn lasts(&self, at_least: Duration, clock: &clock::Source) -> bool {
        at_least.is_zero()
            || self.bearer.remaining(clock.coarse()) >= at_least.saturating_add(self.lag)
    }

    /// Whether this is the token of that grant.
    pub(crate) fn is_of(&self, epoch: Epoch) -> bool {
        self.bearer.epoch() == epoch
    }

    /// Whether the token is good, due or not.
    pub(crate) fn is_usable(&self, clock: &clock::Source) -> bool {
        !self.bearer.remaining(clock.now()).is_zero()
    }
}

/// What one thread or task found published last.
pub(crate) struct Sight {
    clock: clock::Source,
    snapshot: Sighted<Snapshot>,
}

impl Sight {
    pub(crate) fn new(clock: clock::Source, snapshot: Sighted<Snapshot>) -> Self {
        Self { clock, snapshot }
    }

    /// The published token, if it is good now and no renewal due.
    #[inline]
    pub(crate) fn calm(&mut self) -> Option<&Bearer> {
        let snapshot = self.snapshot.look()?;
        snapshot.kept.as_ref().filter(|_| snapshot.is_calm(&self.clock))
    }
}
