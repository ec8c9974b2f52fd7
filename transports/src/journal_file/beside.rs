//! Owns the file beside a journal that takes the journal's place.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::disk;
use super::error::JournalError;
use crate::disk::Locked;

/// A file that is to take a journal's place, under a name beside it. If it does not take that
/// place, it is removed.
#[derive(Debug)]
pub(super) struct Beside {
    file: Option<Locked>,
    here: PathBuf,
    there: PathBuf,
}

impl Beside {
    /// Creates an empty file for the journal that a path leads to. The file is locked, and has the
    /// journal's owner. A file that an earlier compaction has left is removed.
    pub(super) fn begin(path: &Path, journal: &File) -> Result<Self, JournalError> {
        let io = |error| JournalError::io("write the compact form of", &error);
        let there = fs::canonicalize(path).map_err(io)?;
        let here = beside(&there);
        let look = |file: &File| file.metadata().map_err(io);
        let owner = look(journal)?;
        can_be_replaced(&owner)?;
        remove_if_there(&here).map_err(io)?;
        let file = disk::lock(disk::options().create_new(true).open(&here).map_err(io)?)?;
        let beside = Self { file: Some(file), here, there };
        let file = beside.file()?;
        own(file, &look(file)?, &owner).map_err(io)?;
        Ok(beside)
    }

    /// Returns the file, as long as it has not taken the journal's place.
    pub(super) fn file(&self) -> Result<&File, JournalError> {
        self.file.as_deref().ok_or(JournalError::Broken)
    }

    /// Puts the file in the journal's place.
    pub(super) fn take_place(mut self) -> Result<Locked, JournalError> {
        let rename = fs::rename(&self.here, &self.there);
        rename.map_err(|error| JournalError::io("replace", &error))?;
        self.file.take().ok_or(JournalError::Broken)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = fs::remove_file(&self.here);
        }
    }
}

/// Removes what a killed compaction has left beside a journal that this process has locked.
pub(super) fn clear(path: &Path) {
    if let Ok(path) = fs::canonicalize(path) {
        let _ = remove_if_there(&beside(&path));
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".compacting");
    name.into()
}

/// Checks that another file may take this one's place, and that everyone will notice.
fn can_be_replaced(journal: &fs::Metadata) -> Result<(), JournalError> {
    let refuse = |why| Err(JournalError::NotCompacted { why });
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(journal) > 1 {
        return refuse("it has a second name (a hard link), which would keep the old file");
    }
    if !cfg!(unix) {
        return refuse("this system does not replace a file that is open");
    }
    if journal.created().is_err() {
        // A copy of the old file could get the old file's number.
        return refuse("its file system does not say when a file was created");
    }
    Ok(())
}

/// Gives a new file to the owner of the old one, who will open it again.
#[cfg(unix)]
fn own(file: &File, here: &fs::Metadata, there: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let of = |it: &fs::Metadata| (it.uid(), it.gid());
    if of(here) != of(there) {
        std::os::unix::fs::fchown(file, Some(there.uid()), Some(there.gid()))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn own(_: &File, _: &fs::Metadata, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}
