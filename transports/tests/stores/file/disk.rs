//! A disk that is full, and a folder that cannot be written.

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use imts::Store;
use imts::store::file::FileStore;

use super::{FIRST, SECOND, found, moved, this_program, with_first};
use crate::conformance::{AGENT, look, put, state_of};
use crate::folder::Folder;

const FULL: &str = "IMTS_TEST_STORE_FULL";
const READ_ONLY: &str = "IMTS_TEST_STORE_READ_ONLY";

/// Runs in a process of its own, which may not write files of more than a block.
#[test]
fn on_a_full_disk() {
    let Ok(path) = env::var(FULL) else { return };
    let store = FileStore::open(path).unwrap();
    let state = state_of(AGENT, SECOND, &"a".repeat(3_000), &"r".repeat(3_000));
    let error = store.swap(&look().putting(FIRST, state)).unwrap_err();
    assert_eq!(error.kind(), "unreachable");
    assert!(error.to_string().contains("cannot write"), "{error}");
    println!("refused");
}

#[test]
fn what_does_not_fit_on_the_disk_leaves_the_register_as_it_was() {
    let folder = Folder::new();
    let store = with_first(&folder);
    let before = fs::read(folder.path()).unwrap();
    let output = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact file::disk::on_a_full_disk --nocapture",
        ])
        .arg(env::current_exe().unwrap())
        .env(FULL, folder.path())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("refused"), "{output:?}");
    assert_eq!(fs::read(folder.path()).unwrap(), before);
    let left = fs::read_dir(folder.folder()).unwrap().count();
    assert_eq!(left, 2, "nothing half-written is left behind");
    assert_eq!(moved(&store, &put(FIRST, SECOND)), Some(false));
}

/// Runs in a process of its own, as a user without special rights.
#[test]
fn in_a_read_only_folder() {
    let Ok(path) = env::var(READ_ONLY) else { return };
    let error = FileStore::open(format!("{path}.new")).map(drop).unwrap_err();
    assert_eq!(error.kind(), "unreachable");
    assert!(error.to_string().contains("session.new.lock"), "{error}");
    let store = FileStore::open(path).unwrap();
    assert_eq!(found(&store).stamp(), FIRST, "it can be looked at");
    let error = store.swap(&put(FIRST, SECOND)).unwrap_err();
    assert_eq!(error.kind(), "unreachable");
    assert!(error.to_string().contains("cannot write"), "{error}");
    println!("refused");
}

#[test]
fn in_a_folder_that_cannot_be_written_the_error_names_the_file() {
    let folder = Folder::new();
    drop(with_first(&folder));
    let before = fs::read(folder.path()).unwrap();
    let mut command = this_program("file::disk::in_a_read_only_folder");
    command.env(READ_ONLY, folder.path());
    fs::set_permissions(folder.folder(), fs::Permissions::from_mode(0o500)).unwrap();
    if rustix::process::geteuid().is_root() {
        for name in ["", "session", "session.lock"] {
            chown(folder.folder().join(name), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("refused"), "{output:?}");
    assert_eq!(fs::read(folder.path()).unwrap(), before);
    fs::set_permissions(folder.folder(), fs::Permissions::from_mode(0o700)).unwrap();
}

/// The user that owns nothing.
const NOBODY: u32 = 65_534;
