//! A time limit for a future, by whatever timer.
//!
//! Knows nothing of what the future does.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// What `work` comes to, or `None` once `limit` is over. What is there comes first, however late it
/// is looked at, and the limit is not begun before the work has been polled.
pub(crate) async fn within<T>(
    limit: impl Future<Output = ()>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let (mut limit, mut work) = (pin!(limit), pin!(work));
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => limit.as_mut().poll(cx).map(|()| None),
    })
    .await
}
