//! The store: one register, its history, and what befalls it.

use imts_core::swap::{Register, StoreTime, Swap, Swapped};

#[derive(Default)]
pub(super) struct Store {
    register: Register,
    /// The incarnation in which the register was put.
    put_in: u64,
    /// The present incarnation.
    incarnation: u64,
    /// Earlier registers, each with its incarnation.
    history: Vec<(Register, u64)>,
    /// How far its clock is ahead of the true time, in microseconds.
    ahead: i64,
    pub(super) stands_still: bool,
    /// By how much its clock was set back, in microseconds. It then takes states for younger than
    /// they are, and leases for running that much longer.
    pub(super) set_back: i64,
    /// Whether it has lost something, or its clock has jumped.
    pub(super) is_disturbed: bool,
}

impl Store {
    pub(super) fn swap(&mut self, swap: &Swap, truth: i64) -> Swapped {
        let moved = self.put_in != self.incarnation;
        let before = self.register.stamp;
        let swapped = self.register.swap(swap, StoreTime::from_micros(truth + self.ahead), moved);
        if self.register.stamp != before {
            self.put_in = self.incarnation;
            self.history.push((self.register.clone(), self.put_in));
        }
        swapped
    }

    pub(super) fn history(&self) -> usize {
        self.history.len()
    }

    /// It forgets everything, with or without a restart.
    pub(super) fn forget(&mut self, restarts: bool) {
        self.register = Register::default();
        self.incarnation += u64::from(restarts);
        self.is_disturbed = true;
    }

    /// It goes back to an earlier state, as a restart from an old dump does.
    pub(super) fn go_back(&mut self, to: usize) {
        (self.register, self.put_in) = self.history[to].clone();
        self.incarnation += 1;
        self.is_disturbed = true;
    }

    /// It restarts, and loses nothing.
    pub(super) fn restart(&mut self) {
        self.incarnation += 1;
    }

    pub(super) fn jump(&mut self, by: i64) {
        self.ahead += by;
        self.set_back += by.min(0).abs();
        self.is_disturbed = true;
    }
}
