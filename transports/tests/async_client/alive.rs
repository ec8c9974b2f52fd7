//! Health, a warm start, and a client that keeps itself alive by its spawner.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use imts::TokenError;
use imts::builder::BuildError;
use imts::session::CredentialsHealth;

use crate::World;

/// Waits until something holds that another task brings about.
async fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..12_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited a minute in vain for: {what}");
}

fn spawner() -> impl Fn(imts::transport::BoxFuture<'static, ()>) + Send + Sync + 'static {
    |work| drop(tokio::spawn(work))
}

#[tokio::test]
async fn a_task_client_says_how_it_is() {
    let world = World::default();
    let client = world.client(world.when(|| std::future::ready(())));
    assert!(!client.health().is_ready() && !client.health().needs_credentials());
    client.warm_up().await.unwrap();
    let health = client.health();
    assert_eq!((health.phase, health.credentials), ("valid", CredentialsHealth::Worked));
    assert!(health.in_flight.is_none());
}

#[tokio::test]
async fn a_renewal_under_way_is_told_with_its_age() {
    let world = World::default();
    let client = world.client(world.when(std::future::pending));
    let ask = client.token();
    let mut ask = std::pin::pin!(ask);
    assert!(futures_poll(ask.as_mut()));
    world.pass(7);
    let flight = client.health().in_flight.unwrap();
    assert_eq!(flight.since, Duration::from_secs(7));
    assert_eq!(client.health().next_renewal, Some(Duration::ZERO));
}

/// Polls once; whether it is pending.
fn futures_poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> bool {
    future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending()
}

#[tokio::test]
async fn an_idle_task_client_that_keeps_itself_alive_never_expires() {
    let world = World::default();
    let transport = world.when(|| std::future::ready(()));
    let client = world.builder().keep_alive().spawner(spawner()).nonblocking(transport).unwrap();
    eventually("it signs in by itself", || client.health().is_ready()).await;
    for _ in 0..5 {
        let before = client.health().epoch;
        world.clock.advance(client.health().next_renewal.unwrap());
        eventually("it renews by itself", || client.health().epoch > before).await;
        assert!(client.health().is_ready());
    }
    assert_eq!(world.calls(), 6);
}

#[tokio::test]
async fn its_task_ends_with_the_client_and_with_close() {
    for closes in [false, true] {
        let world = World::default();
        let running = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&running);
        let spawner = move |work: imts::transport::BoxFuture<'static, ()>| {
            count.fetch_add(1, Ordering::SeqCst);
            let count = Arc::clone(&count);
            drop(tokio::spawn(async move {
                work.await;
                count.fetch_sub(1, Ordering::SeqCst);
            }));
        };
        let transport = world.when(|| std::future::ready(()));
        let client = world.builder().keep_alive().spawner(spawner).nonblocking(transport).unwrap();
        eventually("it signs in", || client.health().is_ready()).await;
        eventually("it rests", || running.load(Ordering::SeqCst) == 1).await;
        if closes {
            assert!(client.close(Duration::from_secs(60)).await.is_some());
            assert!(matches!(client.token().await, Err(TokenError::Closed)));
            eventually("its task is over", || running.load(Ordering::SeqCst) == 0).await;
        }
        drop(client);
        eventually("its task is over", || running.load(Ordering::SeqCst) == 0).await;
    }
}

#[test]
fn without_a_spawner_that_takes_a_task_there_is_no_such_client() {
    let world = World::default();
    let transport = || world.when(|| std::future::ready(()));
    let none = world.builder().keep_alive().nonblocking(transport());
    assert!(matches!(none, Err(BuildError::KeepAlive)));
    let no_runtime = world.builder().keep_alive().spawner(spawner()).nonblocking(transport());
    assert!(matches!(no_runtime, Err(BuildError::KeepAlive)));
}
