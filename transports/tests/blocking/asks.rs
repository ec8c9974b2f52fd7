//! What an ask yields.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderName, HeaderValue, Request};
use imts::builder::BuildError;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::transport_error::NotSent;
use imts::{Credentials, Keep, Recovery, TokenError, TransportError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Operation, Outage, RetryAfter};

use crate::{World, eventually};

#[test]
fn a_valid_token_costs_one_sign_in_and_then_nothing() {
    let world = World::default();
    let client = world.client();
    let first = client.token().unwrap();
    for _ in 0..100 {
        assert_eq!(client.token().unwrap().epoch(), first.epoch());
    }
    assert_eq!(world.calls(), 1);
}

#[test]
fn while_expiring_the_old_token_is_served_and_a_refresh_runs_meanwhile() {
    let world = World::default();
    let client = world.client();
    let old = client.token().unwrap();
    world.pass(900 - 60);
    assert_eq!(client.token().unwrap().epoch(), old.epoch());
    eventually("the refresh", || world.sandbox().count(Operation::Refresh) == 1);
    eventually("the new token", || client.token().unwrap().epoch() > old.epoch());
    assert_eq!(world.calls(), 2);
}

#[test]
fn a_token_is_renewed_first_where_less_is_left_than_asked_for() {
    let world = World::default();
    let client = world.client();
    client.token().unwrap();
    world.pass(400);
    let bearer = client.token_valid_for(Duration::from_secs(600)).unwrap();
    assert!(bearer.remaining(imts::clock::Clock::now(&world.clock)) >= Duration::from_secs(600));
    assert_eq!(world.calls(), 2);
}

/// The sandbox cuts the end of a token to whole seconds: the clock stands at one.
#[test]
fn a_token_that_lives_exactly_as_long_as_asked_for_is_enough() {
    let second = Duration::from_secs(1);
    for before in [0, 100, 750] {
        let world = World::default();
        let client = world.client();
        if before > 0 {
            client.token().unwrap();
            world.pass(before);
        }
        let left = Duration::from_secs(900 - before);
        let asked = client.token_valid_for(left).unwrap();
        assert_eq!(asked.remaining(imts::clock::Clock::now(&world.clock)), left);
        assert_eq!(world.calls(), 1, "{before} s old");
        if before > 100 {
            client.token_valid_for(left + second).unwrap();
            assert_eq!(world.calls(), 2, "{before} s old, and a second more");
        }
    }
}

#[test]
fn more_life_than_tokens_have_is_an_error_that_says_so_and_costs_no_renewal() {
    let world = World::default();
    let client = world.client();
    client.token().unwrap();
    let error = client.token_valid_for(Duration::from_secs(3_600)).unwrap_err();
    assert!(matches!(error, TokenError::ShortLived { .. }), "{error:?}");
    assert_eq!(error.recovery(), Recovery::Fix);
    assert_eq!(world.calls(), 1);
}

#[test]
fn a_rejected_token_is_replaced_and_a_second_rejection_of_it_costs_nothing() {
    let world = World::default();
    let client = world.client();
    let old = client.token().unwrap();
    world.pass(60);
    client.reject(old.epoch());
    let new = client.token().unwrap();
    assert_ne!(new.expose_token(), old.expose_token());
    client.reject(old.epoch());
    assert_eq!(client.token().unwrap().epoch(), new.epoch());
    assert_eq!(world.calls(), 2);
}

#[test]
fn in_an_outage_asks_are_told_at_once_and_the_service_is_left_in_peace() {
    let world = World::default();
    let client = world.client();
    let mut outage = Outage::default();
    outage.retry_after = Some(RetryAfter::Seconds(30));
    world.sandbox().settings_mut().outage = Some(outage);
    assert!(matches!(client.token().unwrap_err(), TokenError::Renewal(_)));
    for _ in 0..50 {
        let error = client.token().unwrap_err();
        assert!(matches!(error, TokenError::Waiting { .. }), "{error:?}");
        assert_eq!(error.recovery().retry_after(), Some(Duration::from_secs(30)));
    }
    assert_eq!(world.calls(), 1);
    world.sandbox().settings_mut().outage = None;
    world.pass(30);
    client.token().unwrap();
    assert_eq!(world.calls(), 2);
}

#[test]
fn wrong_credentials_are_tried_once_and_new_ones_help() {
    let world = World::default();
    let builder = world.builder().credentials(Credentials::new(DEFAULT_AGENT, "wrong").unwrap());
    let client = builder.blocking(world.transport()).unwrap();
    for _ in 0..10 {
        let error = client.token().unwrap_err();
        assert!(matches!(error, TokenError::SignIn { last: Some(_) }), "{error:?}");
        world.pass(3_600);
    }
    assert_eq!(world.calls(), 1);
    client.sign_in(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap(), Keep::Always);
    client.token().unwrap();
}

#[test]
fn after_a_sign_out_nothing_is_known_and_nothing_is_sent() {
    let world = World::default();
    let client = world.client();
    client.token().unwrap();
    client.sign_out();
    assert_eq!(client.phase(|phase| phase.to_string()), "unauthenticated");
    assert!(matches!(client.token().unwrap_err(), TokenError::SignIn { last: None }));
    assert!(client.saved().is_none());
    assert_eq!(world.calls(), 1);
}

#[test]
fn each_request_carries_our_user_agent_and_the_callers_headers() {
    let world = World::default();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, service) = (Arc::clone(&seen), world.clone());
    let client = world
        .builder()
        .user_agent("my-bank/1.2")
        .header(HeaderName::from_static("x-key"), HeaderValue::from_static("k"))
        .blocking(move |request: Request<Body>, _: Bounds| {
            log.lock().unwrap().push(request.headers().clone());
            Ok(service.answer(request))
        })
        .unwrap();
    client.token().unwrap();
    let headers = seen.lock().unwrap().pop().unwrap();
    let expected = concat!("imts/", env!("CARGO_PKG_VERSION"), " my-bank/1.2");
    assert_eq!(headers[USER_AGENT], expected);
    assert_eq!(headers["x-key"], "k");
    assert_eq!(headers["content-type"], "application/json");
}

#[test]
fn a_callers_header_cannot_replace_one_of_the_protocol() {
    for name in [
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Content-Type",
        "Content-Encoding",
        "Authorization",
        "Proxy-Authorization",
        "Accept",
        "Accept-Encoding",
        "Connection",
        "Keep-Alive",
        "Proxy-Connection",
        "Expect",
        "Upgrade",
        "TE",
        "Trailer",
        "User-Agent",
    ] {
        let world = World::default();
        for spelt in [name.to_owned(), name.to_ascii_lowercase(), name.to_ascii_uppercase()] {
            let name = HeaderName::from_bytes(spelt.as_bytes()).unwrap();
            let builder = || world.builder().header(name.clone(), HeaderValue::from_static("x"));
            let nothing = |_: Request<Body>, _: Bounds| {
                std::future::ready(Err(TransportError::not_sent(NotSent::vouch())))
            };
            let by_task = builder().nonblocking((nothing, |_| std::future::ready(())));
            for refused in [builder().blocking(world.transport()).map(drop), by_task.map(drop)] {
                let is_refused = matches!(&refused, Err(BuildError::Header(it)) if *it == name);
                assert!(is_refused, "{name}: {refused:?}");
            }
        }
    }
}

#[test]
fn a_service_out_of_reach_is_an_error_that_says_so() {
    let world = World::default();
    let client = world
        .builder()
        .blocking(|_: Request<Body>, _: Bounds| Err(TransportError::not_sent(NotSent::vouch())))
        .unwrap();
    let error = client.token().unwrap_err();
    assert_eq!(error.to_string(), "sign-in failed: the service could not be reached");
    assert_eq!(error.recovery(), Recovery::Retry { after: None });
}

#[test]
fn clients_back_off_by_seeds_of_their_own() {
    let waits: std::collections::BTreeSet<_> = (0..16)
        .map(|_| {
            let world = World::default();
            world.sandbox().settings_mut().outage = Some(imts_sandbox::Outage::default());
            let client = world.client();
            client.token().unwrap_err();
            let Err(imts::TokenError::Waiting { wait, .. }) = client.token() else { panic!() };
            wait
        })
        .collect();
    // Of a hundred waits each: that sixteen are all the same happens in no lifetime.
    assert!(waits.len() > 1, "all wait {waits:?}");
}
