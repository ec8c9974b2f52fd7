//! The machine's clocks as the standard library reads them.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use imts_core::Now;
use imts_core::time::{Mono, Wall};

use super::{Clock, SystemClock};

impl Clock for SystemClock {
    fn now(&self) -> Now {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let elapsed = ORIGIN.get_or_init(Instant::now).elapsed();
        Now { mono: Mono::from(elapsed), wall: wall(SystemTime::now()) }
    }
}

/// Returns the system's time in microseconds, negative before 1970.
fn wall(time: SystemTime) -> Wall {
    let micros = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
    };
    Wall::from_unix_micros(micros)
}
