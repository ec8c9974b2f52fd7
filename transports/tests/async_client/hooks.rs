//! Asks from inside the renewal, transports and hooks that panic, and the end of a client.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{AsyncClient, TokenError, TransportError};
use imts_sandbox::{Operation, Rotation};

use crate::{Turnstile, World, at_once, no_timer};

#[test]
fn an_ask_from_inside_the_transport_is_an_error_and_not_a_hang() {
    let world = World::default();
    let slot = Arc::new(Mutex::new(None::<AsyncClient>));
    let told = Arc::new(Mutex::new(None));
    let (service, inside, tell) = (world.clone(), Arc::clone(&slot), Arc::clone(&told));
    let send = move |request: Request<Body>, _: Bounds| {
        let (service, inside, tell) = (service.clone(), Arc::clone(&inside), Arc::clone(&tell));
        async move {
            let client = inside.lock().unwrap().clone().unwrap();
            *tell.lock().unwrap() = Some(client.token().await);
            Ok(service.answer(request))
        }
    };
    let client = world.client((send, no_timer));
    *slot.lock().unwrap() = Some(client.clone());
    at_once(client.token()).unwrap();
    assert!(matches!(told.lock().unwrap().take(), Some(Err(TokenError::Reentrant))));
    // While the old token serves, there is nothing to wait for, inside neither.
    world.pass(850);
    at_once(client.token()).unwrap();
    assert!(told.lock().unwrap().take().unwrap().is_ok());
    *slot.lock().unwrap() = None;
}

#[test]
fn an_ask_from_inside_the_hook_is_an_error_and_not_a_hang() {
    let world = World::default();
    let slot = Arc::new(Mutex::new(None::<AsyncClient>));
    let told = Arc::new(Mutex::new(None));
    let (inside, tell) = (Arc::clone(&slot), Arc::clone(&told));
    let builder = world.builder().on_grant(move |_| {
        let client = inside.lock().unwrap().clone().unwrap();
        *tell.lock().unwrap() = Some(at_once(client.token()));
        Ok(())
    });
    let client = builder.nonblocking(world.when(|| std::future::ready(()))).unwrap();
    *slot.lock().unwrap() = Some(client.clone());
    at_once(client.token()).unwrap();
    assert!(matches!(told.lock().unwrap().take(), Some(Err(TokenError::Reentrant))));
    *slot.lock().unwrap() = None;
}

#[test]
fn one_client_may_be_the_others_transport() {
    let world = World::default();
    let outer_world = World::default();
    let gateway = world.client(world.when(|| std::future::ready(())));
    let (service, inner) = (outer_world.clone(), gateway.clone());
    let send = move |request: Request<Body>, _: Bounds| {
        let (service, inner) = (service.clone(), inner.clone());
        async move {
            inner.token().await.map_err(|error| TransportError::unknown().because(error))?;
            Ok(service.answer(request))
        }
    };
    at_once(outer_world.client((send, no_timer)).token()).unwrap();
    assert_eq!((world.calls(), outer_world.calls()), (1, 1));
}

#[test]
fn a_transport_that_panics_is_an_error_once_and_the_next_ask_renews() {
    // In the call itself, and in a poll of its future.
    for early in [true, false] {
        let world = World::default();
        let sends = Arc::new(AtomicUsize::new(0));
        let (service, count) = (world.clone(), Arc::clone(&sends));
        let send = move |request: Request<Body>, _: Bounds| {
            let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
            assert!(!(is_first && early), "the first send panics");
            let service = service.clone();
            async move {
                assert!(!is_first, "the first send panics");
                Ok(service.answer(request))
            }
        };
        let client = world.client((send, no_timer));
        let error = at_once(client.token()).unwrap_err();
        assert!(matches!(error, TokenError::Renewal(_)));
        assert!(error.to_string().contains("the transport panicked"), "{error}");
        world.pass(1);
        at_once(client.token()).unwrap();
        assert_eq!(sends.load(Ordering::SeqCst), 2);
    }
}

/// A client with a renewal under way that waits at the turnstile.
fn under_way() -> (World, AsyncClient, Turnstile) {
    let (world, turnstile) = (World::default(), Turnstile::default());
    world.sandbox().settings_mut().rotation = Rotation::Always;
    let stile = turnstile.clone();
    let client = world.client(world.when(move || stile.pass()));
    turnstile.turn(1);
    at_once(client.token()).unwrap();
    world.pass(850);
    at_once(client.token()).unwrap();
    (world, client, turnstile)
}

#[tokio::test]
async fn close_brings_a_renewal_under_way_to_its_end() {
    let (world, client, turnstile) = under_way();
    let closing = client.clone();
    let close = tokio::spawn(async move { closing.close(Duration::from_secs(60)).await });
    tokio::task::yield_now().await;
    assert!(matches!(at_once(client.token()).unwrap_err(), TokenError::Closed));
    turnstile.turn(1);
    let saved = close.await.unwrap().unwrap();
    assert!(!saved.is_in_doubt());
    assert_eq!(world.sandbox().count(Operation::Refresh), 1);
    // The state goes on where the closed client was.
    let heir = world.builder().restore(saved).nonblocking(world.when(|| std::future::ready(())));
    let heir = heir.unwrap();
    at_once(heir.token()).unwrap();
    assert_eq!(world.calls(), 2);
}

#[tokio::test]
async fn close_gives_a_renewal_up_at_its_deadline_and_says_that_it_is_in_doubt() {
    let (_world, client, _turnstile) = under_way();
    let waiting = {
        let client = client.clone();
        tokio::spawn(async move { client.token_valid_for(Duration::from_secs(300)).await })
    };
    tokio::task::yield_now().await;
    let saved = client.close(Duration::from_millis(5)).await.unwrap();
    assert!(saved.is_in_doubt());
    assert!(matches!(waiting.await.unwrap().unwrap_err(), TokenError::Closed));
    assert!(matches!(at_once(client.token()).unwrap_err(), TokenError::Closed));
}

#[test]
fn dropping_the_last_client_drops_its_flight() {
    let (world, client, turnstile) = under_way();
    drop(client);
    turnstile.turn(1);
    assert_eq!(world.sandbox().count(Operation::Refresh), 0);
    assert_eq!(std::sync::Arc::strong_count(&turnstile.0), 1, "the transport is gone");
}
