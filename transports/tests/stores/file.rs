//! The store in a file: which files it refuses, what survives, and who is alive.

mod disk;
mod guarded;
mod holders;
mod kept;

use std::process::{Command, Stdio};
use std::time::Duration;

use imts::Store;
use imts::store::StoreError;
use imts::store::file::FileStore;
use imts::swap::{Found, Stamp, Swap, Swapped};

use crate::conformance::{look, put, stamp};
use crate::folder::Folder;

pub(crate) const FIRST: Stamp = Stamp { generation: 1, holder: 5, serial: 1 };
pub(crate) const SECOND: Stamp = Stamp { generation: 2, holder: 6, serial: 1 };

/// A store in which the first state is.
pub(crate) fn with_first(folder: &Folder) -> FileStore {
    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(moved(&store, &put(Stamp::NONE, FIRST)), Some(false));
    store
}

/// Whether a swap that is done was moved; `None` if it was not done.
#[track_caller]
pub(crate) fn moved(store: &dyn Store, swap: &Swap) -> Option<bool> {
    match store.swap(swap).unwrap() {
        Swapped::Done { moved, .. } => Some(moved),
        Swapped::Other(_) => None,
    }
}

#[track_caller]
pub(crate) fn found(store: &dyn Store) -> Found {
    match store.swap(&look()).unwrap() {
        Swapped::Other(found) => found,
        Swapped::Done { .. } => panic!("a look puts nothing"),
    }
}

/// The error of a store that refuses its file, with its kind.
#[track_caller]
pub(crate) fn refused(opened: Result<FileStore, StoreError>) -> (&'static str, String) {
    let error = opened.map(drop).unwrap_err();
    (error.kind(), error.to_string())
}

/// This program again, to run one test of it in a process of its own.
pub(crate) fn this_program(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

pub(crate) const LONG: Duration = Duration::from_secs(600);

/// A swap that claims for this long.
pub(crate) fn claim(expects: Stamp, of: Stamp, lease: Duration) -> Swap {
    put(expects, of).with_lease(lease, false)
}

pub(crate) fn third() -> Stamp {
    stamp(3, 7, 1)
}
