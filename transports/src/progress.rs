//! How far a request has come, as its transport tells it.
//!
//! Owns the proof that nothing of a request has left. A transport that tells nothing proves nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How far one request has come. Clones share it: the transport writes, the client reads, whenever
/// it has to know, also from another task.
///
/// ```
/// use imts::Progress;
///
/// let progress = Progress::default();
/// assert!(!progress.is_held()); // Nobody has said so.
/// progress.hold();
/// assert!(progress.is_held());
/// assert!(progress.leave());
/// assert!(!progress.is_held());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU8>);

impl Progress {
    /// Says that nothing has left yet, and that [`leave`](Self::leave) is called before anything does.
    pub fn hold(&self) {
        self.change(UNTOLD, HELD);
    }

    /// Called before the first byte of the request, or more of it, is given to the network. `false`:
    /// the request was withdrawn, and must not leave.
    #[must_use]
    pub fn leave(&self) -> bool {
        self.set_out().is_some()
    }

    /// Whether the transport has said that nothing of the request has left.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.0.load(Ordering::SeqCst), HELD | WITHDRAWN | STRANDED)
    }

    /// Writes some of the request, unless it was withdrawn. A first write that wrote nothing leaves it
    /// held.
    #[cfg(feature = "hyper-util")]
    pub(crate) fn write<T>(
        &self,
        write: impl FnOnce() -> T,
        wrote: impl FnOnce(&T) -> bool,
    ) -> Option<T> {
        let before = self.set_out()?;
        let outcome = write();
        if before == HELD && !wrote(&outcome) {
            self.change(LEFT, HELD);
        }
        Some(outcome)
    }

    /// Takes a request back that is held: from now on it cannot leave. `false` if it may have left.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        self.change(HELD, WITHDRAWN) || self.is_held()
    }

    /// Takes a request back that is held, because what drove it is gone: nothing was tried in vain.
    pub(crate) fn strand(&self) {
        self.change(HELD, STRANDED);
    }

    /// Whether a request was taken back because what drove it is gone.
    pub(crate) fn is_stranded(&self) -> bool {
        self.0.load(Ordering::SeqCst) == STRANDED
    }

    /// It leaves, if it was not withdrawn: what it was before.
    fn set_out(&self) -> Option<u8> {
        let leaves = |it| (it != WITHDRAWN && it != STRANDED).then_some(LEFT);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, leaves).ok()
    }

    fn change(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

/// Nothing was said of it.
const UNTOLD: u8 = 0;
/// Nothing of it has left.
const HELD: u8 = 1;
/// It is leaving, or has left.
const LEFT: u8 = 2;
/// Nothing of it has left, and nothing will.
const WITHDRAWN: u8 = 3;
/// The same, because what drove it is gone.
const STRANDED: u8 = 4;

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn what_was_withdrawn_cannot_leave_and_what_may_have_left_cannot_be_withdrawn() {
        let held = || {
            let progress = Progress::default();
            progress.hold();
            progress
        };
        let withdrawn = held();
        assert!(withdrawn.withdraw() && withdrawn.withdraw() && withdrawn.is_held());
        assert!(!withdrawn.leave() && withdrawn.is_held());
        let stranded = held();
        stranded.strand();
        assert!(stranded.is_stranded() && stranded.withdraw() && stranded.is_held());
        assert!(!stranded.leave() && stranded.is_stranded());
        withdrawn.strand();
        assert!(!withdrawn.is_stranded());
        let left = held();
        assert!(left.leave() && left.leave());
        left.strand();
        assert!(!left.is_stranded());
        assert!(!left.withdraw() && !left.is_held());
        let untold = Progress::default();
        assert!(!untold.withdraw() && !untold.is_held() && untold.leave());
        untold.hold();
        assert!(!untold.is_held(), "it had left before");
    }

    #[test]
    #[cfg(feature = "hyper-util")]
    fn a_first_write_that_wrote_nothing_leaves_it_held() {
        let progress = Progress::default();
        progress.hold();
        assert_eq!(progress.write(|| 0, |wrote| *wrote > 0), Some(0));
        assert!(progress.is_held());
        assert_eq!(progress.write(|| 3, |wrote| *wrote > 0), Some(3));
        assert!(!progress.is_held());
        assert_eq!(progress.write(|| 0, |wrote| *wrote > 0), Some(0));
        assert!(!progress.is_held(), "a later write proves nothing");
        let withdrawn = Progress::default();
        withdrawn.hold();
        assert!(withdrawn.withdraw());
        assert_eq!(withdrawn.write(|| panic!("it leaves"), |(): &()| true), None);
    }
}
