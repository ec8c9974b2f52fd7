//! What is left of a journal that was cut, or of which a byte was changed.

use std::fs;

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::{Book, CallState};
use imts::journal::{Digest, Entry, EntryError, Finding, Intent, Journal, RecordError};
use imts::journal_file::JournalError;
use imts::time::Wall;

use crate::{Folder, ends, found, intends, sends};

/// A journal that holds all that one can, and what it held after each record: the file's length, and
/// its book.
fn grown(folder: &Folder) -> (Vec<u8>, Vec<(usize, Book)>) {
    let mut stages = Vec::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let note = |journal: &JournalFile, stages: &mut Vec<_>| {
        let length = fs::metadata(folder.path()).unwrap().len();
        stages.push((usize::try_from(length).unwrap(), journal.book().clone()));
    };
    note(&journal, &mut stages);
    for (reference, ending) in [
        ("one", Some(Ending::Done)),
        ("zwei \"\\\n\u{1F4B8}", Some(Ending::Refused)),
        ("three", Some(Ending::Unknown)),
        ("four", None),
        ("five", Some(Ending::NotSent)),
    ] {
        let id = intends(&mut journal, reference);
        note(&journal, &mut stages);
        for _ in 0..2 {
            sends(&mut journal, id);
            note(&journal, &mut stages);
        }
        if let Some(ending) = ending {
            ends(&mut journal, id, ending);
            note(&journal, &mut stages);
        }
    }
    journal.resolve(3, found(Finding::Done)).unwrap();
    note(&journal, &mut stages);
    drop(journal);
    (fs::read(folder.path()).unwrap(), stages)
}

#[test]
fn a_journal_cut_at_any_byte_holds_every_record_that_was_whole() {
    let folder = Folder::new();
    let (bytes, stages) = grown(&folder);
    let empty = Book::default();
    for length in 0..=bytes.len() {
        let whole = stages.iter().rev().find(|(end, _)| *end <= length);
        let book = whole.map_or(&empty, |(_, book)| book);
        assert_eq!(
            imts::journal_file::book_of(&bytes[..length]).as_ref(),
            Ok(book),
            "cut at {length}"
        );
        // Every tenth, and each around a record's end, in a file as well.
        let is_edge = stages.iter().any(|(end, _)| end.abs_diff(length) <= 1);
        if !is_edge && length % 10 != 0 {
            continue;
        }
        fs::write(folder.path(), &bytes[..length]).unwrap();
        assert_eq!(JournalFile::read(folder.path()).as_ref(), Ok(book), "cut at {length}");
        assert_eq!(fs::read(folder.path()).unwrap(), &bytes[..length], "reading changes nothing");
        let mut journal = JournalFile::open(folder.path()).unwrap();
        assert_eq!(journal.book(), book, "cut at {length}");
        // What was cut off is gone. Which file it is, is said anew where that was cut off too.
        let left = fs::read(folder.path()).unwrap();
        match whole {
            Some((end, _)) => assert_eq!(left, &bytes[..*end], "cut at {length}"),
            None => assert!(left.starts_with(b"imts-journal 4\n"), "cut at {length}"),
        }
        let id = intends(&mut journal, "goes on");
        assert!(book.call(id).is_none(), "a number is used once");
        sends(&mut journal, id);
        drop(journal);
        let after = JournalFile::open(folder.path()).unwrap();
        assert_eq!(after.book().calls().count(), book.calls().count() + 1, "cut at {length}");
        assert!(after.book().call(id).unwrap().is_in_doubt());
    }
}

#[test]
fn no_cut_makes_a_call_that_was_sent_one_that_was_not() {
    let folder = Folder::new();
    let (bytes, stages) = grown(&folder);
    for length in 0..=bytes.len() {
        let book = imts::journal_file::book_of(&bytes[..length]).unwrap();
        // What was durable when the request left, by length, is there after any later cut.
        for (end, then) in stages.iter().filter(|(end, _)| *end <= length) {
            for call in then.calls().filter(|call| call.is_in_doubt()) {
                let now = book.call(call.id).unwrap_or_else(|| panic!("{} of {end}", call.id));
                let settled = matches!(
                    now.state,
                    CallState::InDoubt | CallState::Done | CallState::Refused | CallState::NotSent
                );
                assert!(settled, "cut at {length}: {now:?}");
            }
        }
    }
}

#[test]
fn of_a_changed_byte_either_the_file_is_refused_or_the_last_record_alone_is_lost() {
    let folder = Folder::new();
    let (bytes, stages) = grown(&folder);
    let [.., (start_of_last, without_last), (_, whole)] = &stages[..] else { unreachable!() };
    let (mut refused, mut lost) = (0, 0);
    for place in 0..bytes.len() {
        for mask in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[place] ^= mask;
            let read = imts::journal_file::book_of(&changed);
            assert_ne!(read.as_ref(), Ok(whole), "byte {place} ^ {mask:#x} is not seen");
            match read {
                Err(JournalError::NotAJournal) => assert!(place < stages[0].0),
                Err(JournalError::Damaged { at }) => {
                    refused += 1;
                    assert!(at <= place, "byte {place} ^ {mask:#x}: at {at}");
                }
                Ok(book) => {
                    lost += 1;
                    assert!(place >= *start_of_last, "byte {place} ^ {mask:#x}: {book:?}");
                    assert_eq!(&book, without_last);
                }
                other => panic!("byte {place} ^ {mask:#x}: {other:?}"),
            }
        }
    }
    assert!(refused > 1_000 && lost > 100, "{refused} {lost}");
}

#[test]
fn a_damaged_journal_is_left_as_it_is() {
    let folder = Folder::new();
    let (mut bytes, stages) = grown(&folder);
    bytes[stages[2].0 + 30] ^= 1;
    fs::write(folder.path(), &bytes).unwrap();
    let expected = JournalError::Damaged { at: stages[2].0 };
    assert_eq!(JournalFile::open(folder.path()).unwrap_err(), expected);
    assert_eq!(JournalFile::read(folder.path()).unwrap_err(), expected);
    assert_eq!(fs::read(folder.path()).unwrap(), bytes);
}

#[test]
fn a_record_that_no_call_could_have_is_refused_and_the_journal_stays_readable() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let id = intends(&mut journal, "one");
    sends(&mut journal, id);
    ends(&mut journal, id, Ending::Done);
    let at = Wall::from_unix_micros(9);
    for entry in [
        Entry::Sending { id: 99, at, until: None },
        Entry::Ended { id: 99, at, ending: Ending::Done },
        Entry::Sending { id, at, until: None },
        Entry::Ended { id, at, ending: Ending::Unknown },
    ] {
        let error = journal.record(&entry).unwrap_err();
        let error = cause::<EntryError>(&error);
        let id_is_unknown = matches!(error, EntryError::NoSuchCall { id: 99 });
        assert!(id_is_unknown || *error == EntryError::Ended { id }, "{entry:?}: {error}");
    }
    let book = journal.book().clone();
    drop(journal);
    assert_eq!(JournalFile::open(folder.path()).unwrap().book(), &book);
    assert_eq!(book.call(id).unwrap().state, CallState::Done);
}

#[test]
fn a_reference_that_is_too_long_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let intent = |length| Intent {
        operation: "confirm".to_owned(),
        scope: None,
        reference: Some("r".repeat(length)),
        digest: Digest(0),
        meaning: None,
        at: Wall::from_unix_micros(0),
        despite: None,
    };
    let error = journal.record(&Entry::Intent(intent(65_536))).unwrap_err();
    assert_eq!(*cause::<JournalError>(&error), JournalError::TooLong);
    assert_eq!(journal.record(&Entry::Intent(intent(65_000))).unwrap(), 1);
    drop(journal);
    assert_eq!(JournalFile::open(folder.path()).unwrap().book().calls().count(), 1);
}

#[test]
fn only_a_call_in_doubt_is_resolved() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let (doubt, done) = (intends(&mut journal, "one"), intends(&mut journal, "two"));
    assert_eq!(
        journal.resolve(doubt, found(Finding::Done)),
        Err(JournalError::NotInDoubt { id: doubt }),
        "it was not sent"
    );
    for id in [doubt, done] {
        sends(&mut journal, id);
    }
    ends(&mut journal, done, Ending::Done);
    assert_eq!(
        journal.resolve(done, found(Finding::Refused)),
        Err(JournalError::NotInDoubt { id: done })
    );
    assert_eq!(journal.resolve(9, found(Finding::Done)), Err(JournalError::NoSuchCall { id: 9 }));
    ends(&mut journal, doubt, Ending::Unknown);
    journal.resolve(doubt, found(Finding::Refused)).unwrap();
    drop(journal);
    let book = JournalFile::read(folder.path()).unwrap();
    assert_eq!(book.in_doubt().count(), 0);
    assert_eq!(book.call(doubt).unwrap().state, CallState::Refused);
}

/// Why an entry was not recorded.
fn cause<T: std::error::Error + 'static>(error: &RecordError) -> &T {
    let RecordError::Failed(cause) = error else { panic!("{error:?}") };
    cause.downcast_ref().unwrap_or_else(|| panic!("{cause:?}"))
}
