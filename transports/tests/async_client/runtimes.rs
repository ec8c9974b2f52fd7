//! Any executor, several, or none.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use imts::secret::Body;
use imts::transport::{Bounds, BoxFuture, Progress};
use imts::{AsyncClient, AsyncTransport, TokenError, TransportError};

use crate::{Turnstile, World, at_once};

#[test]
fn smol_is_an_executor_like_any_other() {
    let (world, turnstile) = (World::default(), Turnstile::default());
    let (service, answers) = (world.clone(), turnstile.clone());
    let send = move |request: Request<Body>, _: Bounds| {
        let (service, answer) = (service.clone(), answers.pass());
        async move {
            smol::Timer::after(Duration::from_millis(10)).await;
            answer.await;
            Ok(service.answer(request))
        }
    };
    let sleep = |duration| async move {
        smol::Timer::after(duration).await;
    };
    let client = world.client((send, sleep));
    smol::block_on(async {
        let asks: Vec<_> = (0..100)
            .map(|_| {
                let client = client.clone();
                smol::spawn(async move { client.token().await })
            })
            .collect();
        turnstile.turn(1);
        for ask in asks {
            ask.await.unwrap();
        }
        let hasty = client.with_patience(Duration::from_millis(1));
        world.pass(901);
        assert!(matches!(hasty.token().await.unwrap_err(), TokenError::TimedOut));
        turnstile.turn(1);
        client.token().await.unwrap();
    });
    assert_eq!(world.calls(), 2);
}

#[test]
fn a_client_made_in_one_runtime_works_in_another_after_the_first_is_gone() {
    let world = World::default();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let client = first.block_on(async {
        let client = world.client(world.after(1));
        client.token().await.unwrap();
        client
    });
    drop(first);
    world.pass(901);
    runtime().block_on(client.token()).unwrap();
    assert_eq!(world.calls(), 2);
}

#[test]
fn a_flight_whose_runtime_is_gone_is_an_error_once_and_then_flies_again() {
    let world = World::default();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    // The first answer takes longer than the runtime lives, the others no time.
    let waits = Mutex::new(vec![Duration::from_secs(3_600)]);
    let wait = move || waits.lock().unwrap().pop().unwrap_or_default();
    let client = world.client(world.when(move || tokio::time::sleep(wait())));
    first.block_on(async {
        let hasty = client.with_patience(Duration::from_millis(5));
        assert!(matches!(hasty.token().await.unwrap_err(), TokenError::TimedOut));
    });
    drop(first);
    let second = runtime();
    let began = std::time::Instant::now();
    let error = second.block_on(client.token()).unwrap_err();
    assert!(error.renewal_error().is_some(), "{error}");
    assert!(began.elapsed() < Duration::from_secs(50), "well before the caller's 60 s");
    world.pass(1);
    second.block_on(client.token()).unwrap();
    assert_eq!(world.calls(), 1);
}

/// A transport that says how far a request has come.
struct Telling<F>(F);

impl<F> AsyncTransport for Telling<F>
where
    F: Fn(Request<Body>, Progress) -> BoxFuture<'static, Result<Response<Vec<u8>>, TransportError>>
        + Send
        + Sync,
{
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        self.send_reporting(request, bounds, Progress::default())
    }

    fn send_reporting(
        &self,
        request: Request<Body>,
        _: Bounds,
        progress: Progress,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        progress.hold();
        (self.0)(request, progress)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A client whose first ask was in a runtime that is gone: its request waited there, before or after
/// it left.
fn stranded(world: &World, leaves: bool) -> AsyncClient {
    let (service, is_first) = (world.clone(), AtomicBool::new(true));
    let client = world.client(Telling(move |request, progress: Progress| {
        let (service, waits) = (service.clone(), is_first.swap(false, Ordering::SeqCst));
        let exchange: BoxFuture<'static, _> = Box::pin(async move {
            assert!(!waits || !leaves || progress.leave());
            if waits {
                tokio::time::sleep(Duration::from_secs(3_600)).await;
            }
            assert!(progress.leave());
            Ok(service.answer(request))
        });
        exchange
    }));
    let hasty = client.with_patience(Duration::from_millis(5));
    let error = runtime().block_on(hasty.token()).unwrap_err();
    assert!(matches!(error, TokenError::TimedOut), "{error}");
    client
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_flight_whose_runtime_is_gone_before_anything_left_begins_anew_at_once() {
    let world = World::default();
    let client = stranded(&world, false);
    runtime().block_on(client.token()).unwrap();
    assert_eq!(world.calls(), 1);
    assert!(client.health().last_error.is_none(), "nothing has failed");
}

#[test]
fn a_flight_whose_runtime_is_gone_after_it_left_is_an_error_once() {
    let world = World::default();
    let client = stranded(&world, true);
    let error = runtime().block_on(client.token()).unwrap_err();
    assert!(error.renewal_error().is_some(), "{error}");
    world.pass(1);
    runtime().block_on(client.token()).unwrap();
}

#[test]
fn a_transport_that_always_panics_before_anything_left_is_tried_twice_and_then_paced() {
    let (world, tries) = (World::default(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&tries);
    let client = world.client(Telling(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        panic!("the transport's own panic")
    }));
    for round in 1..=2 {
        let error = at_once(client.token()).unwrap_err();
        assert!(matches!(error, TokenError::Renewal(_)), "{error}");
        let error = at_once(client.token()).unwrap_err();
        assert!(matches!(error, TokenError::Waiting { .. }), "{error}");
        assert_eq!(tries.load(Ordering::SeqCst), 2 * round);
        world.pass(60);
    }
}
