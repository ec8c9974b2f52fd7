//! The requests that are under way, and when the next one leaves.
//!
//! Owns the rule that requests leave together if there are many. A task that reads its response and
//! sends its next request at once makes the server wake for each request. If it first lets the others
//! read, the requests leave one right after the other, and the server wakes once for many. Does not
//! know what a request contains.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::runtime::Home;

/// How many requests of one transport are under way.
#[derive(Debug, Default)]
pub(super) struct UnderWay(AtomicUsize);

/// One request that counts as under way until this is dropped.
#[must_use]
pub(super) struct Counted<'a>(&'a UnderWay);

impl UnderWay {
    /// Counts a request. If many others are under way, this first lets the runtime turn.
    pub(super) async fn enter(&self, home: Option<Home>) -> Counted<'_> {
        let others = self.0.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(self);
        if others >= MANY && matches!(home, Some(Home::Tokio(_))) {
            tokio::task::yield_now().await;
        }
        counted
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// With fewer others, a turn of the runtime costs more than it saves.
const MANY: usize = 2;

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::UnderWay;
    use crate::hyper::runtime::{Home, Runtime};

    #[test]
    fn a_request_lets_the_runtime_turn_once_if_two_others_are_under_way() {
        let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _entered = tokio.enter();
        let home = (Runtime::tokio().home)();
        let under_way = UnderWay::default();
        let mut cx = Context::from_waker(Waker::noop());
        let mut enter = |home| {
            let mut entering = pin!(under_way.enter(home));
            match entering.as_mut().poll(&mut cx) {
                Poll::Ready(counted) => (counted, false),
                Poll::Pending => match entering.as_mut().poll(&mut cx) {
                    Poll::Ready(counted) => (counted, true),
                    Poll::Pending => panic!("it waits twice"),
                },
            }
        };
        let (first, has_waited) = enter(home);
        assert!(!has_waited);
        let (_second, has_waited) = enter(home);
        assert!(!has_waited);
        let (third, has_waited) = enter(home);
        assert!(has_waited);
        let (fourth, has_waited) = enter(Some(Home::Own));
        assert!(!has_waited, "only tokio can be asked to turn");
        drop((first, third, fourth));
        let (_fifth, has_waited) = enter(home);
        assert!(!has_waited, "a request that is over does not count");
    }
}
