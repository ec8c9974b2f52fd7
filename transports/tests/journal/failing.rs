//! Syncs and writes that fail, one after the other: if a caller gets to know that something is
//! durable, it is, and nothing else is sent.

use std::fs;

use imts::JournalFile;
use imts::journal::{Book, CallState};

use crate::Folder;
use crate::payer::{CLIENTS, PAID, pays};
use crate::traced::{Event, SYNCS, Trace, WRITES};

/// More system calls of one kind than a payer makes.
const ENOUGH: usize = 100;

/// When the journal was opened anew after a fault; `None` if it was not.
fn next_opening<'a>(trace: &'a Trace, fault: &Event) -> Option<&'a Event> {
    let opens = trace.marks().find(|(said, it)| *said == "opens" && it.began > fault.ended);
    opens.map(|(_, it)| it)
}

/// What was said after a fault, until the journal was opened anew.
fn said_after<'a>(trace: &'a Trace, fault: &Event) -> Vec<(&'a str, &'a Event)> {
    let after = trace.marks().filter(|(_, mark)| mark.began > fault.ended);
    after.take_while(|(said, _)| *said != "opens").collect()
}

/// The sending of a call that such a mark is about.
fn sending_of<'a>(trace: &'a Trace, mark: &Event) -> &'a Event {
    trace.records("sending").filter(|it| it.ended < mark.began).last().expect("it is recorded")
}

/// Holds that nothing was sent after a fault that was not durable before it.
fn assert_nothing_is_sent_after(trace: &Trace, fault: &Event, what: &str) {
    for (said, mark) in said_after(trace, fault) {
        assert_ne!(said, "opened", "{what}");
        if said.starts_with("sends") {
            assert!(trace.is_synced_between(sending_of(trace, mark), fault), "{what}: {said}");
        }
    }
}

/// Holds what is in the file to what was sent and told.
fn holds_to_the_file(trace: &Trace, folder: &Folder, what: &str) -> Book {
    let journal = JournalFile::open(folder.path()).unwrap_or_else(|why| panic!("{what}: {why}"));
    let book = journal.book().clone();
    drop(journal);
    let mut read = imts::journal_file::book_of(&fs::read(folder.path()).unwrap()).unwrap();
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
            if trace.faults().next().is_none() {
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
            for fault in trace.faults() {
                assert_nothing_is_sent_after(trace, fault, what);
                let next = next_opening(trace, fault);
                let is_before = |it: &Event| next.is_none_or(|next| it.began < next.began);
                let mut writes = trace.on_journal(WRITES).filter(|it| it.began > fault.ended);
                let late = writes.find(|it| is_before(it));
                assert!(late.is_none(), "{what}: {late:?}");
                // The next opening is a new beginning.
                let mut ends = trace.marks().filter(|(said, _)| said.starts_with("done"));
                let is_paid_again = ends.any(|(_, it)| !is_before(it));
                let is_hit_again = trace.faults().any(|it| it.began > fault.ended);
                let all: Vec<_> = trace.marks().map(|(said, _)| said).collect();
                assert!(
                    is_paid_again || is_hit_again || next.is_none(),
                    "{what}: {fault:?} {all:?}"
                );
            }
            holds_to_the_file(trace, folder, what);
        });
    }
}

#[test]
fn a_write_that_fails_is_told_and_no_half_record_is_taken_for_whole() {
    sweep("write:error=ENOSPC", |trace, folder, what| {
        for fault in trace.faults() {
            let said = said_after(trace, fault);
            let first = said.first().map(|(said, _)| *said);
            // Nobody waits for an end to be written: it is in doubt.
            let is_told =
                first.is_some_and(|said| said.starts_with("unsent") || said == "unopened");
            let is_waited_for = !fault.arguments.contains(r#"\"ended\""#);
            assert!(is_told || !is_waited_for, "{what}: {fault:?} {said:?}");
        }
        // What came of it to the file is cut off for good before anything else is written.
        let cuts: Vec<_> = trace.on_journal(&["ftruncate"]).collect();
        assert!(!trace.faults().any(|it| it.arguments.contains("record")) || !cuts.is_empty());
        for cut in cuts {
            let next = trace.on_journal(WRITES).find(|it| it.began > cut.ended);
            assert!(next.is_none_or(|next| trace.is_synced_between(cut, next)), "{what}: {cut:?}");
        }
        holds_to_the_file(trace, folder, what);
    });
}

#[test]
fn what_cannot_be_cut_off_ends_the_journal_until_it_is_opened_anew() {
    for client in CLIENTS {
        let folder = Folder::new();
        drop(JournalFile::open(folder.path()).unwrap());
        let faults = ["write:error=ENOSPC:when=2", "ftruncate:error=EIO:when=1"];
        let trace = pays(&folder, client, &faults);
        let fault = trace.on_journal(&["ftruncate"]).find(|it| !it.is_ok()).expect("it was cut");
        assert!(trace.faults().any(|it| it.call == "write"), "{client}");
        let next = next_opening(&trace, fault);
        let is_before = |it: &Event| next.is_none_or(|next| it.began < next.began);
        let late = trace.on_journal(WRITES).find(|it| it.began > fault.ended && is_before(it));
        assert!(late.is_none(), "{client}: {late:?}");
        let said = said_after(&trace, fault);
        assert!(!said.iter().any(|(said, _)| said.starts_with("sends")), "{client}: {said:?}");
        holds_to_the_file(&trace, &folder, client);
    }
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
        for fault in trace.faults() {
            let said = said_after(trace, fault);
            if fault.arguments.contains("sending") {
                let is_told = said.first().is_some_and(|(said, _)| said.starts_with("unsent"));
                assert!(is_told, "{what}: {fault:?} {said:?}");
            }
            assert_nothing_is_sent_after(trace, fault, what);
        }
        if trace.faults().any(|fault| fault.arguments.contains("imts-journal 4")) {
            // What is left of the header is no journal; nothing was recorded, and nothing sent.
            let is_sent = trace.marks().any(|(said, _)| said.starts_with("sends"));
            assert!(!is_sent && JournalFile::open(folder.path()).is_err(), "{what}");
            return;
        }
        holds_to_the_file(trace, folder, what);
    });
}
