//! Makes several attempts to connect at once, in one task.
//!
//! Owns those futures: the first that succeeds drops the others. [`crate::race`] decides the order
//! and the pace. Does not know what an attempt consists of.

use std::future::{pending, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;

use hyper::rt::Timer;

use super::runtime::Time;
use crate::connect::ConnectError;
use crate::race::{Action, Race};
use crate::transport::BoxFuture;

type Attempt<T> = (usize, BoxFuture<'static, Result<T, ConnectError>>);
type Ended<T> = (usize, Result<T, ConnectError>);

/// Returns the first connection that is opened, and its address.
pub(super) async fn run<T>(
    race: &mut Race,
    time: &Time,
    connect: impl Fn(SocketAddr) -> BoxFuture<'static, Result<T, ConnectError>>,
) -> Result<(T, SocketAddr), ConnectError> {
    let (mut attempts, mut last) = (Vec::new(), None);
    loop {
        let ended = match race.next(time.now()) {
            Action::Start(number, address) => {
                attempts.push((number, connect(address)));
                continue;
            }
            Action::WaitUntil(at) => until(time.sleep_until(at), first(&mut attempts)).await,
            Action::Wait => Some(first(&mut attempts).await),
            Action::Lost => return Err(race.error(last)),
        };
        match ended {
            Some((number, Ok(way))) => {
                let address = race.address(number).ok_or(ConnectError::Host)?;
                return Ok((way, address));
            }
            Some((number, Err(error))) => {
                race.failed(number, &error);
                last = Some(error);
            }
            None => {}
        }
    }
}

/// Returns the result of `work`, or `None` once the time has come.
async fn until<T>(
    mut time: impl Future<Output = ()> + Unpin,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => Pin::new(&mut time).poll(cx).map(|()| None),
    })
    .await
}

/// Returns the result of the first attempt that ends, and removes that attempt.
async fn first<T>(attempts: &mut Vec<Attempt<T>>) -> Ended<T> {
    if attempts.is_empty() {
        return pending().await;
    }
    poll_fn(|cx| {
        for place in 0..attempts.len() {
            let (number, attempt) = &mut attempts[place];
            if let Poll::Ready(outcome) = Pin::new(attempt).poll(cx) {
                let number = *number;
                drop(attempts.swap_remove(place));
                return Poll::Ready((number, outcome));
            }
        }
        Poll::Pending
    })
    .await
}
