//! What is durable when, by the system calls of a process: a crash of the machine forgets what was
//! written and not synced, and no test without them would notice.

use std::fs;

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::{Entry, Finding, Journal};
use imts::time::Wall;

use crate::payer::{CLIENTS, PAID, pays};
use crate::traced::{Marks, READS, SYNCS, Trace, WRITES, journal_of_this_process};
use crate::{Folder, found, intent};

/// Makes the records of one call by itself, in a process of its own, and says when each has returned.
const RECORDS: &str = "IMTS_TEST_TRACED_RECORDS";

#[test]
fn recorder() {
    let (Some(file), Some(marks)) = (journal_of_this_process(), Marks::of_this_process()) else {
        return;
    };
    if std::env::var_os(RECORDS).is_none() {
        return;
    }
    let mut journal = JournalFile::open(file).unwrap();
    marks.say("opened");
    let at = Wall::from_unix_micros(7);
    for (intended, sending, last) in [("i1", "s1", "e1"), ("i2", "s2", "r2")] {
        let id = journal.record(&Entry::Intent(intent(intended))).unwrap();
        marks.say(intended);
        assert_eq!(journal.record(&Entry::Sending { id, at, until: None }).unwrap(), id);
        marks.say(sending);
        if last == "e1" {
            journal.record(&Entry::Ended { id, at, ending: Ending::Done }).unwrap();
        } else {
            journal.resolve(id, found(Finding::Refused)).unwrap();
        }
        marks.say(last);
    }
}

fn records(folder: &Folder) -> Trace {
    Trace::of("durable::recorder", folder, &[(RECORDS, "1")], &[])
}

#[test]
fn a_new_file_and_its_folder_are_synced_before_a_record_counts() {
    let folder = Folder::new();
    let trace = records(&folder);
    let created = trace.on_journal(&["openat"]).find(|it| it.is_ok()).unwrap();
    assert!(created.arguments.contains("O_CREAT"), "{created:?}");
    let header = trace.on_journal(WRITES).next().unwrap();
    assert!(header.arguments.contains("imts-journal 4"), "{header:?}");
    let intent = trace.records("intent").next().unwrap();
    for before in [trace.mark("opened"), intent] {
        assert!(trace.is_synced_between(header, before), "the header");
        let mut syncs = trace.on_folder(SYNCS).filter(|it| it.is_ok());
        assert!(syncs.any(|it| it.is_between(created, before)), "the folder");
    }
}

#[test]
fn a_new_file_behind_a_link_is_synced_with_the_folder_that_it_came_to_be_in() {
    let folder = Folder::new();
    let elsewhere = folder.path().with_file_name("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(elsewhere.join("target"), folder.path()).unwrap();
    let trace = records(&folder);
    let opened = trace.mark("opened");
    for place in [&*elsewhere, folder.path().parent().unwrap()] {
        let mut syncs = trace.on(place, SYNCS).filter(|it| it.is_ok());
        assert!(syncs.any(|it| it.ended < opened.began), "{}", place.display());
    }
}

#[test]
fn the_lock_is_taken_before_the_file_is_read_or_changed() {
    for is_new in [true, false] {
        let folder = Folder::new();
        if !is_new {
            drop(JournalFile::open(folder.path()).unwrap());
        }
        let trace = records(&folder);
        let lock = trace.on_journal(&["flock"]).find(|it| it.is_ok()).unwrap();
        assert!(lock.arguments.contains("LOCK_EX"), "{lock:?}");
        let looks = trace.on_journal(READS).chain(trace.on_journal(WRITES));
        let looks = looks.chain(trace.on_journal(&["ftruncate", "fchmod", "fsync", "fdatasync"]));
        let mut count = 0;
        for look in looks {
            assert!(lock.ended < look.began, "{look:?}");
            count += 1;
        }
        assert!(count > 3, "{count}");
    }
}

#[test]
fn a_cut_tail_is_synced_away_before_anything_is_appended() {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    journal.record(&Entry::Intent(intent("whole"))).unwrap();
    drop(journal);
    let whole = fs::read(folder.path()).unwrap();
    let half = &whole[whole.len() - 40..whole.len() - 3];
    fs::write(folder.path(), [&whole, half].concat()).unwrap();
    let trace = records(&folder);
    let cut = trace.on_journal(&["ftruncate"]).next().unwrap();
    assert!(cut.is_ok() && cut.arguments.contains(&whole.len().to_string()), "{cut:?}");
    let append = trace.on_journal(WRITES).next().unwrap();
    assert!(append.arguments.contains("record"), "{append:?}");
    assert!(trace.is_synced_between(cut, append), "{cut:?} {append:?}");
    assert!(trace.is_synced_between(cut, trace.mark("opened")));
}

#[test]
fn a_record_that_must_outlive_a_crash_is_synced_before_its_writer_is_told() {
    let folder = Folder::new();
    let trace = records(&folder);
    let each = [("intent", "i1"), ("sending", "s1"), ("intent", "i2"), ("sending", "s2")];
    for (kind, mark) in each.into_iter().chain([("resolved", "r2")]) {
        let told = trace.mark(mark);
        let write = trace.records(kind).filter(|it| it.began < told.began).last().unwrap();
        assert!(trace.is_synced_between(write, told), "{mark}: {write:?}");
    }
}

#[test]
fn what_is_recorded_of_a_call_is_durable_before_its_request_leaves() {
    for client in CLIENTS {
        let folder = Folder::new();
        let trace = pays(&folder, client, &[]);
        for (number, reference) in PAID.into_iter().flatten().enumerate() {
            let leaves = trace.mark(&format!("sends {reference}"));
            for kind in ["intent", "sending"] {
                let before = || trace.records(kind).filter(|it| it.began < leaves.began);
                let write = before().last().unwrap();
                assert_eq!(before().count(), number + 1, "{client} {reference}: {kind}");
                assert!(trace.is_synced_between(write, leaves), "{client} {reference}: {write:?}");
                // A token is there from the second call on.
                let is_one_write = write.arguments.contains(r#"\"intent\""#);
                assert!(
                    is_one_write || reference.ends_with('1'),
                    "{client} {reference}: {write:?}"
                );
            }
        }
    }
}
