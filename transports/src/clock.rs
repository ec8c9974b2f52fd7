//! The only place that reads clocks.
//!
//! Owns the two sources of [`Now`], precise and coarse, and the deadline of a caller who waits.
//! Does not know what the readings are for.

#[cfg(not(target_os = "linux"))]
mod portable;

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use imts_core::Now;
use imts_core::time::{Mono, Wall};

/// The clock that a client reads: one source for its whole life.
///
/// Only [`now`](Clock::now) is required. The other methods are for a clock that also has a cheaper,
/// slightly old reading: implement all of them, or none.
pub trait Clock: Send + Sync {
    /// Returns what the two clocks show.
    fn now(&self) -> Now;

    /// Returns what the two clocks showed a moment ago: at most [`lag`](Clock::lag) ago.
    fn coarse(&self) -> Now {
        self.now()
    }

    /// Returns how far a [`coarse`](Clock::coarse) reading may be behind [`now`](Clock::now). Each
    /// client reads it once; a token counts as due for renewal that much sooner.
    fn lag(&self) -> Duration {
        Duration::ZERO
    }

    /// Returns a number that differs after each change of [`coarse`](Clock::coarse). `None` if
    /// there is no such number that is cheaper to read. While the number stays the same, the result
    /// of a coarse reading is taken to hold.
    fn tick(&self) -> Option<u64> {
        None
    }

    /// Registers a function to call whenever the clock was set by hand, so that callers that wait
    /// read the clock again. A clock that runs by itself does not need this; the default does
    /// nothing.
    fn on_set(&self, listener: Weak<dyn Fn() + Send + Sync>) {
        drop(listener);
    }
}

/// The machine's own clocks.
///
/// On Linux these are `CLOCK_MONOTONIC` and `CLOCK_REALTIME`, and their coarse versions. A coarse
/// reading costs an eighth and is as old as the last timer tick. The monotonic clock stands still
/// while the machine is suspended; the other does not. On other systems these are [`Instant`] and
/// [`SystemTime`](std::time::SystemTime).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// The machine's clocks as Linux reads them, without entering the kernel.
#[cfg(target_os = "linux")]
mod linux {
    use std::time::Duration;

    use imts_core::Now;
    use imts_core::time::{Mono, Wall};
    use rustix::time::{ClockId, Timespec, clock_gettime};

    use super::{Clock, SystemClock};

    /// Five ticks of the slowest timer (100 Hz): what keeps the time for the others may be delayed.
    const LAG: Duration = Duration::from_millis(50);

    impl Clock for SystemClock {
        fn now(&self) -> Now {
            reading(clock_gettime(ClockId::Monotonic), clock_gettime(ClockId::Realtime))
        }

        fn coarse(&self) -> Now {
            reading(clock_gettime(ClockId::MonotonicCoarse), clock_gettime(ClockId::RealtimeCoarse))
        }

        fn lag(&self) -> Duration {
            LAG
        }

        #[inline]
        fn tick(&self) -> Option<u64> {
            let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::MonotonicCoarse);
            Some((tv_sec as u64) << 30 | tv_nsec as u64)
        }
    }

    /// Returns both in microseconds. The kernel keeps nanoseconds below a second, and seconds far below
    /// the point of overflow.
    fn reading(mono: Timespec, wall: Timespec) -> Now {
        Now {
            mono: Mono::from_micros(u64::try_from(micros(mono)).unwrap_or_default()),
            wall: Wall::from_unix_micros(micros(wall)),
        }
    }

    fn micros(Timespec { tv_sec, tv_nsec }: Timespec) -> i64 {
        tv_sec.saturating_mul(1_000_000).saturating_add(tv_nsec / 1_000)
    }
}

/// A client's clock. The machine's own clock is a variant of its own, so that reading it is inlined
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

    fn on_set(&self, listener: Weak<dyn Fn() + Send + Sync>) {
        if let Self::Other(clock) = self {
            clock.on_set(listener);
        }
    }
}

/// A clock that stands still until it is set, for tests in virtual time. Clones share one time.
/// Setting it wakes callers that wait for a time to come, for example in a client's
/// [`token_waiting`](crate::Client::token_waiting).
///
/// ```
/// use std::time::Duration;
/// use imts::clock::{Clock, ManualClock};
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
    /// The functions to call after the clock was set.
    listeners: Mutex<Vec<Weak<dyn Fn() + Send + Sync>>>,
}

impl ManualClock {
    /// Creates a clock that shows this moment.
    #[must_use]
    pub fn at(now: Now) -> Self {
        let readings = Readings {
            mono: AtomicU64::new(0),
            wall: AtomicI64::new(0),
            listeners: Mutex::new(Vec::new()),
        };
        let clock = Self(Arc::new(readings));
        clock.set(now);
        clock
    }

    /// Sets both clocks, for example to move them apart.
    pub fn set(&self, now: Now) {
        self.0.mono.store(now.mono.as_micros(), Ordering::SeqCst);
        self.0.wall.store(now.wall.unix_micros(), Ordering::SeqCst);
        let mut listeners = self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|it| it.strong_count() > 0);
        let all: Vec<_> = listeners.iter().filter_map(Weak::upgrade).collect();
        drop(listeners);
        for listener in all {
            listener();
        }
    }

    /// Advances both clocks.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().advanced_by(by));
    }
}

impl Default for ManualClock {
    /// Creates a clock that shows 2026-01-01T00:00:00Z.
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

    fn on_set(&self, listener: Weak<dyn Fn() + Send + Sync>) {
        self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

/// Returns how long ago this was, by the clock that shows more. While a machine is suspended, the
/// monotonic clock may stand still.
#[cfg(feature = "_connections")]
pub(crate) fn age(since: Now, now: Now) -> Duration {
    now.mono.since(since.mono).max(now.wall.since(since.wall))
}

/// When a caller's patience ends. It uses the real clock even if the client's clock is virtual,
/// because it limits how long a thread is blocked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// Returns the deadline `after` from now. If that is beyond what the machine can count, it
    /// never passes.
    pub(crate) fn after(after: Duration) -> Self {
        Self(Instant::now().checked_add(after))
    }

    /// Returns the time that is left; `None` if the deadline has passed.
    pub(crate) fn left(self) -> Option<Duration> {
        let Some(at) = self.0 else { return Some(Duration::MAX) };
        Some(at.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }
}
