//! The only place that reads clocks.
//!
//! Owns the two sources of [`Now`], precise and coarse, and the deadline of a caller who waits. Knows
//! nothing of what the readings are for.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod portable;

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use imts_core::{Mono, Now, Wall};

/// Where a client reads the time: one source for its whole life.
///
/// Only [`now`](Clock::now) is needed. The others are for a clock that has a reading at hand which
/// is cheaper and a little old: they come together, or not at all.
pub trait Clock: Send + Sync {
    /// What the two clocks show.
    fn now(&self) -> Now;

    /// What the two clocks showed a moment ago, no longer than [`lag`](Clock::lag).
    fn coarse(&self) -> Now {
        self.now()
    }

    /// How far behind [`now`](Clock::now) a [`coarse`](Clock::coarse) reading may be. Read once for
    /// each client; a token counts as due for renewal that much sooner.
    fn lag(&self) -> Duration {
        Duration::ZERO
    }

    /// A number that is another one after each change of [`coarse`](Clock::coarse); `None` where
    /// there is none that is cheaper to read. While it stays, what was found by a coarse reading is
    /// taken to hold.
    fn tick(&self) -> Option<u64> {
        None
    }

    /// Takes what is to be called whenever the clock was set by hand, so that whoever waits looks at
    /// it again. A clock that goes on by itself needs none of this, which is the default.
    fn on_set(&self, look_again: Weak<dyn Fn() + Send + Sync>) {
        drop(look_again);
    }
}

/// The machine's own clocks.
///
/// On Linux these are `CLOCK_MONOTONIC` and `CLOCK_REALTIME`, and their coarse versions, which cost
/// an eighth and are as old as the last timer tick: the monotonic one stands still while the machine
/// is suspended, the other one does not. Elsewhere, [`Instant`] and
/// [`SystemTime`](std::time::SystemTime).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// A client's clock. The machine's own is known by name, so that reading it is part of an ask's code
/// and not a call through a table.
#[derive(Clone)]
pub(crate) enum Source {
    Machine,
    Other(Arc<dyn Clock>),
}

impl Source {
    pub(crate) fn of(clock: impl Clock + 'static) -> Self {
        if clock.type_id() == TypeId::of::<SystemClock>() {
            Self::Machine
        } else {
            Self::Other(Arc::new(clock))
        }
    }
}

impl Clock for Source {
    #[inline]
    fn now(&self) -> Now {
        match self {
            Self::Machine => SystemClock.now(),
            Self::Other(clock) => clock.now(),
        }
    }

    #[inline]
    fn coarse(&self) -> Now {
        match self {
            Self::Machine => SystemClock.coarse(),
            Self::Other(clock) => clock.coarse(),
        }
    }

    fn lag(&self) -> Duration {
        match self {
            Self::Machine => SystemClock.lag(),
            Self::Other(clock) => clock.lag(),
        }
    }

    #[inline]
    fn tick(&self) -> Option<u64> {
        match self {
            Self::Machine => SystemClock.tick(),
            Self::Other(clock) => clock.tick(),
        }
    }

    fn on_set(&self, look_again: Weak<dyn Fn() + Send + Sync>) {
        if let Self::Other(clock) = self {
            clock.on_set(look_again);
        }
    }
}

/// A clock that stands still until it is told otherwise, for tests in virtual time. Clones share
/// one time. Setting it wakes those who wait for a time to come: a client's
/// [`token_waiting`](crate::Client::token_waiting), for example.
///
/// ```
/// use std::time::Duration;
/// use imts::{Clock, ManualClock};
///
/// let clock = ManualClock::default();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(30 * 86_400));
/// assert_eq!(clock.now().wall.since(before.wall), Duration::from_secs(2_592_000));
/// ```
#[derive(Clone)]
pub struct ManualClock(Arc<Readings>);

struct Readings {
    mono: AtomicU64,
    wall: AtomicI64,
    /// Who is told that it was set.
    told: Mutex<Vec<Weak<dyn Fn() + Send + Sync>>>,
}

impl ManualClock {
    /// A clock that shows this moment.
    #[must_use]
    pub fn at(now: Now) -> Self {
        let readings = Readings {
            mono: AtomicU64::new(0),
            wall: AtomicI64::new(0),
            told: Mutex::new(Vec::new()),
        };
        let clock = Self(Arc::new(readings));
        clock.set(now);
        clock
    }

    /// Sets both clocks, to jump them apart for example.
    pub fn set(&self, now: Now) {
        self.0.mono.store(now.mono.as_micros(), Ordering::SeqCst);
        self.0.wall.store(now.wall.unix_micros(), Ordering::SeqCst);
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|it| it.strong_count() > 0);
        let all: Vec<_> = told.iter().filter_map(Weak::upgrade).collect();
        drop(told);
        for look_again in all {
            look_again();
        }
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().advanced_by(by));
    }
}

impl Default for ManualClock {
    /// A clock that shows 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::at(Now { mono: Mono::default(), wall: Wall::from_unix_micros(1_767_225_600_000_000) })
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Now {
        Now {
            mono: Mono::from_micros(self.0.mono.load(Ordering::SeqCst)),
            wall: Wall::from_unix_micros(self.0.wall.load(Ordering::SeqCst)),
        }
    }

    fn on_set(&self, look_again: Weak<dyn Fn() + Send + Sync>) {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner).push(look_again);
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

/// How long ago this was, by the clock that says more: while a machine is suspended, the monotonic one
/// may stand still.
#[cfg(feature = "_tls")]
pub(crate) fn age(since: Now, now: Now) -> Duration {
    now.mono.since(since.mono).max(now.wall.since(since.wall))
}

/// When a caller's patience ends, by the real clock even where a client's is virtual: it bounds how
/// long a thread is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// `after` from now; never, where that is beyond what the machine can count.
    pub(crate) fn after(after: Duration) -> Self {
        Self(Instant::now().checked_add(after))
    }

    /// What is left; `None` where the deadline has passed.
    pub(crate) fn left(self) -> Option<Duration> {
        let Some(at) = self.0 else { return Some(Duration::MAX) };
        Some(at.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }
}
