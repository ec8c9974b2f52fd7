//! Who may resolve a call in doubt, and when: not while its sender may be alive.

use std::time::Duration;

use imts_core::call::{CallError, Ending};
use imts_core::journal::{
    Book, CLOCK_MARGIN, CallState, Despite, Digest, Entry, EntryError, Finding, Intent,
    RecordError, Resolution,
};
use imts_core::services::transfer::Confirm;
use imts_core::time::Wall;
use imts_core::{CallStep, Outcome};

use crate::support::{Desk, TIME};

fn at(seconds: u64) -> Wall {
    Wall::from_unix_micros(0).after(Duration::from_secs(seconds))
}

fn resolved(at: Wall, finding: Finding) -> Entry {
    let resolution = Resolution { finding, reason: "asked".to_owned(), by: None };
    Entry::Resolved { id: 1, at, resolution }
}

fn ended(ending: Ending) -> Entry {
    Entry::Ended { id: 1, at: at(20), ending }
}

/// A book with one call, sent at 0 s and given up at 60 s.
fn sending() -> Book {
    let mut book = Book::default();
    let intent = Intent {
        operation: "confirm".to_owned(),
        scope: None,
        reference: Some("17".to_owned()),
        digest: Digest(1),
        meaning: None,
        at: at(0),
        despite: None,
    };
    book.apply(1, &Entry::Intent(intent));
    book.apply(1, &Entry::Sending { id: 1, at: at(0), until: Some(at(60)) });
    book
}

/// What becomes of an entry here: the call's state after it, or why it is not taken.
fn put(book: &mut Book, entry: &Entry) -> Result<CallState, EntryError> {
    book.check(entry)?;
    book.apply(1, entry);
    Ok(book.call(1).unwrap().state)
}

#[test]
fn a_call_is_resolved_once_its_senders_deadline_and_the_margin_have_passed() {
    let end = at(60).after(CLOCK_MARGIN);
    for finding in [Finding::Done, Finding::Refused] {
        let mut book = sending();
        let just_before = Wall::from_unix_micros(end.unix_micros() - 1);
        for early in [at(0), at(60), just_before] {
            let error = book.check(&resolved(early, finding)).unwrap_err();
            assert_eq!(error, EntryError::UnderWay { id: 1, until: end });
            let until = "until 1970-01-01T00:01:10.000Z";
            assert!(error.to_string().contains(until), "{error}");
            let error = RecordError::from(error);
            let is_said =
                matches!(error, RecordError::UnderWay { id: 1, until: Some(it) } if it == end);
            assert!(is_said && error.to_string().contains(until), "{error}");
        }
        assert!(put(&mut book, &resolved(end, finding)).is_ok());
    }
}

#[test]
fn a_sender_that_said_how_it_ended_is_waited_for_no_longer() {
    let mut book = sending();
    assert_eq!(put(&mut book, &ended(Ending::Unknown)), Ok(CallState::InDoubt));
    assert_eq!(put(&mut book, &resolved(at(21), Finding::Refused)), Ok(CallState::Refused));
}

#[test]
fn a_sender_that_is_known_to_be_gone_is_waited_for_no_longer_and_only_from_that_call_on() {
    let mut book = sending();
    book.senders_are_gone(2);
    assert!(book.check(&resolved(at(1), Finding::Done)).is_err());
    book.senders_are_gone(1);
    assert_eq!(put(&mut book, &resolved(at(1), Finding::Done)), Ok(CallState::Done));
}

#[test]
fn each_attempt_is_waited_for_anew() {
    let mut book = sending();
    let again = Entry::Sending { id: 1, at: at(40), until: Some(at(100)) };
    assert_eq!(put(&mut book, &again), Ok(CallState::InDoubt));
    assert!(book.check(&resolved(at(109), Finding::Refused)).is_err());
    assert!(book.check(&resolved(at(110), Finding::Refused)).is_ok());
}

#[test]
fn what_an_earlier_version_let_in_too_early_is_read_all_the_same() {
    let book = sending();
    assert!(book.takes(1, &resolved(at(1), Finding::Refused)));
}

#[test]
fn the_senders_own_end_stands_above_a_finding_that_would_let_it_be_sent_again() {
    let late = |found, ending| {
        let mut book = sending();
        book.apply(1, &resolved(at(10), found));
        put(&mut book, &ended(ending))
    };
    // Found out too early: the money moved, or may have.
    assert_eq!(late(Finding::Refused, Ending::Done), Ok(CallState::Done));
    assert_eq!(late(Finding::Refused, Ending::Unknown), Ok(CallState::InDoubt));
    // What is safe stays as it is.
    let known = Err(EntryError::Ended { id: 1 });
    for ending in [Ending::Refused, Ending::NotSent] {
        assert_eq!(late(Finding::Refused, ending), known);
    }
    for ending in [Ending::Done, Ending::Unknown, Ending::Refused, Ending::NotSent] {
        assert_eq!(late(Finding::Done, ending), known);
    }
}

#[test]
fn a_call_that_was_resolved_is_not_sent_any_more() {
    for finding in [Finding::Done, Finding::Refused] {
        let mut book = sending();
        book.apply(1, &resolved(at(10), finding));
        let again = Entry::Sending { id: 1, at: at(11), until: None };
        assert_eq!(put(&mut book, &again), Err(EntryError::Ended { id: 1 }));
    }
}

/// A call that stands before its first sending is recorded, and until when that may last.
fn marking(desk: &mut Desk) -> (imts_core::Call<imts_core::operation::Json>, Wall) {
    let mut call = desk.call::<Confirm>().with_journal();
    assert!(matches!(call.poll(desk.now), CallStep::Record(Entry::Intent(_))));
    call.on_recorded(Ok(7));
    assert!(matches!(call.poll(desk.now), CallStep::Token));
    call.on_bearer(desk.bearer());
    let until = marked(&mut call, desk);
    (call, until)
}

fn marked(call: &mut imts_core::Call<imts_core::operation::Json>, desk: &Desk) -> Wall {
    match call.poll(desk.now) {
        CallStep::Record(Entry::Sending { id: 7, at, until: Some(until) }) => {
            assert_eq!(at, desk.now.wall);
            until
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sending_says_until_when_and_its_request_ends_by_then_on_both_clocks() {
    let whole = Desk::new().session.policy().time_limit;
    for (mono, wall) in [(0, 0), (20, 20), (45, 45), (0, 45), (45, 0)] {
        let mut desk = Desk::new();
        let (mut call, until) = marking(&mut desk);
        assert_eq!(until, desk.now.wall.after(TIME), "no longer than the call's own time");
        desk.now.mono = desk.now.mono.after(Duration::from_secs(mono));
        desk.now.wall = desk.now.wall.after(Duration::from_secs(wall));
        call.on_recorded(Ok(7));
        let CallStep::Send(exchange) = call.poll(desk.now) else { panic!("it is sent") };
        let expected = whole.min(TIME - Duration::from_secs(mono.max(wall)));
        assert_eq!(exchange.time_limit(), expected, "{mono} {wall}");
    }
}

#[test]
fn a_call_with_much_time_says_no_more_than_one_sending_may_take() {
    let desk = Desk::new();
    let operation = imts_core::operation::Custom::<Confirm, _>::new(serde_json::json!({}));
    let until = imts_core::time::Mono::from_micros(u64::MAX);
    let call = desk.session.call(&operation.with_reference("17"), until).unwrap();
    let mut desk = desk;
    let mut call = call.with_journal();
    drop(call.poll(desk.now));
    call.on_recorded(Ok(7));
    drop(call.poll(desk.now));
    call.on_bearer(desk.bearer());
    let limit = desk.session.policy().time_limit + Duration::from_secs(30);
    assert_eq!(marked(&mut call, &desk), desk.now.wall.after(limit));
}

#[test]
fn a_sender_that_was_held_up_past_its_time_asks_the_journal_again_and_sends_only_then() {
    // Suspended, the machine's monotonic clock stands still.
    let mut desk = Desk::new();
    let (mut call, _) = marking(&mut desk);
    desk.now.wall = desk.now.wall.after(TIME);
    call.on_recorded(Ok(7));
    let until = marked(&mut call, &desk);
    assert_eq!(until, desk.now.wall.after(TIME));
    call.on_recorded(Ok(7));
    assert!(matches!(call.poll(desk.now), CallStep::Send(_)));

    // Meanwhile it was resolved: nothing is sent.
    let mut desk = Desk::new();
    let (mut call, _) = marking(&mut desk);
    desk.now.wall = desk.now.wall.after(TIME);
    call.on_recorded(Ok(7));
    marked(&mut call, &desk);
    call.on_recorded(Err(EntryError::Ended { id: 7 }.into()));
    let outcome = desk.drive(call, vec![]);
    let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
    assert!(matches!(failed.why(), CallError::Journal(_)), "{failed:?}");
}

#[test]
fn a_call_that_another_process_may_be_sending_is_in_progress_until_its_deadline_and_the_margin() {
    let mut book = Book::default();
    let intent = sending().call(1).unwrap().intent();
    book.apply(1, &Entry::Intent(intent.clone()));
    assert_eq!(book.admit_shared(&intent, at(0)), Ok(()), "nothing of it has left");
    book.apply(1, &Entry::Sending { id: 1, at: at(0), until: Some(at(60)) });
    let end = at(60).after(CLOCK_MARGIN);
    let why = |intent: &Intent, at| book.admit_shared(intent, at).unwrap_err().as_str();
    let despite = Despite { id: 1, reason: "lost".to_owned(), by: None };
    let decided = Intent { despite: Some(despite), ..intent.clone() };
    let just_before = Wall::from_unix_micros(end.unix_micros() - 1);
    for early in [at(0), at(60), just_before] {
        assert_eq!(why(&intent, early), "in_progress");
        assert_eq!(why(&decided, early), "in_progress", "a decision comes too early");
    }
    assert_eq!(why(&intent, end), "in_doubt");
    assert_eq!(book.admit_shared(&decided, end), Ok(()));
    let other = Intent { digest: Digest(2), ..intent };
    assert_eq!(why(&other, at(0)), "conflict");
}
