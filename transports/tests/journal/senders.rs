//! Whether the sender of a call may still be at work on it: the lock says so of a journal, not of its copy.

use std::fs;
use std::time::Duration;

use imts::JournalFile;
use imts::clock::{Clock, SystemClock};
use imts::journal::CallState;
use imts::journal::{CLOCK_MARGIN, Entry, EntryError, Finding, Journal};
use imts::journal_file::JournalError;
use imts::time::Wall;

use crate::{Folder, found, intends, sends};

/// Sends a call, and lets nobody know of its end. Yields until when it may be under way.
fn leaves(journal: &mut JournalFile, reference: &str) -> Wall {
    let id = intends(journal, reference);
    let at = SystemClock.now().wall;
    let until = at.after(Duration::from_secs(3_600));
    journal.record(&Entry::Sending { id, at, until: Some(until) }).unwrap();
    until
}

#[test]
fn whoever_opens_a_journal_waits_for_no_sender_that_had_it_open_before() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let until = leaves(&mut journal, "17");
    drop(journal);
    let read = JournalFile::read(folder.path()).unwrap();
    assert_eq!(read.call(1).unwrap().sending_until, Some(until), "who only reads does not know");
    let mut journal = JournalFile::open(folder.path()).unwrap();
    journal.resolve(1, found(Finding::Refused)).unwrap();
    drop(journal);
    let state = JournalFile::open(folder.path()).unwrap().book().call(1).unwrap().state;
    assert_eq!(state, CallState::Refused, "what was resolved before the deadline is read again");
}

#[test]
fn a_sender_that_has_the_journal_open_is_waited_for() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let until = leaves(&mut journal, "17");
    let error = journal.resolve(1, found(Finding::Done)).unwrap_err();
    let why = EntryError::UnderWay { id: 1, until: until.after(CLOCK_MARGIN) };
    assert_eq!(error, JournalError::UnderWay(why));
    assert!(journal.book().call(1).unwrap().is_in_doubt());
}

#[test]
fn whoever_held_the_original_of_a_copy_is_waited_for_however_often_the_copy_is_opened() {
    let folder = Folder::new();
    let copy = folder.path().with_extension("copy");
    let mut original = JournalFile::open(folder.path()).unwrap();
    leaves(&mut original, "17");
    fs::copy(folder.path(), &copy).unwrap();
    drop(JournalFile::options().accept("restored", None).open(&copy).unwrap());
    for _ in 0..2 {
        let mut accepted = JournalFile::open(&copy).unwrap();
        let error = accepted.resolve(1, found(Finding::Refused)).unwrap_err();
        assert!(matches!(error, JournalError::UnderWay(_)), "{error}");
    }
    // Its own calls are known.
    let mut accepted = JournalFile::open(&copy).unwrap();
    leaves(&mut accepted, "18");
    drop(accepted);
    JournalFile::open(&copy).unwrap().resolve(2, found(Finding::Done)).unwrap();
}

#[test]
fn a_journal_of_the_second_version_is_read_and_goes_on_as_one_of_the_fourth() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let id = intends(&mut journal, "17");
    sends(&mut journal, id);
    drop(journal);
    let mut bytes = fs::read(folder.path()).unwrap();
    bytes[13] = b'2';
    fs::write(folder.path(), &bytes).unwrap();
    let read = JournalFile::read(folder.path()).unwrap();
    assert_eq!((read.in_doubt().count(), read.call(id).unwrap().sending_until), (1, None));
    assert_eq!(fs::read(folder.path()).unwrap(), bytes, "reading changes nothing");
    let mut journal = JournalFile::open(folder.path()).unwrap();
    journal.resolve(id, found(Finding::Done)).unwrap();
    drop(journal);
    let then = fs::read(folder.path()).unwrap();
    assert!(then.starts_with(b"imts-journal 4\n"), "what the second version refuses");
    assert_eq!(then[15..bytes.len()], bytes[15..], "its records stay as they are");
}
