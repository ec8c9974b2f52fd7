//! Several statements under way at once on one connection.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Completes once all of these have, with their results in the same order. They are begun in that
/// order, so one connection sends their statements in that order, without a wait in between.
pub(super) async fn together<'a, T>(
    mut futures: Vec<Pin<Box<dyn Future<Output = T> + Send + 'a>>>,
) -> Vec<T> {
    let mut results: Vec<_> = futures.iter().map(|_| None).collect();
    poll_fn(|cx| {
        let mut is_ready = true;
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none() {
                match future.as_mut().poll(cx) {
                    Poll::Ready(value) => *result = Some(value),
                    Poll::Pending => is_ready = false,
                }
            }
        }
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}
