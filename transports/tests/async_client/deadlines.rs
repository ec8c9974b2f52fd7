//! A caller's patience is the caller's; a renewal's time limit is its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::{Request, Response};
use imts::clock::SystemClock;
use imts::secret::Body;
use imts::transport::{Bounds, BoxFuture};
use imts::{AsyncClient, AsyncTransport, Policy, TokenError, TransportError};

use crate::{Turnstile, World, at_once};

fn limited(world: &World, millis: u64, transport: impl AsyncTransport + 'static) -> AsyncClient {
    let mut policy = Policy::default();
    policy.time_limit = Duration::from_millis(millis);
    world.builder().policy(policy).nonblocking(transport).unwrap()
}

#[tokio::test]
async fn a_leader_without_patience_gets_its_timeout_and_the_rest_are_served() {
    let (world, turnstile) = (World::default(), Turnstile::default());
    let answers = turnstile.clone();
    let client = world.client(world.when(move || answers.pass()));
    let hasty = client.with_patience(Duration::from_millis(1));
    let leader = tokio::spawn(async move { hasty.token().await });
    tokio::task::yield_now().await;
    let followers: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.token().await })
        })
        .collect();
    assert!(matches!(leader.await.unwrap().unwrap_err(), TokenError::TimedOut));
    turnstile.turn(1);
    for follower in followers {
        follower.await.unwrap().unwrap();
    }
    assert_eq!(world.calls(), 1);
}

#[tokio::test]
async fn a_transport_that_never_answers_is_held_to_the_time_limit() {
    let world = World::default();
    let client = limited(&world, 50, world.when(std::future::pending));
    let began = Instant::now();
    let error = client.token().await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(50), "well before the caller's 60 s");
    assert!(matches!(error, TokenError::Renewal(_)) && error.is_timed_out(), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_there_counts_however_late_it_is_looked_at() {
    let world = World::default();
    let turnstile = Turnstile::default();
    let answers = turnstile.clone();
    let client = limited(&world, 20, world.when(move || answers.pass()));
    // Polled once, then left alone past its time limit; the answer comes before anybody looks.
    {
        let mut ask = std::pin::pin!(client.token());
        std::future::poll_fn(|cx| {
            assert!(ask.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        turnstile.turn(1);
    }
    at_once(client.token()).unwrap();
    assert_eq!(world.calls(), 1);
}

const TIME_LIMIT: Duration = Duration::from_millis(123);

/// Its first request ends in a void, and so does every flight's own timer: as if the runtime that
/// drives them stood still.
struct Frozen {
    world: World,
    is_first: AtomicBool,
}

impl AsyncTransport for Frozen {
    fn send(
        &self,
        request: Request<Body>,
        _: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        if self.is_first.swap(false, Ordering::SeqCst) {
            return Box::pin(std::future::pending());
        }
        Box::pin(async { Ok(self.world.answer(request)) })
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        if duration == TIME_LIMIT {
            return Box::pin(std::future::pending());
        }
        Box::pin(tokio::time::sleep(duration))
    }
}

#[tokio::test]
async fn a_flight_whose_runtime_stands_still_is_replaced_once_its_time_is_over() {
    let world = World::default();
    let frozen = Frozen { world: world.clone(), is_first: AtomicBool::new(true) };
    let mut policy = Policy::default();
    policy.time_limit = TIME_LIMIT;
    policy.backoff_first = Duration::from_millis(1);
    let builder = world.builder().policy(policy).clock(SystemClock);
    let client = builder.nonblocking(frozen).unwrap();
    let began = Instant::now();
    let error = client.token().await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(50), "well before the caller's 60 s");
    assert!(error.is_timed_out(), "{error}");
    tokio::time::sleep(Duration::from_millis(5)).await;
    client.token().await.unwrap();
}

#[test]
fn a_renewal_ends_with_its_grant_even_one_that_is_due_for_renewal_from_the_start() {
    for has_store in [false, true] {
        let world = World::default();
        world.sandbox().settings_mut().access_lifetime = Duration::from_secs(10);
        let slow = world.clone();
        let transport = world.when(move || {
            slow.pass(6);
            assert!(slow.calls() < 20, "a renewal that never ends");
            std::future::ready(())
        });
        let builder = world.builder();
        let builder = if has_store { builder.on_grant(|_| Ok(())) } else { builder };
        let client = builder.nonblocking(transport).unwrap();
        for asks in 1..=3 {
            at_once(client.token()).unwrap();
            // One that was waited for, and one begun in passing.
            assert!(world.calls() <= 2 * asks, "{} calls for {asks} asks", world.calls());
        }
    }
}
