//! A compaction that is killed at each of its system calls, or of which each fails: the journal is the
//! old one or the new one, and calls go on.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::{Entry, Journal};
use imts::time::Wall;

use crate::compact::call;
use crate::traced::{FILE, Marks, SYNCS, Trace, journal_of_this_process};
use crate::{Folder, intends, intent, sends};

/// What a process does: it compacts its journal, and records a call.
const COMPACTS: &str = "IMTS_TEST_COMPACTS";

/// All that a compaction asks of the kernel.
const CALLS: [&str; 12] = [
    "openat",
    "statx",
    "fstat",
    "newfstatat",
    "unlink",
    "flock",
    "read",
    "lseek",
    "write",
    "fsync",
    "rename",
    "close",
];

#[test]
fn compactor() {
    let Some(file) = journal_of_this_process() else { return };
    if std::env::var_os(COMPACTS).is_none() {
        return;
    }
    let marks = Marks::of_this_process();
    let say = |mark: &str| marks.iter().for_each(|marks| marks.say(mark));
    let Ok(mut journal) = JournalFile::open(file) else { return say("unopened") };
    say("compacts");
    say(if journal.compact().is_ok() { "compacted" } else { "failed" });
    let sent = journal.record(&Entry::Intent(intent("more"))).and_then(|id| {
        journal.record(&Entry::Sending { id, at: Wall::from_unix_micros(2), until: None })
    });
    say(if sent.is_ok() { "sent" } else { "unsent" });
}

/// A journal of calls that were done, one in doubt, and one that was only intended.
fn written() -> Folder {
    let folder = Folder::new();
    let mut journal = JournalFile::open(folder.path()).unwrap();
    for number in 0..8 {
        call(&mut journal, &number.to_string(), Ending::Done);
    }
    let id = intends(&mut journal, "doubt");
    sends(&mut journal, id);
    intends(&mut journal, "intended");
    folder
}

/// Holds that the journal knows all that it knew; yields whether it is compact.
fn holds(folder: &Folder, what: &str) -> bool {
    let mut journal =
        JournalFile::open(folder.path()).unwrap_or_else(|why| panic!("{what}: {why}"));
    let doubts: Vec<_> = journal.book().in_doubt().map(|call| call.reference.clone()).collect();
    assert_eq!(doubts.first().unwrap().as_deref(), Some("doubt"), "{what}");
    for number in 0..8 {
        let error = journal.book().admit(&intent(&number.to_string())).unwrap_err();
        assert!(error.to_string().contains("has done it"), "{what}: {error}");
    }
    assert!(journal.book().admit(&intent("intended")).is_ok(), "{what}");
    call(&mut journal, "after", Ending::Done);
    drop(journal);
    let names = fs::read_dir(folder.path().parent().unwrap()).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    let is_left = names.iter().any(|name| name.to_string_lossy().contains("compacting"));
    assert!(!is_left, "{what}: {names:?}");
    fs::read(folder.path()).unwrap().starts_with(b"imts-journal 7\n")
}

#[test]
fn a_compaction_that_is_killed_anywhere_leaves_the_old_journal_or_the_new_one() {
    let (mut old, mut new) = (0, 0);
    for system_call in CALLS {
        for number in 1.. {
            let folder = written();
            let inode = fs::metadata(folder.path()).unwrap().ino();
            let beside = folder.path().with_extension("compacting");
            let mut strace = Command::new("strace");
            strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={system_call}")]);
            for path in [&*folder.path(), &*beside, folder.path().parent().unwrap()] {
                strace.arg("-P").arg(path);
            }
            strace.args(["-e", &format!("inject={system_call}:signal=KILL:when={number}")]);
            strace.arg(std::env::current_exe().unwrap());
            strace.args(["--exact", "compact_faults::compactor"]).env(COMPACTS, "1");
            let output = strace.env(FILE, folder.path()).output().unwrap();
            let is_killed = output.status.signal() == Some(9);
            assert!(is_killed || output.status.success(), "{output:?}");
            let is_replaced = fs::metadata(folder.path()).unwrap().ino() != inode;
            let is_new = holds(&folder, &format!("{system_call} {number}"));
            assert_eq!(is_new, is_replaced);
            if !is_killed {
                assert!(is_new, "{system_call} {number}: it ended by itself");
                break;
            }
            *(if is_new { &mut new } else { &mut old }) += 1;
        }
    }
    assert!(old > 20 && new > 5, "{old} {new}");
}

/// Has such a fault happen to each system call of its kind; yields how many compactions failed.
fn sweep(fault: &str) -> usize {
    let mut failed = 0;
    for number in 1.. {
        let (folder, one) = (written(), format!("{fault}:when={number}"));
        let inode = fs::metadata(folder.path()).unwrap().ino();
        let trace = Trace::of("compact_faults::compactor", &folder, &[(COMPACTS, "1")], &[&one]);
        let Some(fault) = trace.faults().next() else { break };
        let said: Vec<_> = trace.marks().map(|(said, _)| said).collect();
        let compacts = trace.marks().find(|(said, _)| *said == "compacts");
        let ended = trace.marks().find(|(said, _)| ["compacted", "failed"].contains(said));
        let is_within =
            compacts.zip(ended).is_some_and(|((_, one), (_, other))| fault.is_between(one, other));
        if is_within {
            assert_eq!(said, ["compacts", "failed", "sent"], "{one}: {fault:?}");
            failed += 1;
            let is_replaced = fs::metadata(folder.path()).unwrap().ino() != inode;
            let mut syncs = trace.on_folder(SYNCS).filter(|it| it.is_ok());
            let is_synced = syncs.any(|it| it.is_between(fault, trace.mark("sent")));
            assert!(is_synced || !is_replaced, "{one}: what is sent might be in no file");
        }
        if said.last() == Some(&"sent") {
            let book = JournalFile::read(folder.path()).unwrap();
            let last = book.in_doubt().last().unwrap();
            assert_eq!(
                last.reference.as_deref(),
                Some("more"),
                "{one}: it is where the path leads"
            );
        }
        holds(&folder, &one);
    }
    failed
}

#[test]
fn a_compaction_that_fails_anywhere_is_told_and_calls_go_on() {
    assert!(sweep("write:error=ENOSPC") >= 1);
    // The new file, its folder before it takes the place, and the folder after that.
    assert_eq!(sweep("fsync:error=EIO"), 3);
    assert_eq!(sweep("rename:error=EACCES"), 1);
}
