//! What happens seldom: a declaration that comes late or twice, an end that comes out of turn, a time
//! that falls together with another.

use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use imts_core::call::{CallError, Ending};
use imts_core::catalogue::Decided;
use imts_core::journal::{Book, Despite, Entry, Finding, Intent, IntentError, Resolution};
use imts_core::operation::Custom;
use imts_core::services::transfer::{Confirm, Status};
use imts_core::time::Wall;
use imts_core::{CallStep, Outcome, Recovery};
use serde_json::json;

use crate::forgotten::{intent, put};
use crate::support::{Act, Desk, START, TIME, answer, catalogue, done, not_sent, policy};

fn at(micros: i64) -> Wall {
    Wall::from_unix_micros(micros)
}

fn sends(book: &mut Book, intent: Intent) -> u64 {
    let id = put(book, &Entry::Intent(intent));
    put(book, &Entry::Sending { id, at: at(2), until: None })
}

fn ends(book: &mut Book, id: u64, ending: Ending) {
    put(book, &Entry::Ended { id, at: at(3), ending });
}

fn despite(id: u64) -> Intent {
    Intent { despite: Some(Despite { id, reason: "asked".to_owned(), by: None }), ..intent("a", 1) }
}

/// An intent that was sent twice, the second time in spite of the first one's record; the second was
/// done, and then the first one was.
fn twice_done(book: &mut Book) {
    let first = sends(book, intent("a", 1));
    let second = sends(book, despite(first));
    ends(book, second, Ending::Done);
    ends(book, first, Ending::Done);
}

#[test]
fn of_two_calls_that_were_done_the_later_one_stands_whichever_ended_first() {
    let mut book = Book::keeping(0);
    twice_done(&mut book);
    assert_eq!(book.calls().count(), 0, "both are forgotten but for what the guard must know");
    let stands = book.admit(&despite(1)).unwrap_err();
    assert!(matches!(stands, IntentError::AlreadyDone { id: 2, .. }), "{stands:?}");
    assert_eq!(book.admit(&despite(2)), Ok(()));
}

#[test]
fn an_end_that_is_taken_back_leaves_the_other_call_of_its_intent_done() {
    let mut book = Book::keeping(0);
    let first = sends(&mut book, intent("a", 1));
    ends(&mut book, first, Ending::Done);
    let second = sends(&mut book, despite(first));
    let before = book.call(second).cloned();
    ends(&mut book, second, Ending::Done);
    book.take_back(second, before);
    let resolution = Resolution { finding: Finding::Refused, reason: "asked".to_owned(), by: None };
    put(&mut book, &Entry::Resolved { id: second, at: at(4), resolution });
    let stands = book.admit(&intent("a", 1)).unwrap_err();
    assert!(matches!(stands, IntentError::AlreadyDone { id: 1, .. }), "{stands:?}");
}

#[test]
fn a_call_that_is_not_admitted_after_an_attempt_ends_as_one_that_was_not_sent() {
    let mut desk = Desk::new();
    let mut call = desk.call::<Confirm>().with_journal();
    let mut ended = None;
    let outcome = loop {
        match call.poll(desk.now) {
            CallStep::Token => call.on_bearer(desk.bearer()),
            CallStep::Record(Entry::Sending { .. }) if !desk.requests.is_empty() => {
                let (operation, reference) = ("confirm".to_owned(), "ref-17".to_owned());
                let other = IntentError::InProgress { id: 8, operation, reference };
                call.on_recorded(Err(other.into()));
            }
            CallStep::Record(Entry::Ended { ending, .. }) => {
                ended = Some(ending);
                call.on_recorded(Ok(7));
            }
            CallStep::Record(_) => call.on_recorded(Ok(7)),
            CallStep::Send(exchange) => {
                desk.requests.push(exchange.into_request());
                let Act::Fail(failure) = not_sent() else { unreachable!() };
                call.on_failure(failure, desk.now);
            }
            CallStep::Wait { until } => {
                desk.now = desk.now.advanced_by(until.since(desk.now.mono));
            }
            CallStep::Over(outcome) => break outcome,
            other => panic!("{other:?}"),
        }
    };
    let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
    assert!(matches!(failed.why(), CallError::Journal(_)), "{failed:?}");
    assert_eq!(failed.why().recovery(), Recovery::Fix);
    assert_eq!((ended, desk.requests.len()), (Some(Ending::NotSent), 1));
}

#[test]
fn a_call_stays_where_it_was_first_declared_to_be_written_down() {
    let desk = Desk::new();
    assert!(desk.call::<Confirm>().with_journal().with_memory().needs_journal());
    assert!(desk.call::<Confirm>().with_memory().with_journal().needs_journal());
    let mut call = desk.call::<Confirm>().with_memory();
    assert!(matches!(call.poll(desk.now), CallStep::Record(Entry::Intent(_))));
    let call = call.with_journal();
    assert!(!call.needs_journal(), "it is being written down elsewhere");
}

#[test]
fn a_call_that_is_written_down_is_of_the_agent_that_it_was_made_for() {
    let desk = Desk::new();
    let call = || desk.call::<Confirm>().with_journal();
    for (agent, is_of) in [(Some("agent-1"), true), (Some("agent-2"), false), (None, false)] {
        assert_eq!(call().is_of_agent(agent), is_of, "{agent:?}");
        assert_eq!(call().for_agent(Some("agent-2")).is_of_agent(agent), is_of, "{agent:?}");
    }
}

#[test]
fn a_wait_that_would_last_until_the_deadline_is_not_begun() {
    let (wait, moment) = (TIME, Duration::from_micros(1));
    let busy = |wait: Duration| {
        let Act::Answer(mut busy) = answer(429, &json!({ "code": "busy" })) else { unreachable!() };
        busy.headers_mut().insert(RETRY_AFTER, wait.as_secs().into());
        Act::Answer(busy)
    };
    let mut desk = Desk::new();
    let call = desk.call::<Status>();
    let outcome = desk.drive(call, vec![busy(wait)]);
    let Outcome::Refused(refusal) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refusal.code(), Some("busy"), "what the service said is returned at once");
    assert_eq!(desk.now, START);
    // A moment less, and it is waited for.
    let mut desk = Desk::new();
    let operation = Custom::<Status, _>::new(json!({ "id": 17 }));
    let deadline = desk.now.mono.after(wait).after(moment);
    let call = desk.session.call(&operation, deadline).unwrap();
    let outcome = desk.drive(call, vec![busy(wait), done()]);
    assert_eq!(outcome.ending(), Ending::Done);
}

#[test]
fn a_decided_refusal_reads_a_date_to_retry_at_as_every_other_reply_does() {
    let date = |seconds: i64| {
        let date = START.wall.to_datetime().unwrap() + chrono::TimeDelta::seconds(seconds);
        date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    };
    let mut operations = catalogue();
    let decided = Decided { statuses: [422].into(), ..Decided::default() };
    operations.set_decided("confirm", decided).unwrap();
    // The service's clock is an hour ahead, and its reply takes seven seconds.
    for (ahead, has_date) in [(3_600, true), (0, false)] {
        let mut desk = Desk::with(policy(), operations.clone());
        let mut call = desk.call::<Confirm>();
        while !matches!(call.poll(desk.now), CallStep::Send(_)) {
            call.on_bearer(desk.bearer());
        }
        desk.now = desk.now.advanced_by(Duration::from_secs(7));
        let Act::Answer(mut no) = answer(422, &json!({})) else { unreachable!() };
        no.headers_mut().insert(RETRY_AFTER, date(ahead + 30).parse().unwrap());
        if has_date {
            no.headers_mut().insert(DATE, date(ahead).parse().unwrap());
        }
        call.on_reply((&no).into(), desk.now);
        let outcome = desk.drive(call, vec![]);
        let Outcome::Refused(refusal) = outcome else { panic!("{outcome:?}") };
        let wait = refusal.retry_after().unwrap();
        // Dates are in whole seconds.
        assert!(wait > Duration::from_secs(29) && wait <= Duration::from_secs(30), "{wait:?}");
    }
}
