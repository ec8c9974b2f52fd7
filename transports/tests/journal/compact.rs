//! A journal that is compacted: what ended leaves the file, and what the guard must know stays.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::thread;
use std::time::Duration;

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::{Book, CallState};
use imts::journal::{Despite, Digest, Entry, Finding, Intent, IntentError, Journal};
use imts::journal_file::JournalError;
use imts::time::Wall;

use crate::{Folder, ends, found, intends, intent, sends};

/// How many calls of [`written`] were done, and are hashes afterwards.
const DONE: u64 = 300;

/// A call that was sent, and ended so.
pub(crate) fn call(journal: &mut JournalFile, reference: &str, ending: Ending) -> u64 {
    let id = intends(journal, reference);
    sends(journal, id);
    ends(journal, id, ending);
    id
}

/// A journal with calls of each kind: those that were done first.
fn written(path: &Path) -> JournalFile {
    written_with(path, DONE)
}

fn written_with(path: &Path, done: u64) -> JournalFile {
    let mut journal = JournalFile::open(path).unwrap();
    for number in 0..done {
        call(&mut journal, &format!("done-{number}"), Ending::Done);
    }
    for number in 0..20 {
        let ending = [Ending::Refused, Ending::NotSent][number % 2];
        call(&mut journal, &format!("refused-{number}"), ending);
    }
    intends(&mut journal, "intended");
    let id = intends(&mut journal, "sending");
    let until = Some(Wall::from_unix_micros(9));
    journal.record(&Entry::Sending { id, at: Wall::from_unix_micros(8), until }).unwrap();
    call(&mut journal, "unknown", Ending::Unknown);
    for finding in [Finding::Done, Finding::Refused] {
        let id = call(&mut journal, finding.as_str(), Ending::Unknown);
        journal.resolve(id, found(finding)).unwrap();
    }
    journal
}

/// What the guard says of every reference of [`written`], with the same body and with another one, as
/// it is and in spite of the record that stands against it.
fn answers(book: &Book) -> Vec<Result<(), IntentError>> {
    let numbered = (0..DONE).map(|number| format!("done-{number}"));
    let refused = (0..20).map(|number| format!("refused-{number}"));
    let others = ["intended", "sending", "unknown", "done", "refused", "new"].map(str::to_owned);
    let each = |reference: String| {
        let same = intent(&reference);
        let other = Intent { meaning: Some(Digest(1)), ..intent(&reference) };
        let id = book.admit(&same).err().and_then(|error| error.id()).unwrap_or(1);
        let despite = Some(Despite { id, reason: "asked".to_owned(), by: None });
        let anyway = Intent { despite, ..same.clone() };
        [same, other, anyway].map(|intent| book.admit(&intent))
    };
    numbered.chain(refused).chain(others).flat_map(each).collect()
}

#[test]
fn what_was_done_becomes_a_hash_and_the_guard_says_what_it_said() {
    let folder = Folder::new();
    let mut journal = written(&folder.path());
    let (before, doubt) = (answers(journal.book()), journal.in_doubt().unwrap());
    let bytes = fs::metadata(folder.path()).unwrap().len();
    let compacted = journal.compact().unwrap();
    let after = fs::metadata(folder.path()).unwrap().len();
    assert_eq!((compacted.before.bytes, compacted.after.bytes), (bytes, after));
    assert_eq!((compacted.before.calls, compacted.before.hashes), (DONE + 25, 0));
    assert_eq!((compacted.after.calls, compacted.after.hashes), (5, DONE));
    assert!(after < bytes / 8 && after < DONE * 32 + 2_000, "{after} of {bytes}");
    assert_eq!(JournalFile::open(folder.path()).unwrap_err(), JournalError::Locked);
    let next = journal.book().next_id();
    for journal in [journal.book().clone(), JournalFile::read(folder.path()).unwrap()] {
        assert_eq!((answers(&journal), journal.next_id()), (before.clone(), next));
        assert!(journal.in_doubt().eq(&doubt));
        assert_eq!((journal.calls().count(), journal.hashed() as u64), (5, DONE));
    }
    drop(journal);
    let mut journal = JournalFile::open(folder.path()).unwrap();
    assert_eq!((answers(journal.book()), journal.in_doubt().unwrap().len()), (before, 2));
    let states: Vec<_> = journal.book().calls().map(|call| call.state).collect();
    let (doubt, done) = (CallState::InDoubt, CallState::Done);
    assert_eq!(states, [CallState::Intended, doubt, doubt, done, CallState::Refused]);
    // It goes on, and what was compact becomes part of what is.
    let (id, again) =
        (call(&mut journal, "more", Ending::Done), call(&mut journal, "x", Ending::Done));
    assert_eq!((id, again), (next, next + 1));
    let compacted = journal.compact().unwrap();
    assert_eq!((compacted.before.calls, compacted.before.hashes), (7, DONE));
    assert_eq!((compacted.after.calls, compacted.after.hashes), (5, DONE + 2));
    let mut read = JournalFile::read(folder.path()).unwrap();
    read.senders_are_gone(0);
    assert!(&read == journal.book());
    assert_eq!(read.admit(&intent("more")), journal.book().admit(&intent("more")));
    assert!(read.admit(&intent("more")).is_err());
}

#[test]
fn a_call_that_is_under_way_ends_in_the_compact_file() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let (intended, sent) = (intends(&mut journal, "intended"), intends(&mut journal, "sent"));
    sends(&mut journal, sent);
    journal.compact().unwrap();
    sends(&mut journal, intended);
    for id in [intended, sent] {
        ends(&mut journal, id, Ending::Done);
    }
    drop(journal);
    let journal = JournalFile::open(folder.path()).unwrap();
    for reference in ["intended", "sent"] {
        let error = journal.book().admit(&intent(reference)).unwrap_err();
        assert!(matches!(error, IntentError::AlreadyDone { .. }), "{error}");
    }
}

#[test]
fn only_a_compact_file_has_the_form_that_earlier_versions_refuse() {
    let folder = Folder::new();
    let mut journal = written(&folder.path());
    assert!(fs::read(folder.path()).unwrap().starts_with(b"imts-journal 4\n"));
    journal.compact().unwrap();
    assert!(fs::read(folder.path()).unwrap().starts_with(b"imts-journal 7\n"));
}

#[test]
fn a_first_version_is_compacted_and_still_stands_by_its_bytes() {
    let folder = Folder::new();
    fs::write(folder.path(), include_bytes!("first_version.journal")).unwrap();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let kept = |book: &Book| {
        let stands = |it: &CallState| matches!(it, CallState::InDoubt | CallState::Done);
        let calls = book.calls().filter(|it| stands(&it.state));
        calls.map(|it| (it.id, it.state, it.digest)).collect::<Vec<_>>()
    };
    let before = kept(journal.book());
    journal.compact().unwrap();
    assert!(!before.is_empty());
    assert_eq!(kept(&JournalFile::read(folder.path()).unwrap()), before);
}

#[test]
fn every_change_and_every_cut_of_what_was_compacted_is_told() {
    let folder = Folder::new();
    let mut journal = written_with(&folder.path(), 10);
    journal.compact().unwrap();
    let bytes = fs::read(folder.path()).unwrap();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        let read = imts::journal_file::book_of(&changed);
        assert!(read.is_err(), "byte {place} is changed, and nobody tells: {read:?}");
    }
    for length in b"imts-journal ".len() + 1..bytes.len() {
        assert!(imts::journal_file::book_of(&bytes[..length]).is_err(), "cut to {length}");
    }
    // What comes behind may be cut, as ever.
    intends(&mut journal, "more");
    let more = fs::read(folder.path()).unwrap();
    for length in bytes.len()..more.len() {
        assert_eq!(
            imts::journal_file::book_of(&more[..length]),
            imts::journal_file::book_of(&bytes),
            "cut to {length}"
        );
    }
}

#[test]
fn what_belongs_to_one_form_alone_is_damage_in_the_other() {
    let folder = Folder::new();
    let mut journal = written(&folder.path());
    let whole = fs::read(folder.path()).unwrap();
    journal.compact().unwrap();
    let compact = fs::read(folder.path()).unwrap();
    let damaged = |bytes: &[u8]| {
        let read = imts::journal_file::book_of(bytes);
        assert!(matches!(read, Err(JournalError::Damaged { .. })), "{read:?}");
    };
    damaged(&[b"imts-journal 4\n", &compact[15..]].concat());
    damaged(&[b"imts-journal 7\n", &whole[15..]].concat());
    damaged(&[&compact[..], &compact[15..]].concat());
}

#[test]
fn a_backup_from_before_is_refused_until_it_is_accepted() {
    type PutBack = fn(&Path, &Path);
    let into: PutBack = |backup, path| fs::write(path, fs::read(backup).unwrap()).unwrap();
    let over: PutBack = |backup, path| fs::rename(backup, path).unwrap();
    for put_back in [into, over] {
        let folder = Folder::new();
        let mut journal = written(&folder.path());
        let backup = folder.path().with_extension("backup");
        fs::copy(folder.path(), &backup).unwrap();
        journal.compact().unwrap();
        call(&mut journal, "since", Ending::Done);
        drop(journal);
        put_back(&backup, &folder.path());
        assert_eq!(JournalFile::open(folder.path()).unwrap_err(), JournalError::Copied);
        let options = JournalFile::options().accept("asked", None);
        let accepted = options.open(folder.path()).unwrap();
        assert_eq!(accepted.book().in_doubt().count(), 3, "what was intended, too");
    }
}

#[test]
fn of_an_accepted_copy_the_senders_of_the_original_are_waited_for_also_once_it_is_compact() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let id = intends(&mut journal, "one");
    let (at, until) = (Wall::from_unix_micros(1), Some(Wall::from_unix_micros(i64::MAX)));
    journal.record(&Entry::Sending { id, at, until }).unwrap();
    drop(journal);
    let copy = folder.path().with_extension("copy");
    fs::copy(folder.path(), &copy).unwrap();
    let mut accepted = JournalFile::options().accept("asked", None).open(&copy).unwrap();
    let own = intends(&mut accepted, "two");
    accepted.record(&Entry::Sending { id: own, at, until }).unwrap();
    accepted.compact().unwrap();
    drop(accepted);
    let mut journal = JournalFile::open(&copy).unwrap();
    let early = journal.resolve(id, found(Finding::Refused)).unwrap_err();
    assert!(matches!(early, JournalError::UnderWay(_)), "{early}");
    journal.resolve(own, found(Finding::Refused)).unwrap();
}

#[test]
fn a_copy_of_a_compact_journal_is_a_copy() {
    let folder = Folder::new();
    written(&folder.path()).compact().unwrap();
    let copy = folder.path().with_extension("copy");
    fs::copy(folder.path(), &copy).unwrap();
    assert_eq!(JournalFile::open(&copy).unwrap_err(), JournalError::Copied);
    assert!(JournalFile::open(folder.path()).is_ok());
}

#[test]
fn a_link_to_the_journal_stays_a_link_and_the_file_keeps_its_mode() {
    let folder = Folder::new();
    let elsewhere = folder.path().with_file_name("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let target = elsewhere.join("target");
    symlink(&target, folder.path()).unwrap();
    let mut journal = written(&folder.path());
    let before = fs::metadata(&target).unwrap().ino();
    journal.compact().unwrap();
    call(&mut journal, "more", Ending::Done);
    assert!(fs::symlink_metadata(folder.path()).unwrap().is_symlink());
    let after = fs::metadata(&target).unwrap();
    assert_ne!(after.ino(), before, "it is another file");
    assert_eq!(after.permissions().mode() & 0o777, 0o600);
    assert_eq!(JournalFile::read(&target).unwrap().calls().count(), 6);
    let names = fs::read_dir(&elsewhere).unwrap().count();
    assert_eq!(names, 1, "nothing is left beside it");
}

#[test]
fn a_journal_that_another_name_leads_to_stays_as_it_is() {
    let folder = Folder::new();
    let mut journal = written(&folder.path());
    let other = folder.path().with_extension("other");
    fs::hard_link(folder.path(), &other).unwrap();
    let before = fs::read(&other).unwrap();
    let error = journal.compact().unwrap_err();
    assert!(matches!(error, JournalError::NotCompacted { .. }), "{error}");
    assert_eq!(fs::read(folder.path()).unwrap(), before);
    call(&mut journal, "more", Ending::Done);
    fs::remove_file(&other).unwrap();
    journal.compact().unwrap();
    assert_eq!(JournalFile::read(folder.path()).unwrap().hashed() as u64, DONE + 1);
}

#[test]
fn a_journal_that_was_replaced_meanwhile_is_not_compacted_over_the_other_one() {
    let folder = Folder::new();
    let mut journal = written(&folder.path());
    fs::rename(folder.path(), folder.path().with_extension("moved")).unwrap();
    let mut other = JournalFile::open(folder.path()).unwrap();
    let id = intends(&mut other, "of the other");
    assert_eq!(journal.compact(), Err(JournalError::Replaced));
    let read = JournalFile::read(folder.path()).unwrap();
    assert_eq!(read.call(id).unwrap().reference.as_deref(), Some("of the other"));
}

#[test]
fn who_waits_for_the_lock_opens_the_file_that_took_the_place() {
    let folder = Folder::new();
    let mut expected = 0;
    for round in 0..20 {
        let mut journal = JournalFile::open(folder.path()).unwrap();
        let path = folder.path();
        let waiter = thread::spawn(move || {
            let options = JournalFile::options().wait(Duration::from_secs(60));
            let mut journal = options.open(&path).unwrap();
            call(&mut journal, &format!("waiter-{round}"), Ending::Done);
        });
        call(&mut journal, &format!("holder-{round}"), Ending::Done);
        journal.compact().unwrap();
        drop(journal);
        waiter.join().unwrap();
        expected += 2;
        let book = JournalFile::read_all(folder.path()).unwrap();
        assert_eq!(book.calls().count() + book.hashed(), expected, "in round {round}");
    }
}

#[test]
fn what_was_done_longer_ago_than_it_is_kept_may_be_sent_again() {
    let folder = Folder::new();
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_micros()).unwrap();
    let day = 86_400_000_000;
    let options = || JournalFile::options().keep_done(30.try_into().unwrap());
    let mut journal = options().open(folder.path()).unwrap();
    let times = [("31 days", now - 31 * day), ("29 days", now - 29 * day), ("now", now)];
    for (reference, at) in times {
        let id = intends(&mut journal, reference);
        sends(&mut journal, id);
        let at = Wall::from_unix_micros(at);
        journal.record(&Entry::Ended { id, at, ending: Ending::Done }).unwrap();
    }
    call(&mut journal, "doubt", Ending::Unknown);
    let known = |book: &Book| {
        let is_known = |reference: &&str| book.admit(&intent(reference)).is_err();
        ["31 days", "29 days", "now", "doubt"].into_iter().filter(is_known).collect::<Vec<_>>()
    };
    assert_eq!(known(journal.book()).len(), 4, "until it is compacted");
    journal.compact().unwrap();
    let kept = ["29 days", "now", "doubt"];
    assert_eq!(known(journal.book()), kept);
    assert_eq!(known(&JournalFile::read(folder.path()).unwrap()), kept);
    assert_eq!(intends(&mut journal, "31 days"), 5);
}

#[test]
fn by_default_what_was_done_is_kept_for_ever() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    // All times are of 1970.
    call(&mut journal, "long ago", Ending::Done);
    journal.compact().unwrap();
    let read = JournalFile::read(folder.path()).unwrap();
    assert!(matches!(read.admit(&intent("long ago")), Err(IntentError::AlreadyDone { .. })));
}

#[test]
fn a_call_of_the_longest_reference_and_the_longest_reason_is_kept() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    let long = "x".repeat(60_000);
    let id = call(&mut journal, &long, Ending::Unknown);
    let mut resolution = found(Finding::Done);
    resolution.reason.clone_from(&long);
    journal.resolve(id, resolution.clone()).unwrap();
    journal.compact().unwrap();
    let read = JournalFile::read(folder.path()).unwrap();
    assert_eq!(read.call(id).unwrap().resolution.as_ref(), Some(&resolution));
    assert_eq!(read.call(id).unwrap().reference.as_ref(), Some(&long));
}

#[test]
fn a_book_written_by_itself_is_read_as_the_same_and_becomes_the_file_that_it_is_put_into() {
    let folder = Folder::new();
    let mut journal = written(&folder.path());
    let bytes = imts::journal_file::bytes_of(journal.book(), Wall::from_unix_micros(7)).unwrap();
    journal.compact().unwrap();
    assert!(&imts::journal_file::book_of(&bytes).unwrap() == journal.book());
    let other = folder.path().with_extension("other");
    fs::write(&other, &bytes).unwrap();
    let mut book = journal.book().clone();
    book.senders_are_gone(0);
    assert!(JournalFile::open(&other).unwrap().book() == &book);
    fs::copy(&other, folder.path().with_extension("copy")).unwrap();
    let copy = JournalFile::open(folder.path().with_extension("copy"));
    assert_eq!(copy.unwrap_err(), JournalError::Copied);
}
