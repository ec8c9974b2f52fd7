//! What is sent again, with which bytes, when, and how often.

use std::time::Duration;

use http::header::{AUTHORIZATION, RETRY_AFTER};
use imts_core::call::CallError;
use imts_core::services::transfer::{Confirm, Status};
use imts_core::transport_error::Source;
use imts_core::{CallStep, Outcome, Recovery};
use serde_json::json;

use crate::support::{
    Act, Desk, Spend, TIME, answer, catalogue, done, lost, not_sent, policy, word,
};

#[test]
fn every_attempt_sends_the_same_bytes() {
    for pays in [false, true] {
        let mut desk = Desk::new();
        let script = vec![not_sent(), not_sent(), done()];
        let outcome = if pays { desk.pays(script) } else { desk.reads(script) };
        assert_eq!(word(&outcome), "done");
        let first = &desk.requests[0];
        assert_eq!(desk.requests.len(), 3);
        for request in &desk.requests {
            assert_eq!(request.body().as_ref(), br#"{"id":17}"#);
            assert_eq!(request.body().clone().into_bytes(), first.body().as_ref());
            assert_eq!(request.uri(), first.uri());
            assert!(request.headers()[AUTHORIZATION].is_sensitive());
        }
    }
}

#[test]
fn attempts_are_counted_and_backed_off() {
    let mut desk = Desk::new();
    let outcome = desk.reads(vec![lost(), lost(), lost()]);
    assert!(
        matches!(&outcome, Outcome::Failed(failed) if matches!(failed.why(), CallError::Failed(_)))
    );
    let [first, second, third] = desk.sent_at[..] else { panic!("three attempts") };
    assert_eq!(second.since(first), Duration::from_millis(500));
    assert_eq!(third.since(second), Duration::from_secs(1));
}

#[test]
fn a_read_waits_as_long_as_the_service_asks_and_no_longer_than_the_caller() {
    let busy = |seconds: &str| {
        let Act::Answer(mut response) = answer(503, &json!({})) else { unreachable!() };
        response.headers_mut().insert(RETRY_AFTER, seconds.parse().unwrap());
        Act::Answer(response)
    };
    let mut desk = Desk::new();
    assert_eq!(word(&desk.reads(vec![busy("20"), done()])), "done");
    assert_eq!(desk.sent_at[1].since(desk.sent_at[0]), Duration::from_secs(20));
    let mut desk = Desk::new();
    let before = desk.now;
    let outcome = desk.reads(vec![busy("600")]);
    assert_eq!(word(&outcome), "not_sent");
    let after = Some(Duration::from_secs(600));
    assert_eq!(outcome.recovery(), Some(Recovery::Retry { after }));
    assert_eq!(desk.now, before, "it ends at once, and not at the deadline");
}

#[test]
fn a_read_is_replayed_once_after_a_401_with_another_token() {
    let mut desk = Desk::new();
    let outcome = desk.reads(vec![answer(401, &json!({})), done()]);
    assert_eq!(word(&outcome), "done");
    assert_eq!(desk.sign_ins, 2);
    let tokens: Vec<_> = desk.requests.iter().map(|it| &it.headers()[AUTHORIZATION]).collect();
    assert_ne!(tokens[0], tokens[1]);
    let mut desk = Desk::new();
    let outcome = desk.reads(vec![answer(401, &json!({})), answer(401, &json!({}))]);
    assert_eq!(word(&outcome), "refused");
}

#[test]
fn a_401_to_money_rejects_the_token_and_leaves_the_outcome_unknown() {
    let mut desk = Desk::new();
    let outcome = desk.pays(vec![answer(401, &json!({}))]);
    assert_eq!(word(&outcome), "unknown");
    let phase = desk.session.phase(desk.now).to_string();
    assert_eq!(phase, "unauthenticated", "the token is dead, and there is no refresh token here");
}

#[test]
fn where_a_401_is_known_to_come_first_money_is_sent_once_more_and_no_oftener() {
    let mut trusting = policy();
    trusting.unauthorized_is_unprocessed = true;
    let mut desk = Desk::with(trusting.clone(), catalogue());
    assert_eq!(word(&desk.pays(vec![answer(401, &json!({})), done()])), "done");
    assert_eq!(desk.requests[0].body().as_ref(), desk.requests[1].body().as_ref());
    let mut desk = Desk::with(trusting, catalogue());
    let outcome = desk.pays(vec![answer(401, &json!({})), answer(401, &json!({}))]);
    assert_eq!(word(&outcome), "not_sent");
}

#[test]
fn whatever_comes_between_two_401s_of_one_call_the_second_is_not_followed_by_another_attempt() {
    let refused = || answer(401, &json!({}));
    let mut trusting = policy();
    trusting.unauthorized_is_unprocessed = true;
    trusting.call_attempts = 9;
    let unavailable = || answer(503, &json!({}));
    let between: [&[&dyn Fn() -> Act]; 5] =
        [&[], &[&not_sent], &[&not_sent, &not_sent], &[&lost], &[&unavailable, &lost]];
    for (number, between) in between.iter().enumerate() {
        let script = || {
            let between = between.iter().map(|act| act());
            [refused()].into_iter().chain(between).chain([refused()]).collect::<Vec<_>>()
        };
        let mut desk = Desk::with(trusting.clone(), catalogue());
        assert_eq!(word(&desk.reads(script())), "refused", "{number}");
        // A money call is attempted again only if it was not sent.
        if number < 3 {
            let mut desk = Desk::with(trusting.clone(), catalogue());
            assert_eq!(word(&desk.pays(script())), "not_sent", "{number}");
        }
    }
}

#[test]
fn a_401_proves_nothing_of_a_request_that_takes_no_token() {
    let mut trusting = policy();
    trusting.unauthorized_is_unprocessed = true;
    let mut desk = Desk::with(trusting, catalogue());
    let until = desk.now.mono.after(TIME);
    let call = desk.session.call(&Spend, until).unwrap();
    assert_eq!(word(&desk.drive(call, vec![answer(401, &json!({}))])), "unknown");
}

#[test]
fn a_permit_sends_the_same_call_again_and_an_unknown_has_none() {
    let mut desk = Desk::new();
    let outcome = desk.pays(vec![not_sent(), not_sent(), not_sent()]);
    let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
    let permit = failed.into_permit().expect("nothing was sent");
    let again = permit.retry(desk.now.mono.after(TIME));
    assert_eq!(word(&desk.drive(again, vec![lost()])), "unknown");
    let bodies: Vec<_> = desk.requests.iter().map(|it| it.body().as_ref().to_vec()).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "the same bytes");
}

#[test]
fn without_a_token_nothing_is_sent() {
    let desk = Desk::new();
    let mut call = desk.call::<Confirm>();
    assert!(matches!(call.poll(desk.now), CallStep::Token));
    let why = Box::<dyn std::error::Error + Send + Sync>::from("signed out");
    call.on_no_bearer(Source::from(why), Recovery::SignIn);
    match call.poll(desk.now) {
        CallStep::Over(Outcome::Failed(failed)) => {
            assert!(failed.why().to_string().contains("signed out"));
            assert_eq!(failed.why().recovery(), Recovery::SignIn);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(call.poll(desk.now), CallStep::Wait { .. }), "it ends once");
}

#[test]
fn a_call_whose_time_is_over_is_not_sent_and_one_that_was_sent_is_unknown() {
    let mut desk = Desk::new();
    let mut call = desk.call::<Confirm>();
    let bearer = desk.bearer();
    call.on_bearer(bearer.clone());
    let late = desk.now.advanced_by(TIME);
    assert!(matches!(call.poll(late), CallStep::Over(Outcome::Failed(failed))
        if matches!(failed.why(), CallError::OutOfTime)));

    let mut call = desk.call::<Confirm>();
    assert!(matches!(call.poll(desk.now), CallStep::Token));
    call.on_bearer(bearer);
    let CallStep::Send(exchange) = call.poll(late_but_not_over(&desk)) else {
        panic!("it is sent")
    };
    assert_eq!(
        exchange.time_limit(),
        Duration::from_secs(1),
        "the caller's time, not the policy's"
    );
    assert!(matches!(call.poll(desk.now.advanced_by(TIME)), CallStep::Over(Outcome::Unknown(_))));
}

fn late_but_not_over(desk: &Desk) -> imts_core::Now {
    desk.now.advanced_by(TIME - Duration::from_secs(1))
}

#[test]
fn what_is_reported_out_of_turn_changes_nothing() {
    let desk = Desk::new();
    let mut call = desk.call::<Status>();
    call.on_failure(imts_core::TransportError::unknown(), desk.now);
    call.on_recorded(Ok(1));
    assert!(matches!(call.poll(desk.now), CallStep::Token));
}
