//! A time limit for a future, with any timer.
//!
//! A limit is counted in beats, and each beat begins only when the one before was seen to end. If
//! no one polls for a while (the runtime stands still, the process is stopped), that time counts as
//! one beat at most. Does not know what the future does.

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
    /// Creates a limit that begins when it is first polled.
    pub(crate) fn new(limit: Duration, sleep: S) -> Self {
        let beats = limit.as_millis().checked_div(SHORTEST.as_millis()).unwrap_or_default();
        let beats = u32::try_from(beats).unwrap_or(u32::MAX).clamp(1, MOST);
        Self { sleep, beat: limit / beats, left: beats, current: None }
    }

    /// Completes once the limit is over.
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

/// Returns the result of `work`, or `None` once the limit is over. A result that is there comes
/// first, however late it is polled. The limit does not begin before the work has been polled. The
/// caller pins the work: a future that is passed by value is stored twice by the function that
/// takes it.
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
