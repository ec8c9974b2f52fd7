//! What is granted is persisted before it is used.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use imts::builder::BuildError;
use imts::secret::Body;
use imts::services::transfer;
use imts::{Builder, Client, Credentials, Endpoint, Saved, TokenError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Operation, Rotation};

use crate::{World, eventually};

type Store = Arc<Mutex<Vec<Saved>>>;

fn storing(world: &World) -> (Client, Store) {
    let store = Store::default();
    let disk = Arc::clone(&store);
    let builder = world.builder().on_grant(move |saved| {
        disk.lock().unwrap().push(saved.clone());
        Ok(())
    });
    (builder.blocking(world.transport()).unwrap(), store)
}

#[test]
fn a_grant_is_saved_before_its_token_is_handed_out() {
    let world = World::default();
    let (client, store) = storing(&world);
    client.token().unwrap();
    let saved = store.lock().unwrap().clone();
    assert_eq!(saved.len(), 1);
    assert_eq!((saved[0].generation(), saved[0].is_in_doubt()), (1, false));
}

#[test]
fn a_refresh_token_is_marked_before_it_is_spent() {
    let world = World::default();
    let (client, store) = storing(&world);
    let old = client.token().unwrap();
    world.pass(850);
    client.token().unwrap();
    eventually("the new token", || client.token().unwrap().epoch() > old.epoch());
    let saved: Vec<_> =
        store.lock().unwrap().iter().map(|s| (s.generation(), s.is_in_doubt())).collect();
    assert_eq!(saved, [(1, false), (2, true), (3, false)]);
}

#[test]
fn a_failed_save_is_reported_and_the_token_used_all_the_same() {
    let world = World::default();
    let builder = world.builder().on_grant(|_| Err("the disk is full".into()));
    let client = builder.blocking(world.transport()).unwrap();
    client.token().unwrap();
    assert_eq!(client.save_failure().unwrap().to_string(), "the disk is full");
}

#[test]
fn the_failure_that_is_told_is_that_of_the_last_save_and_none_once_one_went_well() {
    let world = World::default();
    let faults = Mutex::new(vec![None, Some("the disk is gone"), Some("the disk is full")]);
    let builder = world.builder().on_grant(move |_| {
        let fault = faults.lock().unwrap().pop().flatten();
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    });
    let client = builder.blocking(world.transport()).unwrap();
    // A sign-in each: no refresh token is held that would be marked in between.
    for told in [Some("the disk is full"), Some("the disk is gone"), None] {
        client.token().unwrap();
        let failure = client.save_failure().map(|failure| failure.to_string());
        assert_eq!(failure.as_deref(), told);
        client.sign_out();
        let credentials = Credentials::new("sandbox-agent", "sandbox-secret").unwrap();
        client.sign_in(credentials, imts::Keep::Always);
    }
}

#[test]
fn a_hook_that_panics_is_a_failed_save() {
    let world = World::default();
    let builder = world.builder().on_grant(|_| panic!("the hook's own fault"));
    let client = builder.blocking(world.transport()).unwrap();
    client.token().unwrap();
    assert!(client.save_failure().is_some());
}

#[test]
fn an_ask_from_the_hook_is_an_error_and_not_a_hang() {
    let world = World::default();
    let slot: Arc<Mutex<Option<Client>>> = Arc::default();
    let told = Arc::new(Mutex::new(None));
    let (inner, heard) = (Arc::clone(&slot), Arc::clone(&told));
    let builder = world.builder().on_grant(move |_| {
        let client = inner.lock().unwrap().clone().unwrap();
        *heard.lock().unwrap() = client.token().err();
        Ok(())
    });
    let client = builder.blocking(world.transport()).unwrap();
    *slot.lock().unwrap() = Some(client.clone());
    client.token().unwrap();
    assert!(matches!(*told.lock().unwrap(), Some(TokenError::Reentrant)));
    *slot.lock().unwrap() = None;
}

#[test]
fn a_restored_client_goes_on_without_a_call() {
    let world = World::default();
    let (client, store) = storing(&world);
    let token = client.token().unwrap();
    drop(client);
    let saved = store.lock().unwrap().pop().unwrap();
    let restored = world.builder().restore(saved).blocking(world.transport()).unwrap();
    assert_eq!(restored.token().unwrap().expose_token(), token.expose_token());
    assert_eq!(world.calls(), 1);
}

#[test]
fn a_state_saved_in_mid_refresh_signs_in_and_does_not_replay() {
    let world = World::default();
    world.sandbox().settings_mut().rotation = Rotation::ReuseRevokesFamily;
    let (client, store) = storing(&world);
    let old = client.token().unwrap();
    world.pass(850);
    client.token().unwrap();
    eventually("the new token", || client.token().unwrap().epoch() > old.epoch());
    // As if the process had died after the refresh was sent and before its reply came.
    let mark = store.lock().unwrap()[1].clone();
    world.pass(900);
    let restored = world.builder().restore(mark).blocking(world.transport()).unwrap();
    restored.token().unwrap();
    assert_eq!(world.sandbox().counters().refresh_reuse, 0);
    assert_eq!(world.sandbox().count(Operation::GetToken), 2);
}

#[test]
fn a_state_of_another_endpoint_or_agent_is_refused() {
    let world = World::default();
    let (client, _store) = storing(&world);
    client.token().unwrap();
    let saved = client.saved().unwrap();
    let elsewhere = imts::Builder::new(Endpoint::https("https://other.example").unwrap())
        .restore(saved.clone())
        .blocking(world.transport());
    assert!(matches!(elsewhere.unwrap_err(), BuildError::Adopt(_)));
    let other_agent = world
        .builder()
        .credentials(Credentials::new("other", "secret").unwrap())
        .restore(saved)
        .blocking(world.transport());
    assert!(matches!(other_agent.unwrap_err(), BuildError::Adopt(_)));
}

#[test]
fn without_a_way_back_what_is_not_saved_is_not_used() {
    let world = World::default();
    let tokens = transfer::tokens();
    let sign_in = tokens.sign_in().clone().with_code_in("code");
    let is_full = Arc::new(AtomicBool::new(true));
    let disk = Arc::clone(&is_full);
    let credentials = Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap();
    let builder = Builder::new(Endpoint::https("https://sandbox.example").unwrap())
        .service(transfer::service().with_tokens(tokens.with_sign_in(sign_in)))
        .credentials(credentials.with_code("once").unwrap())
        .clock(world.clock.clone())
        .on_grant(move |_| match disk.load(Ordering::Relaxed) {
            true => Err("the disk is full".into()),
            false => Ok(()),
        });
    // The sandbox signs in without a code.
    let service = world.clone();
    let client = builder.blocking(move |request: Request<Body>, _| {
        let known = [("agent_id", DEFAULT_AGENT), ("agent_secret", DEFAULT_SECRET)];
        let body = Body::json(&BTreeMap::from(known)).unwrap();
        Ok(service.answer(request.map(|_| body)))
    });
    let client = client.unwrap();
    let hurried = client.with_patience(Duration::from_millis(50));
    let error = hurried.token().unwrap_err();
    assert!(matches!(error, TokenError::TimedOut), "{error:?}");
    assert_eq!(client.save_failure().unwrap().to_string(), "the disk is full");
    is_full.store(false, Ordering::Relaxed);
    world.pass(6);
    client.token().unwrap();
    assert!(client.save_failure().is_none());
    assert_eq!(world.calls(), 1, "the one code is used once");
}
