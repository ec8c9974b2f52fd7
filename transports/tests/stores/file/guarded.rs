//! Files that others could have put there, or could read, are refused.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use imts::store::file::FileStore;

use super::{refused, with_first};
use crate::folder::Folder;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn beside(folder: &Folder, ending: &str) -> PathBuf {
    folder.folder().join(format!("session{ending}"))
}

#[test]
fn every_file_of_a_store_has_mode_0600() {
    let folder = Folder::new();
    drop(with_first(&folder));
    let mut seen = 0;
    for file in fs::read_dir(folder.folder()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600, "{file:?}");
        seen += 1;
    }
    assert_eq!(seen, 2, "the register and its lock");
}

#[test]
fn a_file_that_others_can_read_is_refused_and_the_message_says_what_to_do() {
    for ending in ["", ".lock"] {
        for bits in [0o640, 0o604, 0o620, 0o602, 0o610] {
            let folder = Folder::new();
            drop(with_first(&folder));
            mode(&beside(&folder, ending), bits);
            let (kind, text) = refused(FileStore::open(folder.path()));
            assert_eq!(kind, "permissions");
            assert!(text.contains(&format!("session{ending} has mode {bits:04o}")), "{text}");
            assert!(text.contains("chmod 600"), "{text}");
        }
    }
}

#[test]
fn a_link_in_the_place_of_a_file_is_refused_and_not_followed() {
    for ending in ["", ".lock"] {
        let folder = Folder::new();
        let there = folder.folder().join("there");
        fs::write(&there, "a file of another program").unwrap();
        mode(&there, 0o600);
        symlink(&there, beside(&folder, ending)).unwrap();
        let (kind, text) = refused(FileStore::open(folder.path()));
        assert_eq!(kind, "permissions", "{text}");
        assert!(text.contains("is a symbolic link"), "{text}");
        assert_eq!(fs::read_to_string(&there).unwrap(), "a file of another program");
    }
}

#[test]
fn a_link_that_leads_nowhere_creates_nothing() {
    let folder = Folder::new();
    let there = folder.folder().join("there");
    symlink(&there, beside(&folder, ".lock")).unwrap();
    assert_eq!(refused(FileStore::open(folder.path())).0, "permissions");
    assert!(!there.exists());
}

#[test]
fn a_folder_in_which_others_can_replace_files_is_refused() {
    for (bits, is_refused) in [(0o777, true), (0o720, true), (0o1777, false), (0o755, false)] {
        let folder = Folder::new();
        mode(&folder.folder(), bits);
        let opened = FileStore::open(folder.path());
        assert_eq!(opened.is_err(), is_refused, "{bits:o}");
        if is_refused {
            let (kind, text) = refused(opened);
            assert_eq!(kind, "permissions");
            assert!(text.contains("other users can replace files in"), "{text}");
        }
    }
}

#[test]
fn what_is_not_a_regular_file_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.path()).unwrap();
    let (kind, text) = refused(FileStore::open(folder.path()));
    assert_eq!(kind, "unreachable", "{text}");
    let missing = folder.folder().join("no such folder").join("session");
    let (kind, text) = refused(FileStore::open(missing));
    assert_eq!(kind, "unreachable");
    assert!(text.contains("no such folder"), "{text}");
    // A pipe has no end; opening it must not wait.
    let pipe = folder.folder().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    let (kind, text) = refused(FileStore::open(&pipe));
    assert_eq!(kind, "unreachable");
    assert!(text.contains("not a regular file"), "{text}");
}
