//! The request that a thread is making: its bounds, and whether any of it was written.
//!
//! ureq carries a request from beginning to end on the thread that asks for it. It has no place in
//! which the connection below it could find what belongs to a request, so the thread holds that.
//! [`Progress`] reports on a request to other tasks; here only the request's own thread asks, so a
//! flag is enough. Does not know about connections.
//!
//! [`Progress`]: crate::transport::Progress

use std::cell::Cell;
use std::marker::PhantomData;
use std::time::Instant;

use crate::transport::Bounds;

/// A request of this thread, from before it has a connection to the end of its response.
pub(super) struct Attempt {
    /// The request inside which this one is made: a logger may send what ureq logs.
    outer: Option<Mark>,
    /// An attempt belongs to its thread.
    thread: PhantomData<*const ()>,
}

#[derive(Clone, Copy)]
struct Mark {
    deadline: Option<Instant>,
    reply_limit: usize,
    is_held: bool,
}

thread_local! {
    static MARK: Cell<Option<Mark>> = const { Cell::new(None) };
}

impl Attempt {
    /// Begins a request with these bounds. A time limit beyond the clock's range counts as no
    /// limit.
    pub(super) fn begin(bounds: Bounds) -> Self {
        let (deadline, reply_limit) =
            (Instant::now().checked_add(bounds.time_limit), bounds.reply_limit);
        let outer = MARK.replace(Some(Mark { deadline, reply_limit, is_held: true }));
        Self { outer, thread: PhantomData }
    }

    /// Returns whether no byte of the request was given to a connection. This proves that it was
    /// not sent: each connection reports what it writes, and nothing is guessed from an error.
    pub(super) fn is_held(&self) -> bool {
        MARK.get().is_some_and(|mark| mark.is_held)
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        MARK.set(self.outer);
    }
}

/// Returns the deadline of this thread's request.
pub(super) fn deadline() -> Option<Instant> {
    MARK.get().and_then(|mark| mark.deadline)
}

/// Returns how many bytes of the response's body are read at most.
pub(super) fn reply_limit() -> usize {
    MARK.get().map_or(0, |mark| mark.reply_limit)
}

/// Reports that some of this thread's request was given to a connection.
pub(super) fn was_written() {
    MARK.set(MARK.get().map(|mark| Mark { is_held: false, ..mark }));
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{Attempt, deadline, reply_limit, was_written};
    use crate::transport::Bounds;

    const LIMIT: Duration = Duration::from_secs(60);

    fn begin(time_limit: Duration) -> Attempt {
        Attempt::begin(Bounds { reply_limit: 7, time_limit })
    }

    #[test]
    fn what_is_written_belongs_to_the_innermost_request_of_its_thread() {
        let outer = begin(LIMIT);
        {
            let inner = begin(LIMIT);
            was_written();
            assert!(!inner.is_held());
        }
        assert!(outer.is_held());
        thread::spawn(was_written).join().unwrap();
        assert!(outer.is_held());
        was_written();
        assert!(!outer.is_held());
        assert!(begin(LIMIT).is_held());
    }

    #[test]
    fn bounds_are_those_of_the_innermost_request_and_end_with_it() {
        let before = Instant::now();
        assert_eq!((deadline(), reply_limit()), (None, 0));
        let outer = begin(LIMIT);
        let set = deadline();
        assert_eq!(reply_limit(), 7);
        assert!(set >= before.checked_add(LIMIT));
        drop(begin(Duration::MAX));
        assert_eq!(deadline(), set);
        let endless = begin(Duration::MAX);
        assert_eq!(deadline(), None);
        drop(endless);
        drop(outer);
        assert_eq!((deadline(), reply_limit()), (None, 0));
    }
}
