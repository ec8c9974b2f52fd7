//! The times of a call that are passed on and recorded: when its request went out, and when it ended.

use std::time::Duration;

use http::header::RETRY_AFTER;
use imts_core::journal::{Book, CallRecord, Entry, Finding, IntentError, Resolution};
use imts_core::operation::Json;
use imts_core::services::transfer::{Confirm, Status};
use imts_core::time::Wall;
use imts_core::{Call, CallStep, Outcome, TransportError};
use serde_json::json;

use crate::support::{
    Act, Desk, START, answer, catalogue, done, lost, not_sent, policy, typed, word,
};

const LATER: Duration = Duration::from_secs(7);

/// Carries a call on to its request, and lets some time pass before what follows.
fn sends(desk: &mut Desk, call: &mut Call<Json>) {
    loop {
        match call.poll(desk.now) {
            CallStep::Token => call.on_bearer(desk.bearer()),
            CallStep::Record(entry) => {
                desk.entries.push(entry);
                call.on_recorded(Ok(1));
            }
            CallStep::Wait { until } => {
                desk.now = desk.now.advanced_by(until.since(desk.now.mono));
            }
            CallStep::Reject(epoch) => desk.session.reject(epoch, desk.now),
            CallStep::Send(exchange) => {
                desk.requests.push(exchange.into_request());
                desk.sent_at.push(desk.now.mono);
                desk.now = desk.now.advanced_by(LATER);
                return;
            }
            other => panic!("{other:?}"),
        }
    }
}

fn hears(desk: &Desk, call: &mut Call<Json>, act: Act) {
    match act {
        Act::Answer(response) => call.on_reply((&response).into(), desk.now),
        Act::Fail(failure) => call.on_failure(failure, desk.now),
        Act::Silence => {}
    }
}

/// By the wall clock, which runs evenly here.
fn wall(desk: &Desk, attempt: usize) -> Wall {
    START.wall.after(desk.sent_at[attempt].since(START.mono))
}

#[test]
fn an_unknown_call_tells_when_the_request_went_out_that_may_have_been_processed() {
    let mut trusting = policy();
    trusting.unauthorized_is_unprocessed = true;
    let unprocessed: [&dyn Fn() -> Act; 2] = [&not_sent, &|| answer(401, &json!({}))];
    // The third is a success that is cut off.
    let ends: [&dyn Fn() -> Act; 4] = [
        &lost,
        &|| answer(500, &json!({})),
        &|| typed(200, "application/json", br#"{"state":true,"payl"#),
        &|| Act::Silence,
    ];
    for (number, end) in ends.iter().enumerate() {
        for before in unprocessed.iter().map(Some).chain([None]) {
            let mut desk = Desk::with(trusting.clone(), catalogue());
            let mut call = desk.call::<Confirm>();
            if let Some(before) = before {
                sends(&mut desk, &mut call);
                hears(&desk, &mut call, before());
            }
            sends(&mut desk, &mut call);
            hears(&desk, &mut call, end());
            desk.now = desk.now.advanced_by(Duration::from_secs(60));
            let outcome = desk.drive(call, vec![]);
            let Outcome::Unknown(unknown) = outcome else { panic!("{number}: {outcome:?}") };
            assert_eq!(unknown.sent_at(), wall(&desk, desk.sent_at.len() - 1), "{number}");
        }
    }
}

/// The record of a call whose reply came some time after its request, and whose first attempt was not
/// sent.
fn recorded(act: Act) -> (Desk, Book, CallRecord) {
    let mut desk = Desk::new();
    let mut call = desk.call::<Confirm>().with_journal();
    sends(&mut desk, &mut call);
    hears(&desk, &mut call, not_sent());
    sends(&mut desk, &mut call);
    hears(&desk, &mut call, act);
    let CallStep::Record(ended) = call.poll(desk.now) else { panic!("its end is recorded") };
    let mut book = Book::default();
    for entry in desk.entries.iter().chain([&ended]) {
        book.apply(1, entry);
    }
    let record = book.call(1).unwrap().clone();
    (desk, book, record)
}

#[test]
fn a_record_has_when_a_call_was_intended_last_sent_and_ended() {
    let refused = || answer(422, &json!({ "message": "no" }));
    for act in [done(), refused(), lost()] {
        let (desk, _, record) = recorded(act);
        assert_eq!(record.intended_at, START.wall);
        assert_eq!(record.sent_at, Some(wall(&desk, 1)), "the last attempt's");
        assert_ne!(record.sent_at, Some(wall(&desk, 0)));
        assert_eq!(record.ended_at, Some(desk.now.wall));
        assert_ne!(record.ended_at, record.sent_at);
    }
}

#[test]
fn what_is_already_done_was_done_when_it_ended_or_when_that_was_found_out() {
    let done_at = |book: &Book, desk: &Desk| {
        let Entry::Intent(intent) = &desk.entries[0] else { panic!("the intent comes first") };
        match book.admit(intent) {
            Err(IntentError::AlreadyDone { at, .. }) => at,
            other => panic!("{other:?}"),
        }
    };
    let (desk, book, _) = recorded(done());
    assert_eq!(done_at(&book, &desk), desk.now.wall);
    let (desk, mut book, _) = recorded(lost());
    let at = desk.now.wall.after(LATER);
    let finding = Finding::Done;
    let resolution = Resolution { finding, reason: "asked".to_owned(), by: None };
    book.apply(1, &Entry::Resolved { id: 1, at, resolution });
    assert_eq!(book.call(1).unwrap().ended_at, Some(at));
    assert_eq!(done_at(&book, &desk), at);
}

#[test]
fn without_a_date_of_the_service_a_date_to_retry_at_counts_from_the_request() {
    let date = START.wall.after(Duration::from_secs(30)).to_datetime().unwrap();
    let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut desk = Desk::new();
    let mut call = desk.call::<Status>();
    sends(&mut desk, &mut call);
    let Act::Answer(mut busy) = answer(503, &json!({})) else { unreachable!() };
    busy.headers_mut().insert(RETRY_AFTER, date.parse().unwrap());
    hears(&desk, &mut call, Act::Answer(busy));
    let heard = desk.now;
    sends(&mut desk, &mut call);
    // The date is in whole seconds.
    let wait = desk.sent_at[1].since(heard.mono);
    assert!(wait > Duration::from_secs(29) && wait <= Duration::from_secs(30), "{wait:?}");
    hears(&desk, &mut call, Act::Fail(TransportError::unknown()));
    assert_eq!(word(&desk.drive(call, vec![done()])), "done");
}
