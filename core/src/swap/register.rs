//! One entry of a shared store, and the rule by which a swap changes it.
//!
//! Owns that rule, for every store that keeps its entry itself. Does not know how an entry is kept,
//! or who else changes it: the caller makes the whole swap atomic.

use std::time::Duration;

use super::{Found, Held, Stamp, StoreTime, Swap, Swapped};
use crate::saved::Saved;

/// One entry of a shared store: a state, its stamp, and a lease. `Debug` prints no token.
#[derive(Clone, Debug, Default)]
pub struct Register {
    /// The stamp of the state. [`Stamp::NONE`] if nothing is there.
    pub stamp: Stamp,
    /// The state. `None` if nothing is there, or nothing that can be read.
    pub state: Option<Saved>,
    /// When the state was made, by the store's clock.
    pub made_at: StoreTime,
    /// Whether the store had moved when the state was put: see [`Swapped::Done`].
    pub moved: bool,
    /// The lease that came with the state. `None` if it had none.
    pub lease: Option<Lease>,
}

/// The right of one session to replace the state, while others wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The random number of the session that holds it.
    pub holder: u64,
    /// When it ends, by the store's clock.
    pub until: StoreTime,
    /// Its whole length. What is left is never more, even if the store's clock is set back.
    pub length: Duration,
    /// Whether the holder sends nothing while it runs.
    pub resting: bool,
}

impl Register {
    /// Does a swap, or answers with what is there. `now` is what the store's clock shows. `moved`
    /// says whether the store may have lost writes since the entry was put.
    ///
    /// The state is put if its place has the expected stamp, nobody else holds a running lease, and
    /// the swap is not late. A swap that is repeated changes nothing, and has the same answer.
    pub fn swap(&mut self, swap: &Swap, now: StoreTime, moved: bool) -> Swapped {
        let Some(put) = swap.put() else { return Swapped::Other(self.found(swap.holder(), now)) };
        if put.stamp() == self.stamp {
            return Swapped::Done { moved: self.moved, at: now };
        }
        let is_held = self.held(swap.holder(), now).is_some();
        if is_held || self.stamp != swap.expects() || swap.is_late(now) {
            return Swapped::Other(self.found(swap.holder(), now));
        }
        let moved = moved && !self.stamp.is_none();
        let lease = Lease {
            holder: swap.holder(),
            until: now.after(swap.lease()),
            length: swap.lease(),
            resting: swap.is_resting(),
        };
        *self = Self {
            stamp: put.stamp(),
            state: Some(put.clone()),
            made_at: swap.put_at(now),
            moved,
            lease: Some(lease).filter(|lease| !lease.length.is_zero()),
        };
        Swapped::Done { moved, at: now }
    }

    /// Returns the entry as the session with this number finds it.
    #[must_use]
    pub fn found(&self, holder: u64, now: StoreTime) -> Found {
        Found {
            stamp: self.stamp,
            state: self.state.clone().map(Box::new),
            age: now.since(self.made_at),
            held: self.held(holder, now),
            moved: self.moved,
            at: now,
        }
    }

    /// The lease that keeps the session with this number from a swap.
    fn held(&self, holder: u64, now: StoreTime) -> Option<Held> {
        let lease = self.lease.filter(|lease| lease.holder != holder)?;
        let left = lease.until.since(now).min(lease.length);
        Some(Held { left, resting: lease.resting }).filter(|held| !held.left.is_zero())
    }
}
