//! What is written down of a call, and when.

use imts_core::call::{CallError, Ending};
use imts_core::journal::{Digest, Entry};
use imts_core::services::transfer::{Confirm, CreatePerson, Status};
use imts_core::{CallStep, Outcome};

use crate::support::{Desk, done, lost, not_sent, word};

fn lines(desk: &Desk) -> Vec<String> {
    let line = |entry: &Entry| match entry {
        Entry::Intent(intent) => format!("intent {}", intent.operation),
        Entry::Sending { id, .. } => format!("sending {id}"),
        Entry::Ended { id, ending, .. } => format!("ended {id} {}", ending.as_str()),
        Entry::Resolved { id, .. } => format!("resolved {id}"),
    };
    desk.entries.iter().map(line).collect()
}

#[test]
fn intent_and_sending_are_written_before_the_request_and_its_end_after() {
    let mut desk = Desk::new();
    let call = desk.call::<Confirm>().with_journal();
    assert_eq!(word(&desk.drive(call, vec![done()])), "done");
    assert_eq!(lines(&desk), ["intent confirm", "sending 7", "ended 7 done"]);
    let Entry::Intent(intent) = &desk.entries[0] else { panic!("the intent comes first") };
    assert_eq!(intent.reference.as_deref(), Some("ref-17"));
    assert_eq!(intent.digest, Digest::of(desk.requests[0].body().as_ref()));
    assert!(!format!("{:?}", desk.entries).contains("canary"), "no token is written down");
}

#[test]
fn each_attempt_is_written_down_and_so_is_an_unknown_end() {
    let mut desk = Desk::new();
    let call = desk.call::<Confirm>().with_journal();
    assert_eq!(word(&desk.drive(call, vec![not_sent(), lost()])), "unknown");
    let expected = ["intent confirm", "sending 7", "sending 7", "ended 7 unknown"];
    assert_eq!(lines(&desk), expected);
}

#[test]
fn what_cannot_be_written_down_is_not_sent() {
    for breaks_at in [0, 1] {
        let mut desk = Desk::new();
        desk.journal_breaks_at = Some(breaks_at);
        let call = desk.call::<Confirm>().with_journal();
        let outcome = desk.drive(call, vec![]);
        let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
        assert!(matches!(failed.why(), CallError::Journal(_)));
        assert!(desk.requests.is_empty());
        assert!(failed.into_permit().is_some());
    }
}

#[test]
fn an_end_that_cannot_be_written_down_is_told_all_the_same() {
    let mut desk = Desk::new();
    desk.journal_breaks_at = Some(2);
    let call = desk.call::<Confirm>().with_journal();
    assert_eq!(desk.drive(call, vec![done()]).ending(), Ending::Done);
}

#[test]
fn what_creates_is_written_down_too_and_what_reads_is_not() {
    let mut desk = Desk::new();
    let reads = desk.call::<Status>().with_journal();
    assert_eq!(word(&desk.drive(reads, vec![done()])), "done");
    assert!(desk.entries.is_empty());
    let creates = desk.call::<CreatePerson>().with_journal();
    assert_eq!(word(&desk.drive(creates, vec![done()])), "done");
    assert_eq!(lines(&desk), ["intent create-person", "sending 7", "ended 7 done"]);
}

#[test]
fn a_call_that_is_recorded_is_not_recorded_anew_whatever_is_declared_then() {
    let mut desk = Desk::new();
    let mut call = desk.call::<Confirm>().with_memory();
    assert!(matches!(call.poll(desk.now), CallStep::Record(Entry::Intent(_))));
    call.on_recorded(Ok(7));
    let mut call = call.with_memory().with_journal();
    assert!(!call.needs_journal(), "it is in memory, and stays there");
    assert!(matches!(call.poll(desk.now), CallStep::Token));
    call.on_bearer(desk.bearer());
    assert!(matches!(call.poll(desk.now), CallStep::Record(Entry::Sending { id: 7, .. })));
}

#[test]
fn a_digest_tells_bytes_apart_and_is_the_published_function() {
    assert_eq!(Digest::of(b"").to_string(), "cbf29ce484222325");
    assert_eq!(Digest::of(b"foobar").to_string(), "85944171f73967e8");
    assert_ne!(Digest::of(b"ab"), Digest::of(b"ba"));
}
