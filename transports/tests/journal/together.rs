//! Several callers and one disk: what is recorded meanwhile is durable by one sync, and each gets the
//! result of its own.

use std::fs;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::CallState;
use imts::journal::{Durable, Entry, Journal, RecordError};
use imts::journal_file::JournalError;
use imts::time::Wall;

use crate::traced::{Marks, SYNCS, Trace, WRITES, journal_of_this_process};
use crate::{Folder, eventually, intent};

const CALLERS: usize = 16;

fn submit(journal: &mut JournalFile, entry: &Entry) -> (u64, Option<Durable>) {
    let submitted = journal.submit(entry).unwrap();
    (submitted.id(), submitted.into_durable())
}

/// An intent and its sending, as a call makes them; yields what is to be waited for. `None` if the
/// journal takes no more.
fn submits(journal: &mut JournalFile, reference: &str) -> Option<(u64, Durable)> {
    let intent = journal.submit(&Entry::Intent(intent(reference))).ok()?;
    let (id, at) = (intent.id(), Wall::from_unix_micros(2));
    assert!(intent.into_durable().is_none(), "nobody waits for an intent");
    let sending = journal.submit(&Entry::Sending { id, at, until: None }).ok()?;
    Some((id, sending.into_durable().expect("a sending is waited for")))
}

fn sends(journal: &mut JournalFile, reference: &str) -> (u64, Durable) {
    submits(journal, reference).expect("it takes more")
}

fn is_ready(durable: &mut Durable) -> Option<Result<(), RecordError>> {
    match Pin::new(durable).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

fn wait(durable: Durable) -> Result<(), RecordError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(durable)
}

/// In a process of its own: many callers at once and their ends; then one more call, and its end is
/// the last thing before the journal is closed.
#[test]
fn crowd() {
    let (Some(file), Some(marks)) = (journal_of_this_process(), Marks::of_this_process()) else {
        return;
    };
    if std::env::var_os(CROWD).is_none() {
        return;
    }
    let mut journal = JournalFile::open(file).unwrap();
    marks.say("opened");
    let all: Vec<_> = (0..CALLERS).map(|number| sends(&mut journal, &number.to_string())).collect();
    let mut ids = Vec::new();
    let mut outcomes = Vec::new();
    for (id, durable) in all {
        outcomes.push(wait(durable).is_ok());
        ids.push(id);
    }
    let all_are = |wanted| outcomes.iter().all(|it| *it == wanted);
    marks.say(if all_are(true) {
        "durable"
    } else if all_are(false) {
        "failed"
    } else {
        "mixed"
    });
    for id in ids {
        let at = Wall::from_unix_micros(3);
        drop(journal.submit(&Entry::Ended { id, at, ending: Ending::Done }));
    }
    marks.say("ended");
    if let Some((id, durable)) = submits(&mut journal, "later")
        && wait(durable).is_ok()
    {
        marks.say("goes on");
        let at = Wall::from_unix_micros(4);
        drop(journal.submit(&Entry::Ended { id, at, ending: Ending::Unknown }));
    }
    drop(journal);
    marks.say("closed");
}

const CROWD: &str = "IMTS_TEST_TRACED_CROWD";

fn traced(folder: &Folder, faults: &[&str]) -> Trace {
    Trace::of("together::crowd", folder, &[(CROWD, "1")], faults)
}

#[test]
fn what_is_recorded_while_the_disk_is_busy_is_one_write_and_one_sync() {
    let folder = Folder::new();
    // A slow disk: all others come while it is busy with the first.
    let trace = traced(&folder, &["fdatasync:delay_enter=200000"]);
    let (opened, durable) = (trace.mark("opened"), trace.mark("durable"));
    let within =
        |calls| trace.on_journal(calls).filter(|it| it.is_between(opened, durable)).count();
    assert!(within(SYNCS) <= 3 && within(WRITES) <= 3, "{} {}", within(SYNCS), within(WRITES));
    let sendings = || trace.records("sending").filter(|it| it.is_between(opened, durable));
    for write in sendings() {
        assert!(write.arguments.contains(r#"\"intent\""#), "with its intent: {write:?}");
        assert!(trace.is_synced_between(write, durable), "{write:?}");
    }
    assert!(sendings().count() > 0);
}

#[test]
fn an_end_is_durable_at_the_latest_when_the_journal_is_closed() {
    let folder = Folder::new();
    let trace = traced(&folder, &[]);
    let (goes_on, closed) = (trace.mark("goes on"), trace.mark("closed"));
    let last = trace.records("ended").last().unwrap();
    assert!(last.began > goes_on.ended, "nothing else is synced after it: {last:?}");
    assert!(trace.is_synced_between(last, closed), "{last:?}");
    let book = JournalFile::read(folder.path()).unwrap();
    let done = book.calls().filter(|call| call.state == CallState::Done).count();
    assert_eq!((done, book.in_doubt().count()), (CALLERS, 1));
    assert_eq!(book.calls().count(), CALLERS + 1);
}

#[test]
fn a_sync_that_failed_fails_all_who_waited_for_it() {
    let folder = Folder::new();
    // All others come while it is under way.
    drop(JournalFile::open(folder.path()).unwrap());
    let trace = traced(&folder, &["fdatasync:error=EIO:delay_enter=200000:when=1"]);
    trace.mark("failed");
    let fault = trace.faults().next().unwrap();
    let late = trace.on_journal(WRITES).find(|it| it.began > fault.ended);
    assert!(late.is_none(), "{late:?}");
}

#[test]
fn a_write_that_failed_fails_those_behind_it_and_the_journal_goes_on() {
    let folder = Folder::new();
    drop(JournalFile::open(folder.path()).unwrap());
    let trace = traced(&folder, &["write:error=ENOSPC:delay_enter=200000:when=1"]);
    assert!(trace.faults().next().is_some());
    for mark in ["failed", "goes on"] {
        trace.mark(mark);
    }
    let book = JournalFile::read(folder.path()).unwrap();
    let references: Vec<_> = book.calls().filter_map(|call| call.reference.clone()).collect();
    assert_eq!(references, ["later"]);
    assert!(book.calls().all(|call| call.id > CALLERS as u64), "no number is given twice");
}

/// In a process of its own: the end of one call is recorded while the disk is busy with another.
#[test]
fn end_behind_another() {
    let (Some(file), Some(marks)) = (journal_of_this_process(), Marks::of_this_process()) else {
        return;
    };
    if std::env::var_os(END_BEHIND).is_none() {
        return;
    }
    let mut journal = JournalFile::open(file).unwrap();
    let (id, durable) = sends(&mut journal, "early");
    wait(durable).unwrap();
    let (_, other) = sends(&mut journal, "slow");
    eventually("the writer is at work", || format!("{journal:?}").contains("undo: []"));
    let at = Wall::from_unix_micros(3);
    let (_, end) = submit(&mut journal, &Entry::Ended { id, at, ending: Ending::Done });
    let (mut end, mut told) = (end.expect("an end is waited for until it is written"), None);
    eventually("it is ready", || {
        told = is_ready(&mut end);
        told.is_some()
    });
    let end = told.unwrap();
    marks.say(if end.is_ok() { "written" } else { "not written" });
    assert_eq!(wait(other).is_ok(), end.is_ok());
    // In doubt again: what was not written is not what the journal says.
    let (_, later) = sends(&mut journal, "later");
    wait(later).unwrap();
    let is_done = journal.book().call(id).unwrap().state == CallState::Done;
    marks.say(if is_done { "done" } else { "in doubt" });
}

const END_BEHIND: &str = "IMTS_TEST_TRACED_END_BEHIND";

#[test]
fn an_end_behind_a_write_that_failed_is_told_that_it_was_not_written() {
    let one = |faults: &[&str]| {
        let folder = Folder::new();
        drop(JournalFile::open(folder.path()).unwrap());
        let trace =
            Trace::of("together::end_behind_another", &folder, &[(END_BEHIND, "1")], faults);
        let said: Vec<_> = trace.marks().map(|(said, _)| said.to_owned()).collect();
        (said, JournalFile::read(folder.path()).unwrap().call(1).unwrap().state)
    };
    let written = ["written", "done"].map(str::to_owned).to_vec();
    assert_eq!(one(&[]), (written, CallState::Done));
    let (said, state) = one(&["write:error=ENOSPC:delay_enter=200000:when=2"]);
    assert_eq!(
        (said, state),
        (["not written", "in doubt"].map(str::to_owned).to_vec(), CallState::InDoubt)
    );
}

#[test]
fn a_caller_that_gives_up_waiting_changes_nothing_for_the_others() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let (gone, durable) = sends(&mut journal, "gone");
    drop(durable);
    let (id, durable) = sends(&mut journal, "stays");
    let (also_gone, mut polled) = sends(&mut journal, "also gone");
    let _ = is_ready(&mut polled);
    drop(polled);
    wait(durable).unwrap();
    let at = Wall::from_unix_micros(3);
    let (_, end) = submit(&mut journal, &Entry::Ended { id, at, ending: Ending::Done });
    wait(end.expect("an end is written before its caller gets it")).unwrap();
    let book = JournalFile::read(folder.path()).unwrap();
    assert_eq!(book.call(id).unwrap().state, CallState::Done, "while the journal is open");
    drop(journal);
    let journal = JournalFile::open(folder.path()).unwrap();
    let state = |id| journal.book().call(id).unwrap().state;
    // What was given up may have been sent, for all that the journal knows.
    assert_eq!(
        [gone, id, also_gone].map(state),
        [CallState::InDoubt, CallState::Done, CallState::InDoubt]
    );
}

#[test]
fn what_others_recorded_with_it_is_refused_too_once_the_journal_is_replaced() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let (id, durable) = sends(&mut journal, "one");
    wait(durable).unwrap();
    fs::rename(folder.path(), folder.path().with_extension("moved")).unwrap();
    let (_, first) = sends(&mut journal, "two");
    let error = wait(first).unwrap_err();
    let RecordError::Failed(why) = error else { panic!("{error:?}") };
    assert_eq!(why.downcast_ref(), Some(&JournalError::Replaced));
    let at = Wall::from_unix_micros(3);
    for entry in [
        Entry::Intent(intent("three")),
        Entry::Ended { id, at, ending: Ending::Done },
        Entry::Sending { id, at, until: None },
    ] {
        let error = journal.submit(&entry).unwrap_err();
        assert!(error.to_string().contains("nothing is sent"), "{entry:?}: {error}");
    }
}

#[test]
fn of_records_that_were_not_durable_yet_a_crash_may_keep_any() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let first = journal.record(&Entry::Intent(intent("durable"))).unwrap();
    let durable = fs::read(folder.path()).unwrap();
    // In one write, and each a record of its own.
    for reference in ["a", "b", "c"] {
        assert!(submit(&mut journal, &Entry::Intent(intent(reference))).1.is_none());
    }
    journal
        .record(&Entry::Sending { id: first, at: Wall::from_unix_micros(1), until: None })
        .unwrap();
    drop(journal);
    let bytes = fs::read(folder.path()).unwrap();
    // The page of one of them was never written, and later ones were.
    for start in [durable.len(), durable.len() + 30, bytes.len() - 300] {
        let mut torn = bytes.clone();
        torn[start..start + 20].fill(0);
        let book = imts::journal_file::book_of(&torn).unwrap();
        assert_eq!(book.call(first).unwrap().state, CallState::Intended, "{start}");
        fs::write(folder.path(), &torn).unwrap();
        let journal = JournalFile::open(folder.path()).unwrap();
        assert_eq!(journal.book(), &book, "{start}");
    }
    // What was durable when others followed is no such tail.
    let mut torn = bytes.clone();
    torn[durable.len() - 30] ^= 1;
    assert!(matches!(imts::journal_file::book_of(&torn), Err(JournalError::Damaged { .. })));
}
