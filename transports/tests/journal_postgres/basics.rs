//! Which call may be sent, as one client and as two see it.

use std::time::Duration;

use imts::JournalPostgres;
use imts::call::Ending;
use imts::journal::{CallState, Despite, Entry, Finding, IntentError, Journal, RecordError, Scope};
use imts::journal_postgres::JournalPostgresError;
use imts::time::Wall;

use crate::{at, ends, found, intends, intent, leaves, opened, sends, server};

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
fn a_refused_call_may_be_sent_again_and_another_body_of_a_done_one_is_a_conflict() {
    let server = server();
    let mut journal = opened(&server);
    let first = leaves(&mut journal, "17");
    ends(&mut journal, first, Ending::Refused).unwrap();
    let second = leaves(&mut journal, "17");
    ends(&mut journal, second, Ending::Done).unwrap();
    let mut other = intent("17");
    other.meaning = Some(imts::journal::Digest(9));
    let error = refused(journal.record(&Entry::Intent(other)));
    assert!(matches!(error, IntentError::Conflict { id, .. } if id == second), "{error:?}");
    // Another agent, and another URL, are other intents.
    for change in [|it: &mut Scope| it.agent.push('b'), |it: &mut Scope| it.url.push('y')] {
        let mut other = intent("17");
        other.scope.as_mut().map(change).unwrap();
        journal.record(&Entry::Intent(other)).unwrap();
    }
}

#[test]
fn a_decision_passes_the_call_that_it_names_and_that_call_stands_again_if_it_was_refused() {
    let server = server();
    let mut journal = opened(&server);
    let first = leaves(&mut journal, "17");
    let mut despite = intent("17");
    despite.despite = Some(Despite { id: first, reason: "lost".to_owned(), by: None });
    let second = journal.record(&Entry::Intent(despite.clone())).unwrap();
    sends(&mut journal, second, None).unwrap();
    // The decision does not count against the call that it made possible.
    let error = refused(journal.record(&Entry::Intent(despite)));
    assert!(matches!(error, IntentError::InDoubt { id, .. } if id == second), "{error:?}");
    ends(&mut journal, second, Ending::Refused).unwrap();
    let error = refused(intends(&mut journal, "17"));
    assert!(matches!(error, IntentError::InDoubt { id, .. } if id == first), "{error:?}");
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
fn every_field_of_a_call_is_read_as_it_was_recorded() {
    let server = server();
    let mut journal = opened(&server);
    let first = leaves(&mut journal, "17");
    let mut odd = intent(" Ünïcode; \"quoted\" \\ {17} NULL ");
    odd.digest = imts::journal::Digest(u64::MAX);
    odd.meaning = None;
    odd.at = Wall::from_unix_micros(i64::MIN);
    odd.despite = Some(Despite { id: first, reason: "r'".to_owned(), by: Some("b".to_owned()) });
    let id = journal.record(&Entry::Intent(odd.clone())).unwrap();
    let until = Some(Wall::from_unix_micros(i64::MAX));
    sends(&mut journal, id, until).unwrap();
    let call = JournalPostgres::read_call(&at(&server), id).unwrap().unwrap();
    assert_eq!((call.intent(), call.sending_until), (odd, until));
    assert_eq!(JournalPostgres::read_newest(&at(&server), 1).unwrap(), [call]);
    // A value that PostgreSQL cannot hold fails alone.
    let bad = intends(&mut journal, "nul \0").unwrap_err();
    assert!(matches!(bad, RecordError::Failed(_)), "{bad:?}");
    leaves(&mut journal, "18");
}
