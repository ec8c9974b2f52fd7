//! A time limit for a future, by whatever timer.
//!
//! A limit is counted in beats, each of which begins only when the one before was seen to end: of the
//! time in which nobody polls (a runtime that stands still, a process that is stopped) no more than
//! one beat counts. Knows nothing of what the future does.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A time limit that is running.
pub(crate) struct Limit<S, F> {
    sleep: S,
    beat: Duration,
    left: u32,
    current: Option<F>,
}

impl<S, F> Limit<S, F>
where
    S: Fn(Duration) -> F,
    F: Future<Output = ()> + Unpin,
{
    /// A limit that begins when it is first polled.
    pub(crate) fn new(limit: Duration, sleep: S) -> Self {
        let beats = limit.as_millis().checked_div(SHORTEST.as_millis()).unwrap_or_default();
        let beats = u32::try_from(beats).unwrap_or(u32::MAX).clamp(1, MOST);
        Self { sleep, beat: limit / beats, left: beats, current: None }
    }

    /// Ready once the limit is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.left > 0 {
            let current = self.current.get_or_insert_with(|| (self.sleep)(self.beat));
            ready!(Pin::new(current).poll(cx));
            self.current = None;
            self.left -= 1;
        }
        Poll::Ready(())
    }
}

/// What `work` comes to, or `None` once the limit is over. What is there comes first, however late it
/// is looked at, and the limit is not begun before the work has been polled. The caller pins the work: a future
/// that is given away is kept twice by the one that takes it.
pub(crate) async fn within<T, F>(
    limit: Duration,
    sleep: impl Fn(Duration) -> F,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> Option<T>
where
    F: Future<Output = ()> + Unpin,
{
    let mut limit = Limit::new(limit, sleep);
    std::future::poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => limit.poll(cx).map(|()| None),
    })
    .await
}

/// How many beats a limit has at most.
const MOST: u32 = 16;

/// A beat is not shorter than this, unless the limit is: timers are not exact.
const SHORTEST: Duration = Duration::from_millis(50);
