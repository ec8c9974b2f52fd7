//! Any executor, several, or none.

use std::sync::Mutex;
use std::time::Duration;

use http::Request;
use imts::{Body, Bounds, CallError};

use crate::{Turnstile, World};

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
        assert!(matches!(hasty.token().await.unwrap_err(), CallError::TimedOut));
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
        assert!(matches!(hasty.token().await.unwrap_err(), CallError::TimedOut));
    });
    drop(first);
    let second = runtime();
    let began = std::time::Instant::now();
    let error = second.block_on(client.token()).unwrap_err();
    assert!(error.trouble().is_some(), "{error}");
    assert!(began.elapsed() < Duration::from_secs(50), "well before the caller's 60 s");
    world.pass(1);
    second.block_on(client.token()).unwrap();
    assert_eq!(world.calls(), 1);
}
