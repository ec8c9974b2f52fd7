//! While the old token serves, nobody waits for the new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use imts_sandbox::{Operation, Outage};

use crate::{Turnstile, World, at_once};

#[tokio::test]
async fn while_expiring_each_asker_polls_in_passing_and_gets_the_old_token() {
    let (world, turnstile) = (World::default(), Turnstile::default());
    let stile = turnstile.clone();
    let client = world.client(world.when(move || {
        let stile = stile.clone();
        async move {
            stile.pass().await;
            stile.pass().await;
        }
    }));
    turnstile.turn(2);
    at_once(client.token()).unwrap();
    world.pass(850);
    for _ in 0..1_000 {
        assert_eq!(at_once(client.token()).unwrap().epoch().count(), 1);
    }
    turnstile.turn(1);
    assert_eq!(at_once(client.token()).unwrap().epoch().count(), 1);
    turnstile.turn(1);
    assert_eq!(at_once(client.token()).unwrap().epoch().count(), 2, "the asker polled it home");
    assert_eq!(world.sandbox().count(Operation::Refresh), 1);
}

#[test]
fn a_renewal_that_fails_while_the_old_token_serves_is_told_to_nobody() {
    let world = World::default();
    let client = world.client(world.when(|| std::future::ready(())));
    at_once(client.token()).unwrap();
    world.sandbox().settings_mut().outage = Some(Outage::default());
    for _ in 0..89 {
        world.pass(10);
        at_once(client.token()).unwrap();
    }
    assert!(world.calls() > 2);
}

#[tokio::test]
async fn a_spawner_brings_a_renewal_home_while_nobody_asks() {
    let world = World::default();
    let spawned = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&spawned);
    let client = world
        .builder()
        .spawner(move |renewal| {
            count.fetch_add(1, Ordering::SeqCst);
            drop(tokio::spawn(renewal));
        })
        .nonblocking(world.after(5))
        .unwrap();
    client.token().await.unwrap();
    world.pass(850);
    client.token().await.unwrap();
    tokio::time::timeout(Duration::from_secs(60), async {
        while world.sandbox().count(Operation::Refresh) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("the renewal goes on by itself");
    assert_eq!(spawned.load(Ordering::SeqCst), 2);
}

#[test]
fn a_spawner_that_has_no_room_leaves_the_renewal_to_those_who_ask() {
    let world = World::default();
    for spawner in
        [drop as fn(imts::transport::BoxFuture<'static, ()>), |_| panic!("no executor here")]
    {
        let builder = world.builder().spawner(spawner);
        let client = builder.nonblocking(world.when(|| std::future::ready(()))).unwrap();
        at_once(client.token()).unwrap();
    }
    assert_eq!(world.calls(), 2);
}

#[tokio::test]
async fn a_token_for_longer_than_is_left_is_waited_for() {
    let world = World::default();
    let client = world.client(world.after(1));
    client.token().await.unwrap();
    world.pass(600);
    let at_least = Duration::from_secs(400);
    assert_eq!(client.token().await.unwrap().epoch().count(), 1);
    assert_eq!(client.token_valid_for(at_least).await.unwrap().epoch().count(), 2);
    let beyond = Duration::from_secs(5_000);
    let error = client.token_valid_for(beyond).await.unwrap_err();
    assert!(matches!(error, imts::TokenError::ShortLived { .. }), "{error}");
}

#[test]
fn a_token_that_lives_exactly_as_long_as_asked_for_is_enough() {
    for before in [0, 100] {
        let world = World::default();
        let client = world.client(world.when(|| std::future::ready(())));
        if before > 0 {
            at_once(client.token()).unwrap();
            world.pass(before);
        }
        at_once(client.token_valid_for(Duration::from_secs(900 - before))).unwrap();
        assert_eq!(world.calls(), 1, "{before} s old");
    }
    // Nor does it wait for the renewal that is due.
    let (world, turnstile) = (World::default(), Turnstile::default());
    let answers = turnstile.clone();
    let client = world.client(world.when(move || answers.pass()));
    turnstile.turn(1);
    at_once(client.token()).unwrap();
    world.pass(850);
    let left = Duration::from_secs(50);
    assert_eq!(at_once(client.token_valid_for(left)).unwrap().epoch().count(), 1);
}

#[test]
fn a_renewal_that_was_begun_for_longer_life_is_polled_in_passing_while_the_token_is_valid() {
    // Also once its time limit is over: a late success counts.
    for seconds in [0, 40] {
        let (world, turnstile) = (World::default(), Turnstile::default());
        let (service, stile) = (world.clone(), turnstile.clone());
        let send = move |request: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
            let (service, passing) = (service.clone(), stile.pass());
            async move {
                passing.await;
                Ok(service.answer(request))
            }
        };
        let client = world.client((send, crate::no_timer));
        turnstile.turn(1);
        at_once(client.token()).unwrap();
        world.pass(500);
        let asking = client.clone();
        let longer = Duration::from_secs(600);
        let mut leaving = crate::ByHand::new(async move { asking.token_valid_for(longer).await });
        assert!(leaving.poll().is_pending());
        drop(leaving);
        world.pass(seconds);
        assert_eq!(
            at_once(client.token()).unwrap().epoch().count(),
            1,
            "valid, and not waited for"
        );
        turnstile.turn(1);
        assert_eq!(at_once(client.token()).unwrap().epoch().count(), 2, "the asker polled it home");
        assert_eq!(world.calls(), 2);
    }
}
