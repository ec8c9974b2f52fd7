//! Which call may be sent, as one client and as two see it.

use std::time::Duration;

use imts::JournalPostgres;
use imts::call::Ending;
use imts::journal::{CallState, Despite, Entry, Finding, IntentError, Journal, RecordError};
use imts::journal_postgres::JournalPostgresError;
use imts::time::Wall;

use crate::{ends, found, intends, intent, leaves, opened, sends, server};

fn refused(outcome: Result<u64, RecordError>) -> IntentError {
    match outcome {
        Err(RecordError::Intent(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_two_clients_with_one_intent_one_sends_and_the_other_is_told() {
    let server = server();
    let (mut one, mut other) = (opened(&server), opened(&server));
    let (first, second) = (intends(&mut one, "17").unwrap(), intends(&mut other, "17").unwrap());
    sends(&mut one, first, None).unwrap();
    let error = refused(sends(&mut other, second, None));
    assert!(matches!(error, IntentError::InDoubt { id, .. } if id == first), "{error:?}");
    ends(&mut one, first, Ending::Done).unwrap();
    let error = refused(intends(&mut other, "17"));
    assert!(matches!(error, IntentError::AlreadyDone { id, .. } if id == first), "{error:?}");
    assert_eq!(server.sql("SELECT count(*) FROM imts_journal_call"), "1");
}

#[test]
fn a_call_that_may_be_under_way_elsewhere_is_in_progress_and_later_in_doubt() {
    let server = server();
    let (mut one, mut other) = (opened(&server), opened(&server));
    let id = intends(&mut one, "17").unwrap();
    let until = Wall::from_unix_micros(1).after(Duration::from_secs(60));
    sends(&mut one, id, Some(until)).unwrap();
    let error = refused(intends(&mut other, "17"));
    assert!(matches!(error, IntentError::InProgress { .. }), "{error:?}");
    let later = until.after(imts::journal::CLOCK_MARGIN);
    let mut again = intent("17");
    again.at = later;
    again.despite = None;
    let error = refused(other.record(&Entry::Intent(again)));
    assert!(matches!(error, IntentError::InDoubt { .. }), "{error:?}");
    // Both clients see it, and neither resolves it before the deadline.
    assert_eq!(other.in_doubt().unwrap(), one.in_doubt().unwrap());
    let at = Wall::from_unix_micros(5);
    let resolved = |at| Entry::Resolved { id, at, resolution: found(Finding::Refused) };
    let early = other.record(&resolved(at)).unwrap_err();
    assert!(matches!(early, RecordError::UnderWay { .. }), "{early:?}");
    other.record(&resolved(later)).unwrap();
    let call = JournalPostgres::read_call(&crate::at(&server), id).unwrap().unwrap();
    assert_eq!(call.state, CallState::Refused);
    assert_eq!(call.resolution, Some(found(Finding::Refused)));
    leaves(&mut other, "17");
}

#[test]
fn only_the_client_that_sends_a_call_ends_it() {
    let server = server();
    let (mut one, mut other) = (opened(&server), opened(&server));
    let id = leaves(&mut one, "17");
    let error = ends(&mut other, id, Ending::NotSent).unwrap_err();
    assert!(error.to_string().contains("another client"), "{error}");
    assert_eq!(one.in_doubt().unwrap().len(), 1);
    let error = other.resolve(id + 1_000, found(Finding::Done)).unwrap_err();
    assert!(matches!(error, JournalPostgresError::Entry(_)), "{error:?}");
    drop(one);
    other.resolve(id, found(Finding::Done)).unwrap();
    assert_eq!(other.in_doubt().unwrap(), []);
}

#[test]
fn a_value_that_postgresql_cannot_hold_fails_alone() {
    let server = server();
    let mut journal = opened(&server);
    let submitted: Vec<_> = ["17", "nul \0", "18"]
        .map(|reference| journal.submit(&Entry::Intent(intent(reference))).unwrap())
        .into();
    let outcomes = submitted.into_iter().map(|it| crate::wait(it.into_durable().unwrap()));
    assert_eq!(outcomes.map(|it| it.is_ok()).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn a_decision_that_leads_to_no_call_takes_nothing_from_the_guard() {
    let server = server();
    let mut journal = opened(&server);
    let first = leaves(&mut journal, "17");
    let mut decided = intent("17");
    decided.despite = Some(Despite { id: first, reason: "lost".to_owned(), by: None });
    let second = journal.record(&Entry::Intent(decided)).unwrap();
    // After a restore, a number may be given twice.
    server.sql(&format!(
        "INSERT INTO imts_journal_call (id, key, stands, holder, operation, url, agent, reference, \
         digest, intended_at, state) VALUES ({second}, '', false, 'other', '', '', '', '', 0, 0, \
         'done')"
    ));
    let error = sends(&mut journal, second, None).unwrap_err();
    assert!(error.to_string().contains("another client"), "{error}");
    let error = refused(intends(&mut journal, "17"));
    assert!(matches!(error, IntentError::InDoubt { id, .. } if id == first), "{error:?}");
}

#[test]
fn a_reference_is_not_printed_with_the_journal() {
    let server = server();
    let mut journal = opened(&server);
    leaves(&mut journal, "payment-17");
    let submitted = journal.submit(&Entry::Intent(intent("payment-18"))).unwrap();
    let shown = format!("{journal:?} {submitted:?}");
    assert!(shown.contains("JournalPostgres") && !shown.contains("payment-"), "{shown}");
}
