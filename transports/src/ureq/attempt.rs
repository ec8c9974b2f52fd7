//! The request that a thread is making: until when it may take, and whether any of it was written.
//!
//! ureq carries a request from beginning to end on the thread that asks for it, and has no place in which the
//! connection below it could find what belongs to a request. So the thread holds that. Knows nothing of
//! connections.

use std::cell::Cell;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

/// A request of this thread, from before it has a connection to the end of its reply.
pub(super) struct Attempt {
    /// The request in the midst of which this one is made: a logger may send what ureq logs.
    outer: Option<Mark>,
    /// It belongs to its thread.
    thread: PhantomData<*const ()>,
}

#[derive(Clone, Copy)]
struct Mark {
    deadline: Option<Instant>,
    is_untouched: bool,
}

thread_local! {
    static MARK: Cell<Option<Mark>> = const { Cell::new(None) };
}

impl Attempt {
    /// Begins a request that may take so long. A limit beyond what the clock can say is none.
    pub(super) fn begin(time_limit: Duration) -> Self {
        let deadline = Instant::now().checked_add(time_limit);
        let outer = MARK.replace(Some(Mark { deadline, is_untouched: true }));
        Self { outer, thread: PhantomData }
    }

    /// Whether no byte of it was given to a connection. This is what proves that it was not sent: each
    /// connection reports what it writes, and nothing is guessed from an error.
    pub(super) fn is_untouched(&self) -> bool {
        MARK.get().is_some_and(|mark| mark.is_untouched)
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        MARK.set(self.outer);
    }
}

/// The end of the time of this thread's request.
pub(super) fn deadline() -> Option<Instant> {
    MARK.get().and_then(|mark| mark.deadline)
}

/// Some of this thread's request was given to a connection.
pub(super) fn was_written() {
    MARK.set(MARK.get().map(|mark| Mark { is_untouched: false, ..mark }));
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{Attempt, deadline, was_written};

    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn what_is_written_belongs_to_the_innermost_request_of_its_thread() {
        let outer = Attempt::begin(LIMIT);
        {
            let inner = Attempt::begin(LIMIT);
            was_written();
            assert!(!inner.is_untouched());
        }
        assert!(outer.is_untouched());
        thread::spawn(was_written).join().unwrap();
        assert!(outer.is_untouched());
        was_written();
        assert!(!outer.is_untouched());
        assert!(Attempt::begin(LIMIT).is_untouched());
    }

    #[test]
    fn a_deadline_is_that_of_the_innermost_request_and_ends_with_it() {
        let before = Instant::now();
        assert_eq!(deadline(), None);
        let outer = Attempt::begin(LIMIT);
        let set = deadline();
        assert!(set >= before.checked_add(LIMIT));
        drop(Attempt::begin(Duration::MAX));
        assert_eq!(deadline(), set);
        let endless = Attempt::begin(Duration::MAX);
        assert_eq!(deadline(), None);
        drop(endless);
        drop(outer);
        assert_eq!(deadline(), None);
    }
}
