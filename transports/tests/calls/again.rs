//! What is sent again, and with which bytes: by a permit, by a name, after a 401.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use imts::call::{Ending, NotCallable};
use imts::clock::Clock;
use imts::operation::Json;
use imts::secret::Body;
use imts::services::transfer::Status;
use imts::transport::Bounds;
use imts::transport_error::NotSent;
use imts::{Outcome, Permit, Policy, Transport, TransportError};
use imts_sandbox::{Counters, Fault, Operation, Rule};

use crate::{Notes, World, confirm, policy, request, run};

/// Says of the first so many calls that they never left.
fn refusing(world: &World, calls: usize) -> impl Transport + Clone + 'static {
    let (world, left) = (world.clone(), Arc::new(AtomicUsize::new(calls)));
    move |request: Request<Body>, _: Bounds| {
        let is_call = !request.uri().path().contains("/agent/");
        let refuses = |left: usize| left.checked_sub(1).filter(|_| is_call);
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, refuses).is_ok() {
            return Err(TransportError::not_sent(NotSent::vouch()));
        }
        world.exchange(request)
    }
}

fn permit<R>(outcome: Outcome<R>) -> Permit<R> {
    match outcome {
        Outcome::Failed(failed) => failed.into_permit().expect("its request was made"),
        other => panic!("{}", other.ending().as_str()),
    }
}

#[test]
fn what_was_not_sent_is_sent_again_by_its_permit_and_written_down_as_a_call_of_its_own() {
    let (world, notes) = (World::new(), Notes::default());
    let client = world.builder().journal(notes.clone());
    let client = client.blocking(refusing(&world, 3)).unwrap();
    let permit = permit(client.call(&confirm("a")).unwrap());
    assert!(world.sent().is_empty());
    let outcome = client.call_again(permit).unwrap();
    assert_eq!((outcome.ending(), world.applied("a")), (Ending::Done, 1));
    let thrice = ["intent a", "sending 1", "sending 1", "sending 1", "ended 1 not_sent"];
    assert_eq!(notes.lines()[..5], thrice);
    assert_eq!(notes.lines()[5..], ["intent a", "sending 2", "ended 2 done"]);
    let body: serde_json::Value = serde_json::from_slice(&world.sent()[0]).unwrap();
    assert_eq!(body, serde_json::json!({ "client_uuid": "a", "amount": "15.4" }));
}

#[test]
fn a_task_sends_again_by_a_permit_too() {
    let world = World::new();
    let sending = refusing(&world, 3);
    let send = move |request: Request<Body>, bounds: Bounds| {
        std::future::ready(sending.send(request, bounds))
    };
    let client = world.builder().nonblocking((send, crate::timer)).unwrap();
    let outcome = run(async {
        let permit = permit(client.call(&confirm("a")).await.unwrap());
        client.call_again(permit).await.unwrap()
    });
    assert_eq!((outcome.ending(), world.applied("a")), (Ending::Done, 1));
}

#[test]
fn a_call_by_name_has_the_classes_rules_and_its_reply_as_json() {
    let (world, notes) = (World::new(), Notes::default());
    let builder = || world.builder().journal(notes.clone());
    let client = builder().blocking(world.transport()).unwrap();
    let json = Json::parse(r#"{"client_uuid": "a", "amount": 15.40000000000000000001}"#).unwrap();
    let call = client.call_named("confirm", &json).unwrap().with_reference("mine");
    let Outcome::Done(reply) = client.perform(call).unwrap() else { panic!("it is done") };
    assert_eq!(reply.as_str(), r#"{"client_uuid":"a"}"#);
    assert_eq!(world.sent(), [json.as_str().as_bytes()], "to the byte");
    assert_eq!(notes.lines(), ["intent mine", "sending 1", "ended 1 done"]);
    let error = client.call_named("payout", &json).unwrap_err();
    assert!(matches!(error, NotCallable::NoPath { .. }), "{error}");
    let tasks = builder().nonblocking(world.task_transport()).unwrap();
    let call = tasks.call_named("confirm", &json).unwrap().with_reference("other");
    assert_eq!(run(tasks.perform(call)).unwrap().ending(), Ending::Done);
    assert_eq!(notes.lines()[3..], ["intent other", "sending 2", "ended 2 done"]);
}

/// A world whose first call meets a token that the service took back, and what came of it.
fn unauthorized(policy: Policy, waits: bool, money: bool) -> (World, Ending) {
    let world = World::new();
    let builder = world.builder().policy(policy);
    let revoke = |token: &str| world.sandbox().revoke(token);
    let ending = if waits {
        let client = builder.blocking(world.transport()).unwrap();
        revoke(client.token().unwrap().expose_token());
        match money {
            true => client.call(&confirm("a")).unwrap().ending(),
            false => client.call(&request::<Status>("a")).unwrap().ending(),
        }
    } else {
        let client = builder.nonblocking(world.task_transport()).unwrap();
        run(async {
            revoke(client.token().await.unwrap().expose_token());
            match money {
                true => client.call(&confirm("a")).await.unwrap().ending(),
                false => client.call(&request::<Status>("a")).await.unwrap().ending(),
            }
        })
    };
    (world, ending)
}

#[test]
fn after_a_401_the_same_bytes_go_out_once_more_where_that_is_safe_and_else_not_at_all() {
    let mut trusting = policy();
    trusting.unauthorized_is_unprocessed = true;
    for waits in [true, false] {
        for (policy, money, ends, requests, applied) in [
            (policy(), false, Ending::Done, 2, 0),
            (policy(), true, Ending::Unknown, 1, 0),
            (trusting.clone(), true, Ending::Done, 2, 1),
        ] {
            let (world, ending) = unauthorized(policy, waits, money);
            let sent = world.sent();
            assert_eq!((ending, sent.len()), (ends, requests), "{waits} {money}");
            assert!(sent.windows(2).all(|pair| pair[0] == pair[1] && !pair[0].is_empty()));
            assert_eq!(world.applied("a"), applied);
            let Counters { expired_bearers, .. } = world.sandbox().counters();
            assert_eq!(expired_bearers, 0);
        }
    }
}

#[test]
fn the_token_that_money_was_refused_for_is_not_used_again() {
    let (world, _) = unauthorized(policy(), true, true);
    let client = world.builder().blocking(world.transport()).unwrap();
    let first = client.token().unwrap();
    world.sandbox().revoke(first.expose_token());
    assert_eq!(client.call(&confirm("b")).unwrap().ending(), Ending::Unknown);
    let grants = world.sandbox().count(Operation::GetToken);
    assert_eq!(client.call(&confirm("c")).unwrap().ending(), Ending::Done);
    let sandbox = world.sandbox();
    let renewals = sandbox.count(Operation::GetToken) + sandbox.count(Operation::Refresh);
    assert!(renewals > grants);
}

/// Two seconds on its way.
fn slow(world: &World, request: Request<Body>) -> Result<http::Response<Vec<u8>>, TransportError> {
    if !request.uri().path().contains("/agent/") {
        world.clock.advance(Duration::from_secs(2));
    }
    world.exchange(request)
}

/// Lets time pass until a token has so little left.
fn age(world: &World, left: Duration, seconds: u64) {
    world.clock.advance(left.saturating_sub(Duration::from_secs(seconds)));
}

#[test]
fn a_token_that_would_die_on_the_way_is_renewed_before_money_is_sent_with_it() {
    let world = World::new();
    let service = world.clone();
    let client = world.builder();
    let client = client.blocking(move |it, _: Bounds| slow(&service, it)).unwrap();
    age(&world, client.token().unwrap().remaining(world.clock.now()), 1);
    assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::Done);
    assert_eq!((world.applied("a"), world.sent().len()), (1, 1));
    let world = World::new();
    let service = world.clone();
    let send = move |it, _: Bounds| std::future::ready(slow(&service, it));
    let client = world.builder().nonblocking((send, crate::timer)).unwrap();
    age(&world, run(client.token()).unwrap().remaining(world.clock.now()), 1);
    assert_eq!(run(client.call(&confirm("a"))).unwrap().ending(), Ending::Done);
    assert_eq!((world.applied("a"), world.sent().len()), (1, 1));
}

#[test]
fn where_no_longer_life_is_to_be_had_the_token_at_hand_is_used() {
    // Tokens that never live that long.
    let world = World::new();
    world.sandbox().settings_mut().access_lifetime = Duration::from_secs(3);
    let client = world.builder().blocking(world.transport()).unwrap();
    for id in ["a", "b"] {
        assert_eq!(client.call(&confirm(id)).unwrap().ending(), Ending::Done);
    }
    let sandbox = world.sandbox();
    assert_eq!(sandbox.count(Operation::GetToken) + sandbox.count(Operation::Refresh), 1);
    drop(sandbox);
    // Renewals that fail.
    let world = World::new();
    let client = world.builder().blocking(world.transport()).unwrap();
    age(&world, client.token().unwrap().remaining(world.clock.now()), 3);
    let out = Fault::Status { status: 503, retry_after_s: None };
    let rules = [Operation::GetToken, Operation::Refresh].map(|it| Rule::always(it, out.clone()));
    world.sandbox().set_faults(rules.into());
    assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::Done);
    assert_eq!(world.applied("a"), 1);
}
