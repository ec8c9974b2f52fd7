//! Several attempts to connect at once, in one task.
//!
//! Owns those futures: the first that succeeds drops the others. The order and the pace are
//! [`crate::race`]'s. Knows nothing of what an attempt consists of.

use std::future::{pending, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;

use hyper::rt::Timer;

use super::runtime::{BoxedIo, Time};
use crate::connect::ConnectError;
use crate::race::{Action, Race};
use crate::transport::BoxFuture;
use crate::within::within;

type Attempt = (usize, BoxFuture<'static, Result<BoxedIo, ConnectError>>);
type Ended = (usize, Result<BoxedIo, ConnectError>);

/// The first stream that comes about, and the address that it leads to.
pub(super) async fn run(
    race: &mut Race,
    time: &Time,
    connect: impl Fn(SocketAddr) -> BoxFuture<'static, Result<BoxedIo, ConnectError>>,
) -> Result<(BoxedIo, SocketAddr), ConnectError> {
    let (mut attempts, mut last) = (Vec::new(), None);
    loop {
        let ended = match race.next(time.now()) {
            Action::Start(number, address) => {
                attempts.push((number, connect(address)));
                continue;
            }
            Action::WaitUntil(at) => within(time.sleep_until(at), first(&mut attempts)).await,
            Action::Wait => Some(first(&mut attempts).await),
            Action::Lost => return Err(race.error(last)),
        };
        match ended {
            Some((number, Ok(io))) => {
                let address = race.address(number).ok_or(ConnectError::Host)?;
                return Ok((io, address));
            }
            Some((number, Err(error))) => {
                race.failed(number, &error);
                last = Some(error);
            }
            None => {}
        }
    }
}

/// What the first of the attempts that ends comes to; it is taken out.
async fn first(attempts: &mut Vec<Attempt>) -> Ended {
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
