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
#[path = "../journals/eventually.rs"]
mod eventually;
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

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::{Entry, Finding, Intent, Journal, Resolution};
use imts::time::Wall;

pub(crate) use crate::eventually::eventually;

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
    Intent { at: Wall::from_unix_micros(-1), ..every::intent(reference) }
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
