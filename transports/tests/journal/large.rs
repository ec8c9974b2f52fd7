//! Journals of many calls that have ended: what opening them reads, and what it holds in memory.

use std::fs;
use std::process::Command;

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::{Book, Digest, DoneCall, Entry, Journal, Kept};
use imts::time::Wall;

use crate::{Folder, intent};

const FILE: &str = "IMTS_TEST_JOURNAL_LARGE";

/// How many calls of the opened journal the guard is asked about, by their references.
const ASKED: &str = "IMTS_TEST_JOURNAL_ASKED";

/// How many calls there are: more by this variable, for a long run.
const CALLS: &str = "IMTS_JOURNAL_CALLS";

fn calls() -> u64 {
    std::env::var(CALLS).map_or(40_000, |number| number.parse().unwrap())
}

/// A number that one of this process's files in `/proc` has under this name.
fn number(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/self/{file}")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Opens the journal in a process of its own, and says what that read, and how much memory it took at
/// most.
#[test]
#[cfg(target_os = "linux")]
fn opener() {
    let Ok(file) = std::env::var(FILE) else { return };
    let asked: u64 = std::env::var(ASKED).unwrap().parse().unwrap();
    let before = (number("status", "VmRSS:"), number("io", "rchar:"));
    // From here on, what is held at most is counted anew.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let mut journal = JournalFile::open(&file).unwrap();
    let held = number("status", "VmHWM:").saturating_sub(before.0);
    println!("held {held} KiB");
    println!("read {} bytes", number("io", "rchar:") - before.1);
    for number in [0, asked / 2, asked - 1] {
        let again = journal.record(&Entry::Intent(intent(&number.to_string())));
        assert!(again.unwrap_err().to_string().contains("has done it"), "{number}");
    }
    assert_eq!(journal.in_doubt().unwrap().len(), 1);
}

/// What opening a journal holds, in KiB, and reads, in bytes.
#[cfg(target_os = "linux")]
fn opened(folder: &Folder, asked: u64) -> (u64, u64) {
    let mut opener = Command::new(std::env::current_exe().unwrap());
    opener.args(["--exact", "large::opener", "--nocapture"]).env(FILE, folder.path());
    let output = opener.env(ASKED, asked.to_string()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let cried = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{cried}");
    let after = |word: &str| {
        let number = said.split_once(word).unwrap().1.split_once(' ').unwrap().0;
        number.parse::<u64>().unwrap()
    };
    (after("held "), after("read "))
}

#[test]
#[cfg(target_os = "linux")]
fn a_journal_of_calls_that_have_ended_holds_64_bytes_of_each() {
    let (folder, calls) = (Folder::new(), calls());
    let mut journal = JournalFile::options().compact_from(None).open(folder.path()).unwrap();
    for number in 0..=calls {
        let at = Wall::from_unix_micros(i64::try_from(number).unwrap());
        let id = journal.submit(&Entry::Intent(intent(&number.to_string()))).unwrap().id();
        drop(journal.submit(&Entry::Sending { id, at, until: None }).unwrap());
        if number < calls {
            drop(journal.submit(&Entry::Ended { id, at, ending: Ending::Done }).unwrap());
        }
    }
    drop(journal);
    let (held, _) = opened(&folder, calls);
    let file = fs::metadata(folder.path()).unwrap().len() >> 10;
    println!("{calls} calls: {held} KiB, file {file} KiB");
    // The program itself, calls that ended lately, and the part of the file that is read at once.
    let most = calls * 64 / 1024 + 8 * 1024;
    assert!(held <= most, "{held} KiB of {calls} calls, of {most}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_compact_journal_of_a_million_calls_is_opened_by_reading_and_holding_64_mb() {
    const CALLS: u64 = 1_000_000;
    const ASKED: u64 = 1_000;
    const MOST: u64 = 64_000_000;
    let at =
        |id: u64| Wall::from_unix_micros(1_764_000_000_000_000 + id.cast_signed() * 61_234_567);
    let mut book = Book::keeping(0);
    for id in 1..=ASKED {
        book.apply(id, &Entry::Intent(intent(&(id - 1).to_string())));
        book.apply(id, &Entry::Sending { id, at: at(id), until: None });
        book.apply(id, &Entry::Ended { id, at: at(id), ending: Ending::Done });
    }
    for id in ASKED + 1..=CALLS {
        let spread = |by: u64| id.wrapping_mul(by);
        let key = (spread(0x9e37_79b9_7f4a_7c15), spread(0xc2b2_ae3d_27d4_eb4f));
        let done = DoneCall { key, meaning: Digest(spread(0x1656_67b1_9e37_79f9)), id, at: at(id) };
        assert!(book.restore(Kept::Done(done)));
    }
    book.apply(CALLS + 1, &Entry::Intent(intent("doubt")));
    book.apply(CALLS + 1, &Entry::Sending { id: CALLS + 1, at: at(0), until: None });
    let folder = Folder::new();
    fs::write(folder.path(), imts::journal_file::bytes_of(&book, at(0)).unwrap()).unwrap();
    let (held, read) = opened(&folder, ASKED);
    let bytes = fs::metadata(folder.path()).unwrap().len();
    println!("{CALLS} calls: file {bytes} bytes, read {read}, held {held} KiB");
    assert!(held * 1024 <= MOST && read <= MOST, "held {held} KiB, read {read} bytes");
    // A journal that is about to be compacted is twice as long at most.
    assert!(2 * bytes <= MOST, "{bytes} bytes");
}
