//! How slow this machine is, and how much longer the demo's tokens live because of that.
//!
//! Owns one figure: the longest delay of an exchange with the sandbox or of a sleep. It is measured
//! at the start and at each wait. On an idle machine it is zero, and every time is as written.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use super::control::Control;

/// How often an exchange and a sleep are measured at the start.
const ROUNDS: u32 = 20;
/// The delay for which all times grow by their own length once more.
const STEP: Duration = Duration::from_millis(50);
/// The highest factor. Times do not grow further on a slower machine.
const MOST: u32 = 8;

pub(crate) struct Pace {
    latest: Cell<Duration>,
}

impl Pace {
    /// Measures some exchanges with the sandbox and some sleeps.
    pub(crate) fn measure(control: &Control) -> Result<Self, String> {
        let pace = Self { latest: Cell::new(Duration::ZERO) };
        for _ in 0..ROUNDS {
            let began = Instant::now();
            control.mark()?;
            pace.is_late_by(began.elapsed());
            pace.sleep(Duration::from_millis(1));
        }
        Ok(pace)
    }

    /// Sleeps, and measures the delay.
    pub(crate) fn sleep(&self, duration: Duration) {
        let began = Instant::now();
        thread::sleep(duration);
        self.is_late_by(began.elapsed().saturating_sub(duration));
    }

    fn is_late_by(&self, late: Duration) {
        self.latest.set(self.latest.get().max(late));
    }

    /// Returns the factor for all times: 1 on an idle machine.
    pub(crate) fn factor(&self) -> u32 {
        let steps = self.latest.get().as_millis() / STEP.as_millis();
        u32::try_from(steps).unwrap_or(MOST).saturating_add(1).min(MOST)
    }

    pub(crate) fn scaled(&self, duration: Duration) -> Duration {
        duration * self.factor()
    }
}
