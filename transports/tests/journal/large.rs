//! A journal of many calls that have ended: what opening it holds in memory.

use std::fs;
use std::process::Command;

use imts::journal::{Entry, Journal};
use imts::{Ending, JournalFile, Wall};

use crate::{Folder, intent};

const FILE: &str = "IMTS_TEST_JOURNAL_LARGE";

/// How many calls there are: more by this variable, for a long run.
const CALLS: &str = "IMTS_JOURNAL_CALLS";

fn calls() -> u64 {
    std::env::var(CALLS).map_or(40_000, |number| number.parse().unwrap())
}

/// A number of KiB from this process's status.
fn kibibytes(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Opens the journal in a process of its own, and says how much memory that took at most.
#[test]
#[cfg(target_os = "linux")]
fn opener() {
    let Ok(file) = std::env::var(FILE) else { return };
    let before = kibibytes("VmRSS:");
    // From here on, what is held at most is counted anew.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let mut journal = JournalFile::open(&file).unwrap();
    println!("held {} KiB", kibibytes("VmHWM:").saturating_sub(before));
    for number in [0, calls() / 2, calls() - 1] {
        let again = journal.record(&Entry::Intent(intent(&number.to_string())));
        assert!(again.unwrap_err().to_string().contains("has done it"), "{number}");
    }
    assert_eq!(journal.in_doubt().unwrap().len(), 1);
}

#[test]
#[cfg(target_os = "linux")]
fn a_journal_of_calls_that_have_ended_holds_64_bytes_of_each() {
    let (folder, calls) = (Folder::new(), calls());
    let mut journal = JournalFile::open(folder.path()).unwrap();
    for number in 0..=calls {
        let at = Wall::from_unix_micros(i64::try_from(number).unwrap());
        let id = journal.submit(&Entry::Intent(intent(&number.to_string()))).unwrap().id();
        drop(journal.submit(&Entry::Sending { id, at, until: None }).unwrap());
        if number < calls {
            drop(journal.submit(&Entry::Ended { id, at, ending: Ending::Done }).unwrap());
        }
    }
    drop(journal);
    let mut opener = Command::new(std::env::current_exe().unwrap());
    let opener = opener.args(["--exact", "large::opener", "--nocapture"]).env(FILE, folder.path());
    let output = opener.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let cried = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{cried}");
    let held = said.split_once("held ").unwrap().1.split_once(' ').unwrap().0;
    let held: u64 = held.parse().unwrap();
    println!(
        "{calls} calls: {held} KiB, file {} KiB",
        fs::metadata(folder.path()).unwrap().len() >> 10
    );
    // The program itself, calls that ended lately, and the part of the file that is read at once.
    let most = calls * 64 / 1024 + 8 * 1024;
    assert!(held <= most, "{held} KiB of {calls} calls, of {most}");
}
