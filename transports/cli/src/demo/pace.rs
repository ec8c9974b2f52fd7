//! How slow this machine is, and how much longer the demo's tokens live because of that.
//!
//! Owns one figure: the longest that an exchange with the sandbox or a sleep was late, measured at the
//! start and at each wait. On a calm machine that is nothing, and every time is as it is written.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use super::control::Control;

/// How often the start measures an exchange and a sleep.
const ROUNDS: u32 = 20;
/// How late something must be for the times to grow by their own length.
const STEP: Duration = Duration::from_millis(50);
/// No machine is so slow that times grow further.
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

    /// Sleeps, and sees how much longer that takes.
    pub(crate) fn sleep(&self, duration: Duration) {
        let began = Instant::now();
        thread::sleep(duration);
        self.is_late_by(began.elapsed().saturating_sub(duration));
    }

    fn is_late_by(&self, late: Duration) {
        self.latest.set(self.latest.get().max(late));
    }

    /// How many times as long everything takes: 1 on a calm machine.
    pub(crate) fn factor(&self) -> u32 {
        let steps = self.latest.get().as_millis() / STEP.as_millis();
        u32::try_from(steps).unwrap_or(MOST).saturating_add(1).min(MOST)
    }

    pub(crate) fn scaled(&self, duration: Duration) -> Duration {
        duration * self.factor()
    }
}
