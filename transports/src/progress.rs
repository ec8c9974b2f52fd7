//! How far a request has come, as its transport reports it.
//!
//! Owns the proof that nothing of a request was sent. A transport that reports nothing proves
//! nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How far one request has come. Clones share it: the transport writes it, and the client reads it
/// when it needs to, also from another task.
///
/// ```
/// use imts::transport::Progress;
///
/// let progress = Progress::default();
/// assert!(!progress.is_held()); // No transport has reported it.
/// progress.hold();
/// assert!(progress.is_held());
/// assert!(progress.leave());
/// assert!(!progress.is_held());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU8>);

impl Progress {
    /// Reports that nothing was sent yet, and that [`leave`](Self::leave) is called before anything
    /// is sent.
    pub fn hold(&self) {
        self.change(UNREPORTED, HELD);
    }

    /// Reports that bytes of the request are about to be sent. Call it before the first byte, or
    /// more of the request, is given to the network. `false`: the request was withdrawn, and must
    /// not be sent.
    #[must_use]
    pub fn leave(&self) -> bool {
        self.set_out().is_some()
    }

    /// Returns whether the transport has reported that nothing of the request was sent.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.0.load(Ordering::SeqCst), HELD | WITHDRAWN | STRANDED)
    }

    /// Writes a part of the request, unless it was withdrawn. If the first write wrote nothing, the
    /// request is still held.
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

    /// Withdraws a request that is held: from now on it cannot be sent. Returns `false` if it may
    /// have been sent.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        self.change(HELD, WITHDRAWN) || self.is_held()
    }

    /// Withdraws a request that is held because what drove it is gone: no attempt counts as failed.
    pub(crate) fn strand(&self) {
        self.change(HELD, STRANDED);
    }

    /// Returns whether a request was withdrawn because what drove it is gone.
    pub(crate) fn is_stranded(&self) -> bool {
        self.0.load(Ordering::SeqCst) == STRANDED
    }

    /// Marks the request as sent, if it was not withdrawn. Returns its state before.
    fn set_out(&self) -> Option<u8> {
        let leaves = |it| (it != WITHDRAWN && it != STRANDED).then_some(LEFT);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, leaves).ok()
    }

    fn change(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

/// The transport reported nothing.
const UNREPORTED: u8 = 0;
/// Nothing of it was sent.
const HELD: u8 = 1;
/// It is being sent, or was sent.
const LEFT: u8 = 2;
/// Nothing of it was sent, and nothing will be.
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
        let unreported = Progress::default();
        assert!(!unreported.withdraw() && !unreported.is_held() && unreported.leave());
        unreported.hold();
        assert!(!unreported.is_held(), "it had left before");
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
