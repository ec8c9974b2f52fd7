//! The machine's clocks as Linux reads them, without entering the kernel.

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
