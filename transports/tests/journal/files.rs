//! Whose the file is: one process's, readable to one user, and a journal from the start.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, io};

use imts::JournalFile;
use imts::journal_file::JournalError;

use crate::{Folder, eventually, intends, sends, this_program};

const CHILD_FILE: &str = "IMTS_TEST_JOURNAL_HOLDER";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_journal_is_readable_to_its_owner_alone_also_where_it_was_not() {
    let folder = Folder::new();
    drop(JournalFile::open(folder.path()).unwrap());
    assert_eq!(mode(&folder.path()), 0o600);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o644)).unwrap();
    drop(JournalFile::open(folder.path()).unwrap());
    assert_eq!(mode(&folder.path()), 0o600);
}

#[test]
fn a_file_that_is_something_else_is_left_as_it_is_mode_included() {
    let folder = Folder::new();
    for text in ["root:x:0:0", "imts-journal 3\n", "i", "\n", "imts-journal 4 and more"] {
        // The beginning of a header is a journal that was cut; anything else is not.
        let is_cut = "imts-journal 4\n".starts_with(text);
        fs::write(folder.path(), text).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o644)).unwrap();
        match JournalFile::open(folder.path()) {
            Ok(journal) => assert!(is_cut && journal.book().calls().count() == 0, "{text:?}"),
            Err(error) => {
                assert!(!is_cut && error == JournalError::NotAJournal, "{text:?}: {error}");
                assert_eq!(fs::read_to_string(folder.path()).unwrap(), text);
                assert_eq!(mode(&folder.path()), 0o644, "{text:?}");
            }
        }
    }
}

#[test]
fn what_is_no_file_is_no_journal_and_is_not_read_for_ever() {
    let folder = Folder::new();
    let pipe = folder.path();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let devices = ["/dev/full", "/dev/zero"].map(Path::new);
    for path in devices.into_iter().chain([pipe.as_path()]).filter(|path| path.exists()) {
        let before = fs::metadata(path).unwrap().permissions();
        assert_eq!(JournalFile::open(path).unwrap_err(), JournalError::NotAJournal, "{path:?}");
        assert_eq!(JournalFile::read(path).unwrap_err(), JournalError::NotAJournal, "{path:?}");
        assert_eq!(fs::metadata(path).unwrap().permissions(), before, "{path:?}");
    }
}

#[test]
fn a_path_that_cannot_be_opened_is_an_error_that_says_so() {
    let folder = Folder::new();
    let missing = folder.path().join("deeper").join("journal");
    for path in [env::temp_dir(), missing, "".into(), "\0".into()] {
        let error = JournalFile::open(&path).unwrap_err();
        assert!(matches!(error, JournalError::Io { action: "open", .. }), "{path:?}: {error}");
        assert!(error.to_string().starts_with("cannot open the journal: "), "{error}");
    }
}

#[test]
fn a_file_that_may_not_be_written_is_an_error_at_once_and_not_at_the_first_call() {
    let folder = Folder::new();
    drop(JournalFile::open(folder.path()).unwrap());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o444)).unwrap();
    // A user that may write everything may write this too.
    let may = fs::OpenOptions::new().append(true).open(folder.path()).is_ok();
    match JournalFile::open(folder.path()) {
        Ok(_) => assert!(may),
        Err(error) => assert!(!may && matches!(error, JournalError::Io { action: "open", .. })),
    }
    assert_eq!(JournalFile::read(folder.path()).unwrap().calls().count(), 0);
}

/// Runs in a process of its own: has the journal open until it is killed.
#[test]
fn holder() {
    let Ok(file) = env::var(CHILD_FILE) else { return };
    let mut journal = JournalFile::open(file).unwrap();
    let id = intends(&mut journal, "held");
    sends(&mut journal, id);
    drop(io::read_to_string(io::stdin()));
    panic!("nobody killed it");
}

struct Holder(Child);

impl Holder {
    fn of(path: &Path) -> Self {
        let mut child = this_program("files::holder");
        Self(child.env(CHILD_FILE, path).stdin(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_journal_that_another_process_has_open_is_locked_until_that_process_dies() {
    let folder = Folder::new();
    let holder = Holder::of(&folder.path());
    let held = || JournalFile::read(folder.path()).is_ok_and(|book| book.in_doubt().count() == 1);
    eventually("the other process writes", held);
    assert_eq!(JournalFile::open(folder.path()).unwrap_err(), JournalError::Locked);
    assert_eq!(JournalFile::open(folder.path()).unwrap_err(), JournalError::Locked);
    drop(holder);
    let journal = JournalFile::open(folder.path()).unwrap();
    assert_eq!(journal.book().in_doubt().count(), 1);
    assert_eq!(JournalFile::open(folder.path()).unwrap_err(), JournalError::Locked, "nor twice");
    drop(journal);
    JournalFile::open(folder.path()).unwrap();
}

#[test]
fn a_journal_that_was_closed_is_free_also_while_other_threads_start_processes() {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                // Until it executes its program, a child has a copy of all that is open here.
                assert!(Command::new("true").status().unwrap().success());
            }
        });
        let folder = Folder::new();
        let opens = || (0..500).try_for_each(|_| JournalFile::open(folder.path()).map(drop));
        let opened = opens();
        is_over.store(true, Ordering::SeqCst);
        assert_eq!(opened, Ok(()));
    });
}
