//! What a driver or a caller may do wrong, and what it must not lead to: money sent without its
//! proof, its record, or a token that is good.

use std::time::Duration;

use http::header::AUTHORIZATION;
use imts_core::journal::Entry;
use imts_core::operation::Custom;
use imts_core::operation::Json;
use imts_core::services::transfer::Confirm;
use imts_core::transport_error::{NotSent, Source};
use imts_core::{
    Call, CallStep, Endpoint, Outcome, Recovery, Reply, Session, TransportError, services,
};

use crate::support::{Act, Desk, LogIn, TIME, catalogue, done, not_sent, policy, word};

/// A call of money whose request was handed out.
fn sent(desk: &mut Desk) -> Call<Json> {
    let mut call = desk.call::<Confirm>();
    call.on_bearer(desk.bearer());
    let CallStep::Send(_) = call.poll(desk.now) else { panic!("it is sent") };
    call
}

fn replied(call: &mut Call<Json>, desk: &Desk) {
    let Act::Answer(response) = done() else { unreachable!() };
    call.on_reply(Reply::from(&response), desk.now);
}

#[test]
fn a_journal_that_is_declared_after_the_request_left_does_not_send_it_again() {
    let mut desk = Desk::new();
    let mut call = sent(&mut desk).with_journal();
    assert!(matches!(call.poll(desk.now), CallStep::Wait { .. }), "it waits for its reply");
    replied(&mut call, &desk);
    let mut ended = call.with_journal();
    assert!(matches!(ended.poll(desk.now), CallStep::Over(Outcome::Done(_))));
    assert!(matches!(ended.with_journal().poll(desk.now), CallStep::Wait { .. }));
}

#[test]
fn a_call_that_takes_no_token_carries_none_whatever_it_is_given() {
    let mut desk = Desk::new();
    let deadline = desk.now.mono.after(TIME);
    let mut call = desk.session.call(&LogIn, deadline).unwrap();
    call.on_bearer(desk.bearer());
    let CallStep::Send(exchange) = call.poll(desk.now) else { panic!("it is sent") };
    assert_eq!(exchange.request().headers().get(AUTHORIZATION), None);
}

#[test]
fn a_journal_that_is_declared_between_two_attempts_is_not_asked_for_half_of_them() {
    let mut desk = Desk::new();
    let mut call = sent(&mut desk);
    call.on_failure(TransportError::not_sent(NotSent::vouch()), desk.now);
    desk.now = desk.now.advanced_by(Duration::from_secs(1));
    assert!(matches!(call.poll(desk.now), CallStep::Token), "the second attempt is due");
    let outcome = desk.drive(call.with_journal(), vec![done()]);
    assert_eq!((word(&outcome), desk.entries.len()), ("done", 0));
}

#[test]
fn a_journal_that_is_declared_twice_is_written_once() {
    let mut desk = Desk::new();
    let mut call = desk.call::<Confirm>().with_journal();
    assert!(matches!(call.poll(desk.now), CallStep::Record(Entry::Intent(_))));
    call.on_recorded(Ok(7));
    let outcome = desk.drive(call.with_journal(), vec![done()]);
    assert_eq!(word(&outcome), "done");
    assert!(matches!(desk.entries[..], [Entry::Sending { id: 7, .. }, Entry::Ended { .. }]));
}

#[test]
fn a_record_that_nobody_asked_for_replaces_none() {
    let mut desk = Desk::new();
    let mut call = desk.call::<Confirm>().with_journal();
    call.on_recorded(Ok(1));
    call.on_recorded(Err(full().into()));
    assert!(matches!(call.poll(desk.now), CallStep::Record(Entry::Intent(_))));
    call.on_recorded(Ok(7));
    call.on_recorded(Ok(7));
    call.on_bearer(desk.bearer());
    assert!(matches!(call.poll(desk.now), CallStep::Record(Entry::Sending { id: 7, .. })));
    call.on_recorded(Ok(7));
    assert!(matches!(call.poll(desk.now), CallStep::Send(_)));
    call.on_recorded(Err(full().into()));
    replied(&mut call, &desk);
    call.on_recorded(Ok(7));
    assert!(matches!(call.poll(desk.now), CallStep::Record(Entry::Ended { id: 7, .. })));
}

fn full() -> Source {
    Source::from(Box::<dyn std::error::Error + Send + Sync>::from("full"))
}

#[test]
fn a_token_that_died_while_the_journal_was_written_is_not_sent() {
    let mut desk = Desk::new();
    let until = desk.now.mono.after(Duration::from_secs(10_000));
    let operation = Custom::<Confirm, _>::new(serde_json::json!({})).with_reference("ref-17");
    let mut call: Call<Json> = desk.session.call(&operation, until).unwrap().with_journal();
    assert!(matches!(call.poll(desk.now), CallStep::Record(Entry::Intent(_))));
    call.on_recorded(Ok(7));
    assert!(matches!(call.poll(desk.now), CallStep::Token));
    let bearer = desk.bearer();
    call.on_bearer(bearer.clone());
    // A token that dies before it is used is asked for anew, ...
    desk.now = desk.now.advanced_by(Duration::from_secs(900));
    assert!(bearer.remaining(desk.now).is_zero());
    assert!(matches!(call.poll(desk.now), CallStep::Token));
    call.on_bearer(desk.bearer());
    assert!(matches!(call.poll(desk.now), CallStep::Record(Entry::Sending { .. })));
    // ... and so is one that dies while the disk is slow, by either clock.
    desk.now.wall = desk.now.wall.after(Duration::from_secs(900));
    call.on_recorded(Ok(7));
    assert!(matches!(call.poll(desk.now), CallStep::Token));
    let fresh = desk.bearer();
    call.on_bearer(fresh.clone());
    assert!(matches!(call.poll(desk.now), CallStep::Record(Entry::Sending { .. })));
    call.on_recorded(Ok(7));
    let CallStep::Send(exchange) = call.poll(desk.now) else { panic!("it is sent") };
    assert_eq!(exchange.request().headers()["authorization"], fresh.header());
}

#[test]
fn of_two_tokens_the_last_is_used_and_one_that_comes_late_changes_nothing() {
    let mut desk = Desk::new();
    let mut call = desk.call::<Confirm>();
    let first = desk.bearer();
    desk.session.reject(first.epoch(), desk.now);
    let second = desk.bearer();
    call.on_bearer(first.clone());
    call.on_bearer(second.clone());
    let CallStep::Send(exchange) = call.poll(desk.now) else { panic!("it is sent") };
    assert_eq!(exchange.request().headers()["authorization"], second.header());
    call.on_bearer(first);
    call.on_no_bearer(full(), Recovery::Fix);
    assert!(matches!(call.poll(desk.now), CallStep::Wait { .. }));
    replied(&mut call, &desk);
    assert!(matches!(call.poll(desk.now), CallStep::Over(Outcome::Done(_))));
}

#[test]
fn what_comes_after_the_end_brings_no_second_end_and_no_permit() {
    let mut desk = Desk::new();
    let mut call = sent(&mut desk);
    desk.now = desk.now.advanced_by(TIME);
    assert!(matches!(call.poll(desk.now), CallStep::Over(Outcome::Unknown(_))));
    call.on_failure(TransportError::not_sent(NotSent::vouch()), desk.now);
    replied(&mut call, &desk);
    call.on_bearer(desk.bearer());
    call.on_recorded(Ok(1));
    assert!(matches!(call.poll(desk.now), CallStep::Wait { .. }));
}

#[test]
fn a_failure_that_is_told_after_the_reply_changes_nothing() {
    let mut desk = Desk::new();
    let mut call = sent(&mut desk);
    call.on_failure(TransportError::unknown(), desk.now);
    call.on_failure(TransportError::not_sent(NotSent::vouch()), desk.now);
    replied(&mut call, &desk);
    assert!(matches!(call.poll(desk.now), CallStep::Over(Outcome::Unknown(_))));
}

#[test]
fn a_clock_that_jumps_sends_nothing_again() {
    let mut desk = Desk::new();
    let mut call = sent(&mut desk);
    for seconds in [1_000_000, 0, 5, 0] {
        let mut jumped = crate::support::START;
        jumped.wall = jumped.wall.after(Duration::from_secs(seconds));
        assert!(matches!(call.poll(jumped), CallStep::Wait { .. }));
    }
    let far = desk.now.advanced_by(Duration::MAX);
    assert!(matches!(call.poll(far), CallStep::Over(Outcome::Unknown(_))));
    // In a back-off, a clock set back only prolongs the wait; the deadline stays.
    let mut call = sent(&mut desk);
    call.on_failure(TransportError::not_sent(NotSent::vouch()), desk.now);
    let CallStep::Wait { until } = call.poll(crate::support::START) else { panic!("it waits") };
    assert!(until > desk.now.mono);
}

#[test]
fn a_permit_sends_its_own_call_alone_and_to_its_own_service() {
    let mut desk = Desk::new();
    let Outcome::Failed(failed) = desk.pays(vec![not_sent(), not_sent(), not_sent()]) else {
        panic!("it was not sent")
    };
    let call = failed.into_permit().unwrap().retry(desk.now.mono.after(TIME));
    assert!(call.is_for(desk.session.endpoint()));
    let elsewhere = Endpoint::https("https://other.example").unwrap();
    assert!(!call.is_for(&elsewhere));
    let service = services::transfer().with_operations(catalogue());
    let other = Session::new(elsewhere, service, policy()).unwrap();
    let operation = Custom::<Confirm, _>::new(serde_json::json!({}));
    let of_other: Call<Json> = other.call(&operation, desk.now.mono.after(TIME)).unwrap();
    assert!(!of_other.is_for(desk.session.endpoint()) && of_other.is_for(other.endpoint()));
    assert_eq!(word(&desk.drive(call, vec![done()])), "done");
    let [first, .., last] = &desk.requests[..] else { panic!("four requests") };
    assert_eq!((first.uri(), first.body().as_ref()), (last.uri(), last.body().as_ref()));
}
