//! The journal in a file: what a cut, a changed byte, a full disk, a second process and a kill leave
//! of it.
#![cfg(all(feature = "journal", unix))]

mod bytes;
mod compact;
mod compact_faults;
mod compact_itself;
#[cfg(feature = "ureq")]
mod crowd;
mod disk;
mod durable;
#[path = "../journals/rules.rs"]
mod every;
mod failing;
mod files;
#[cfg(feature = "ureq")]
mod killed;
mod large;
#[cfg(feature = "ureq")]
mod order;
mod path;
mod payer;
mod rules;
mod senders;
mod together;
mod traced;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::{Digest, Entry, Finding, Intent, Journal, Resolution, Scope};
use imts::time::Wall;

/// A folder of one test's own, gone with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("imts-journal-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Where the journal is.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.join("journal")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

pub(crate) fn intent(reference: &str) -> Intent {
    Intent {
        operation: "confirm".to_owned(),
        scope: Some(Scope { url: "https://service.example/x".to_owned(), agent: "a".to_owned() }),
        reference: Some(reference.to_owned()),
        digest: Digest::of(reference.as_bytes()),
        meaning: Some(Digest::of_meaning(reference.as_bytes())),
        at: Wall::from_unix_micros(-1),
        despite: None,
    }
}

pub(crate) fn intends(journal: &mut JournalFile, reference: &str) -> u64 {
    journal.record(&Entry::Intent(intent(reference))).unwrap()
}

pub(crate) fn sends(journal: &mut JournalFile, id: u64) {
    journal.record(&Entry::Sending { id, at: Wall::from_unix_micros(2), until: None }).unwrap();
}

pub(crate) fn ends(journal: &mut JournalFile, id: u64, ending: Ending) {
    journal.record(&Entry::Ended { id, at: Wall::from_unix_micros(3), ending }).unwrap();
}

/// What someone found out by asking.
pub(crate) fn found(finding: Finding) -> Resolution {
    Resolution { finding, reason: "asked status".to_owned(), by: None }
}

/// This program again, to run one test of it in a process of its own.
pub(crate) fn this_program(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test]).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Waits until something holds that another process brings about.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..12_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited a minute in vain for: {what}");
}
