//! Syncs and writes that fail, one after the other: whoever was told that something is durable was
//! told the truth, and nothing else is sent.

use std::fs;

use imts::{Book, CallState, JournalFile};

use crate::Folder;
use crate::payer::{CLIENTS, PAID, pays};
use crate::traced::{SYNCS, Trace, WRITES};

/// More system calls of one kind than a payer makes.
const ENOUGH: usize = 100;

/// What was said after a fault, until the journal was opened anew.
fn said_after_fault(trace: &Trace) -> Vec<&str> {
    let fault = trace.fault().unwrap();
    let after = trace.marks().filter(|(_, mark)| mark.began > fault.ended).map(|(said, _)| said);
    after.take_while(|said| *said != "opens").collect()
}

/// Holds what is in the file to what was sent and told.
fn holds_to_the_file(trace: &Trace, folder: &Folder, what: &str) -> Book {
    let journal = JournalFile::open(folder.path()).unwrap_or_else(|why| panic!("{what}: {why}"));
    let book = journal.book().clone();
    drop(journal);
    let mut read = imts::book_of(&fs::read(folder.path()).unwrap()).unwrap();
    read.senders_are_gone(0);
    assert_eq!(read, book, "{what}");
    for reference in PAID.into_iter().flatten() {
        let said =
            |word: &str| trace.marks().any(|(mark, _)| mark == format!("{word} {reference}"));
        let known = book.calls().find(|call| call.reference.as_deref() == Some(*reference));
        let state = known.map(|call| call.state);
        let is_safe = matches!(state, Some(CallState::InDoubt | CallState::Done));
        assert!(is_safe || !said("sends"), "{what}: {reference} was sent, and is {state:?}");
        assert!(
            said("sends") || state != Some(CallState::Done),
            "{what}: {reference} was not sent"
        );
    }
    book
}

/// Has a fault happen to each system call of its kind, one at a time.
fn sweep(fault: &str, check: impl Fn(&Trace, &Folder, &str)) {
    for client in CLIENTS {
        for number in 1..ENOUGH {
            let folder = Folder::new();
            let one = format!("{fault}:when={number}");
            let trace = pays(&folder, client, &[&one]);
            if trace.fault().is_none() {
                assert!(number > 3, "{client} {one}: none before it either");
                break;
            }
            check(&trace, &folder, &format!("{client} {one}"));
        }
    }
}

#[test]
fn after_a_sync_that_failed_nothing_is_sent_until_the_journal_is_opened_anew() {
    for sync in SYNCS {
        sweep(&format!("{sync}:error=EIO"), |trace, folder, what| {
            let fault = trace.fault().unwrap();
            let said = said_after_fault(trace);
            let is_told = |said: &&str| said.starts_with("sends") || *said == "opened";
            assert!(!said.iter().any(is_told), "{what}: {said:?}");
            let next = trace.marks().find(|(said, it)| *said == "opens" && it.began > fault.ended);
            let next = next.map(|(_, opens)| opens);
            let is_before = |began: usize| next.is_none_or(|next| began < next.began);
            let late =
                trace.on_journal(WRITES).find(|it| it.began > fault.ended && is_before(it.began));
            assert!(late.is_none(), "{what}: {late:?}");
            // The next opening is a new beginning.
            let ends = trace.marks().filter(|(said, _)| said.starts_with("done"));
            let is_paid_again = ends.into_iter().any(|(_, it)| !is_before(it.began));
            assert!(is_paid_again || next.is_none(), "{what}: {said:?}");
            holds_to_the_file(trace, folder, what);
        });
    }
}

#[test]
fn a_write_that_fails_is_told_and_no_half_record_is_taken_for_whole() {
    sweep("write:error=ENOSPC", |trace, folder, what| {
        let said = said_after_fault(trace);
        let is_told = said.first().is_some_and(|said| {
            said.starts_with("unsent") || said.starts_with("done") || *said == "unopened"
        });
        assert!(is_told, "{what}: {said:?}");
        holds_to_the_file(trace, folder, what);
    });
}

#[test]
fn a_write_that_was_interrupted_is_made_again() {
    sweep("write:error=EINTR", |trace, folder, what| {
        let said: Vec<_> = trace.marks().map(|(said, _)| said).collect();
        let is_refused = |said: &&str| said.starts_with("unsent") || *said == "unopened";
        assert!(!said.iter().any(is_refused), "{what}: {said:?}");
        let book = holds_to_the_file(trace, folder, what);
        assert!(book.calls().all(|call| call.state == CallState::Done), "{what}: {book:?}");
        assert_eq!(book.calls().count(), PAID.concat().len(), "{what}");
    });
}

#[test]
fn a_write_of_which_only_a_part_came_to_the_file_is_no_record() {
    // The kernel says that seven bytes were written, and none was.
    sweep("write:retval=7", |trace, folder, what| {
        let (said, fault) = (said_after_fault(trace), trace.fault().unwrap());
        if fault.arguments.contains("sending") || fault.arguments.contains("intent") {
            assert!(
                said.first().is_some_and(|said| said.starts_with("unsent")),
                "{what}: {said:?}"
            );
        }
        assert!(!said.iter().any(|said| said.starts_with("sends")), "{what}: {said:?}");
        if fault.arguments.contains("imts-journal 4") {
            // What is left of the header is no journal; nothing was recorded, and nothing sent.
            let is_sent = trace.marks().any(|(said, _)| said.starts_with("sends"));
            assert!(!is_sent && JournalFile::open(folder.path()).is_err(), "{what}");
            return;
        }
        holds_to_the_file(trace, folder, what);
    });
}
