//! A journal that is compacted by itself: when, by whom, and how often.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::thread::ThreadId;

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::{Entry, Journal};
use imts::journal_file::{Compacted, JournalError, JournalOptions};
use imts::time::Wall;

use crate::{Folder, intent};

type Told = (ThreadId, Result<Compacted, JournalError>);

/// From how many bytes on a journal is compacted here.
const FROM: u64 = 20_000;

fn options() -> (JournalOptions, Receiver<Told>) {
    let (tell, told) = channel();
    let options = JournalFile::options().compact_from(Some(FROM)).on_compaction(move |outcome| {
        drop(tell.send((std::thread::current().id(), outcome.clone())));
    });
    (options, told)
}

fn wait(journal: &mut JournalFile, entry: &Entry) -> u64 {
    let submitted = journal.submit(entry).unwrap();
    let id = submitted.id();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    if let Some(durable) = submitted.into_durable() {
        runtime.block_on(durable).unwrap();
    }
    id
}

/// A call as a client makes it: each record is waited for, and none fails.
fn call(journal: &mut JournalFile, reference: &str, ending: Ending) {
    let id = wait(journal, &Entry::Intent(intent(reference)));
    let at = Wall::from_unix_micros(2);
    wait(journal, &Entry::Sending { id, at, until: None });
    wait(journal, &Entry::Ended { id, at, ending });
}

#[test]
fn a_long_journal_is_compacted_by_its_own_thread_and_no_call_fails_of_it() {
    let (folder, (options, told)) = (Folder::new(), options());
    let mut journal = options.open(folder.path()).unwrap();
    for number in 0..400 {
        call(&mut journal, &number.to_string(), Ending::Done);
    }
    drop(journal);
    let told: Vec<_> = told.try_iter().collect();
    for (thread, outcome) in &told {
        let Compacted { before, after } = outcome.as_ref().unwrap();
        assert!(before.bytes >= FROM && after.bytes * 2 <= before.bytes, "{outcome:?}");
        assert_ne!(*thread, std::thread::current().id());
    }
    // Each time it grows to twice its compact length, or to where it begins.
    assert!((2..10).contains(&told.len()), "{told:?}");
    assert!(fs::metadata(folder.path()).unwrap().len() < 2 * FROM);
    let journal = JournalFile::open(folder.path()).unwrap();
    for number in 0..400 {
        let error = journal.book().admit(&intent(&number.to_string())).unwrap_err();
        assert!(error.to_string().contains("has done it"), "{number}: {error}");
    }
}

#[test]
fn a_journal_that_would_not_become_half_as_long_is_left_as_it_is() {
    let (folder, (options, told)) = (Folder::new(), options());
    let mut journal = options.clone().open(folder.path()).unwrap();
    for number in 0..200 {
        call(&mut journal, &number.to_string(), Ending::Unknown);
    }
    drop(journal);
    let bytes = fs::read(folder.path()).unwrap();
    assert!(bytes.len() as u64 > FROM && bytes.starts_with(b"imts-journal 4\n"));
    // However often it is opened.
    for round in 0..3 {
        let mut journal = options.clone().open(folder.path()).unwrap();
        call(&mut journal, &format!("again-{round}"), Ending::NotSent);
    }
    drop(options);
    assert_eq!(told.iter().count(), 0);
    assert!(fs::read(folder.path()).unwrap().starts_with(&bytes));
}

#[test]
fn a_compaction_that_fails_is_told_and_is_not_tried_again_at_once() {
    let (folder, (options, told)) = (Folder::new(), options());
    let mut journal = options.open(folder.path()).unwrap();
    // A folder stands where the new file would.
    let mut beside = folder.path().into_os_string();
    beside.push(".compacting");
    fs::create_dir(PathBuf::from(&beside)).unwrap();
    for number in 0..200 {
        call(&mut journal, &number.to_string(), Ending::Done);
    }
    drop(journal);
    let told: Vec<_> = told.try_iter().map(|(_, outcome)| outcome).collect();
    assert!((1..5).contains(&told.len()), "{told:?}");
    assert!(told.iter().all(|it| matches!(it, Err(JournalError::Io { .. }))), "{told:?}");
    assert_eq!(JournalFile::read_all(folder.path()).unwrap().calls().count(), 200);
}

#[test]
fn a_listener_that_panics_leaves_the_journal_at_work() {
    let folder = Folder::new();
    let options = JournalFile::options().compact_from(Some(FROM));
    let mut journal = options.on_compaction(|_| panic!("told")).open(folder.path()).unwrap();
    for number in 0..200 {
        call(&mut journal, &number.to_string(), Ending::Done);
    }
    drop(journal);
    assert!(JournalFile::read(folder.path()).unwrap().hashed() > 0, "it was compacted");
}

#[test]
fn a_journal_is_not_compacted_by_itself_where_that_is_switched_off_or_records_are_made_directly() {
    let folder = Folder::new();
    let mut journal = JournalFile::options().compact_from(None).open(folder.path()).unwrap();
    for number in 0..100 {
        call(&mut journal, &number.to_string(), Ending::Done);
    }
    drop(journal);
    let (options, told) = options();
    let mut journal = options.open(folder.path()).unwrap();
    let at = Wall::from_unix_micros(2);
    let id = journal.record(&Entry::Intent(intent("direct"))).unwrap();
    journal.record(&Entry::Sending { id, at, until: None }).unwrap();
    assert!(fs::metadata(folder.path()).unwrap().len() > FROM);
    drop(journal);
    assert_eq!(told.iter().count(), 0);
}
