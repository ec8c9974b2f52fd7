//! A journal trusts its path: what is not provably its own file any more records nothing.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::CallState;
use imts::journal::{Entry, Finding, Journal, RecordError};
use imts::journal_file::JournalError;
use imts::time::Wall;

use crate::{Folder, ends, found, intends, intent, sends};

/// Why a call could not be intended.
fn refused(journal: &mut JournalFile, reference: &str) -> JournalError {
    match journal.record(&Entry::Intent(intent(reference))) {
        Err(RecordError::Failed(why)) => why.downcast_ref::<JournalError>().unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

/// What happens to an open journal's file, and what its next record comes to.
type Mishap = (&'static str, fn(&Path), JournalError);

const MISHAPS: [Mishap; 8] = [
    (
        "moved",
        |path| fs::rename(path, path.with_extension("moved")).unwrap(),
        JournalError::Replaced,
    ),
    ("removed", |path| fs::remove_file(path).unwrap(), JournalError::Replaced),
    (
        "its folder is moved",
        |path| {
            let folder = path.parent().unwrap();
            fs::rename(folder, folder.with_extension("moved")).unwrap();
        },
        JournalError::Replaced,
    ),
    (
        "replaced by a copy",
        |path| {
            fs::copy(path, path.with_extension("copy")).unwrap();
            fs::rename(path.with_extension("copy"), path).unwrap();
        },
        JournalError::Replaced,
    ),
    (
        "replaced by a new one",
        |path| {
            fs::remove_file(path).unwrap();
            drop(JournalFile::open(path).unwrap());
        },
        JournalError::Replaced,
    ),
    (
        "truncated",
        |path| fs::File::options().write(true).open(path).unwrap().set_len(20).unwrap(),
        JournalError::Changed,
    ),
    (
        "appended to",
        |path| {
            fs::File::options().append(true).open(path).unwrap().write_all(b"x").unwrap();
        },
        JournalError::Changed,
    ),
    (
        "another content of the same length",
        |path| {
            let mut bytes = fs::read(path).unwrap();
            let place = bytes.len() - 5;
            bytes[place] ^= 1;
            fs::File::options().write(true).open(path).unwrap().write_all(&bytes).unwrap();
        },
        JournalError::Changed,
    ),
];

#[test]
fn what_happens_to_the_file_while_it_is_open_ends_the_journal() {
    for (what, happens, error) in MISHAPS {
        let folder = Folder::new();
        let mut journal = JournalFile::open(folder.path()).unwrap();
        let id = intends(&mut journal, "one");
        happens(&folder.path());
        assert_eq!(refused(&mut journal, "two"), error, "{what}");
        assert!(error.to_string().contains("nothing is sent"), "{error}");
        // Also for what was under way, and for ever: it may have come back in another state.
        let sending =
            journal.record(&Entry::Sending { id, at: Wall::from_unix_micros(1), until: None });
        assert!(matches!(sending, Err(RecordError::Failed(_))), "{what}");
        drop(fs::rename(folder.path().with_extension("moved"), folder.path()));
        assert_eq!(refused(&mut journal, "three"), error, "{what}");
        drop(fs::remove_dir_all(folder.path().parent().unwrap().with_extension("moved")));
    }
}

#[test]
fn a_journal_that_only_moves_with_its_folder_unchanged_is_opened_again_where_it_is() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let id = intends(&mut journal, "one");
    sends(&mut journal, id);
    drop(journal);
    let moved = folder.path().with_extension("moved");
    fs::rename(folder.path(), &moved).unwrap();
    assert_eq!(JournalFile::open(&moved).unwrap().book().in_doubt().count(), 1);
}

#[test]
fn a_copy_is_refused_until_it_is_accepted_and_then_what_has_no_end_is_in_doubt() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let (intended, done) = (intends(&mut journal, "one"), intends(&mut journal, "two"));
    sends(&mut journal, done);
    ends(&mut journal, done, Ending::Done);
    drop(journal);
    let copy = folder.path().with_extension("copy");
    fs::copy(folder.path(), &copy).unwrap();
    let before = fs::read(&copy).unwrap();
    assert_eq!(JournalFile::open(&copy).unwrap_err(), JournalError::Copied);
    assert_eq!(fs::read(&copy).unwrap(), before, "it is left as it is");
    let accept = || JournalFile::options().accept("restored from last night", Some("ops"));
    let accepted = accept().open(&copy).unwrap();
    let state = |journal: &JournalFile, id| journal.book().call(id).unwrap().state;
    assert_eq!(state(&accepted, intended), CallState::InDoubt);
    assert_eq!(state(&accepted, done), CallState::Done);
    let book = accepted.book().clone();
    drop(accepted);
    // It is the journal from here on, and says the same when it is opened again.
    assert_eq!(JournalFile::open(&copy).unwrap().book(), &book);
    assert!(String::from_utf8(fs::read(&copy).unwrap()).unwrap().contains("last night"));
    assert!(JournalFile::open(folder.path()).is_ok(), "the original is what it was");
}

#[test]
fn who_accepts_a_copy_waits_for_the_senders_that_hold_the_original() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let id = intends(&mut journal, "one");
    let (at, until) = (Wall::from_unix_micros(2), Some(Wall::from_unix_micros(i64::MAX / 2)));
    journal.record(&Entry::Sending { id, at, until }).unwrap();
    let copy = folder.path().with_extension("copy");
    fs::copy(folder.path(), &copy).unwrap();
    let accept = || JournalFile::options().accept("restored", None);
    let is_under_way = |it: &mut JournalFile, id: u64| {
        let resolved = it.resolve(id, found(Finding::Refused));
        matches!(resolved, Err(JournalError::UnderWay(_)))
    };
    let mut accepted = accept().open(&copy).unwrap();
    assert!(is_under_way(&mut accepted, id), "the original is open, and may be sending it");
    // Its own senders are gone once it can be opened again; those of the original may not be.
    let own = intends(&mut accepted, "two");
    accepted.record(&Entry::Sending { id: own, at, until }).unwrap();
    drop(accepted);
    let mut again = JournalFile::open(&copy).unwrap();
    assert!(is_under_way(&mut again, id) && !is_under_way(&mut again, own));
    drop(journal);
    let mut original = JournalFile::open(folder.path()).unwrap();
    assert!(!is_under_way(&mut original, id), "the process that has its lock is the only sender");
}

#[test]
fn a_backup_that_is_put_back_in_the_journals_place_is_a_copy_whatever_its_inode() {
    for _ in 0..20 {
        let folder = Folder::new();
        let backup = folder.path().with_extension("backup");
        drop(JournalFile::open(folder.path()).unwrap());
        fs::copy(folder.path(), &backup).unwrap();
        // The file system may give the number of the file that is gone to the next one.
        fs::remove_file(folder.path()).unwrap();
        fs::copy(&backup, folder.path()).unwrap();
        assert_eq!(JournalFile::open(folder.path()).unwrap_err(), JournalError::Copied);
    }
}

#[test]
fn a_journal_of_the_first_version_is_read_and_goes_on_as_one_of_the_second() {
    let folder = Folder::new();
    let first = include_bytes!("first_version.journal");
    fs::write(folder.path(), first).unwrap();
    let read = JournalFile::read(folder.path()).unwrap();
    assert_eq!(fs::read(folder.path()).unwrap(), first, "reading changes nothing");
    assert_eq!(read.in_doubt().count(), 1);
    let mut journal = JournalFile::open(folder.path()).unwrap();
    assert_eq!(journal.book(), &read);
    let id = intends(&mut journal, "new");
    drop(journal);
    let bytes = fs::read(folder.path()).unwrap();
    assert!(bytes.starts_with(b"imts-journal 4\n"), "what the first version refuses");
    assert_eq!(bytes[15..first.len()], first[15..], "its records stay as they are");
    let again = JournalFile::open(folder.path()).unwrap();
    assert_eq!(again.book().call(id).unwrap().reference.as_deref(), Some("new"));
    assert_eq!(again.book().in_doubt().count(), 1);
}

#[test]
fn what_was_found_out_is_kept_with_its_reason() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let id = intends(&mut journal, "one");
    sends(&mut journal, id);
    let mut resolution = found(Finding::Refused);
    resolution.by = Some("night shift".to_owned());
    journal.resolve(id, resolution.clone()).unwrap();
    drop(journal);
    let book = JournalFile::read(folder.path()).unwrap();
    assert_eq!(book.call(id).unwrap().resolution.as_ref(), Some(&resolution));
}

#[test]
fn the_lock_is_waited_for_within_the_callers_time_and_no_longer() {
    let folder = Folder::new();
    let held = JournalFile::open(folder.path()).unwrap();
    let wait = Duration::from_millis(200);
    let began = Instant::now();
    let error = JournalFile::options().wait(wait).open(folder.path()).unwrap_err();
    assert_eq!(error, JournalError::Locked);
    assert!(began.elapsed() >= wait, "it waited");
    assert_eq!(JournalFile::open(folder.path()).unwrap_err(), JournalError::Locked);
    let path = folder.path();
    let waiting = std::thread::spawn(move || {
        JournalFile::options().wait(Duration::from_secs(60)).open(path).map(drop)
    });
    drop(held);
    assert_eq!(waiting.join().unwrap(), Ok(()));
}
