//! Owns a journal's calls to the file system: the lock, the mode, durability, and which file it is.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::error::JournalError;
use crate::disk::{self, Attempt, Locked};

/// What a journal does if the file system cannot make a folder's entries durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FolderSync {
    /// The journal is not opened: a new one might be gone after a crash, and with it what was sent.
    #[default]
    Required,
    /// The journal is opened all the same, because the caller has other means to keep the file.
    BestEffort,
}

/// Opens and locks the file that a path names. It waits for the lock at most this long.
pub(super) fn locked(path: &Path, wait: Duration) -> Result<Locked, JournalError> {
    let locked = disk::patiently(wait, || {
        refuse_devices(path)?;
        let opened = options().open(path).map_err(|error| JournalError::opening(&error));
        match opened.and_then(lock) {
            // The process that had the lock before may have put another file in its place.
            Ok(file) if is_at(&file, path)? => Ok(Attempt::Got(file)),
            Ok(_) => Ok(Attempt::Again),
            Err(JournalError::Locked) => Ok(Attempt::Busy),
            Err(error) => Err(error),
        }
    })?;
    locked.ok_or(JournalError::Locked)
}

/// Returns whether the path still names this file.
pub(super) fn is_at(file: &File, path: &Path) -> Result<bool, JournalError> {
    disk::is_at(file, path).map_err(|error| JournalError::io("look at", &error))
}

/// Distinguishes a file from its copies. It stays the same if the file is moved or its file system
/// is mounted anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    /// The number by which the file system knows it, on Unix.
    pub(super) inode: Option<u64>,
    /// When the file was created, in nanoseconds since 1970, if the file system stores that. A
    /// number is used again once its file is gone.
    pub(super) born_ns: Option<u64>,
}

impl FileId {
    pub(super) fn of(file: &File) -> Result<Self, JournalError> {
        let metadata = file.metadata().map_err(|error| JournalError::io("look at", &error))?;
        let born = metadata.created().ok().and_then(|it| it.duration_since(UNIX_EPOCH).ok());
        let born_ns = born.and_then(|born| u64::try_from(born.as_nanos()).ok());
        Ok(Self { inode: disk::identity(&metadata).map(|(_, inode)| inode), born_ns })
    }
}

/// Returns a path that names the same file even if the process changes its working folder.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, JournalError> {
    std::path::absolute(path).map_err(|error| JournalError::io("open", &error))
}

/// Refuses a device or a pipe. It may have no end, and must not be read, let alone be restricted to
/// this user.
pub(super) fn refuse_devices(path: &Path) -> Result<(), JournalError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() && !found.is_dir() => Err(JournalError::NotAJournal),
        _ => Ok(()),
    }
}

/// Takes the file from other users, if they could read it.
pub(super) fn restrict(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let _ = file;
    Ok(())
}

/// Makes the file's entry in its folder durable. If the path is a link, this also holds for the
/// entry of the file that it leads to: opening may have created that file.
pub(super) fn sync_folder(path: &Path, required: FolderSync) -> Result<(), JournalError> {
    #[cfg(unix)]
    {
        let file = fs::canonicalize(path);
        let file = file.map_err(|error| JournalError::io("find the folder of", &error))?;
        let (here, there) = (path.parent(), file.parent());
        for folder in here.into_iter().chain(there.filter(|_| here != there)) {
            let folder = File::open(folder);
            folder_synced(folder.and_then(|folder| folder.sync_all()), required)?;
        }
    }
    let _ = (path, required);
    Ok(())
}

/// Some file systems, network ones above all, sync no folders: they return that the call is
/// invalid.
#[cfg(unix)]
fn folder_synced(outcome: io::Result<()>, required: FolderSync) -> Result<(), JournalError> {
    use rustix::io::Errno;
    let Err(error) = outcome else { return Ok(()) };
    let cannot = [Errno::INVAL, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOSYS];
    let cannot = cannot.iter().any(|it| Some(it.raw_os_error()) == error.raw_os_error());
    match required {
        FolderSync::BestEffort if cannot => Ok(()),
        FolderSync::Required if cannot => {
            Err(JournalError::FolderNotSynced { message: error.to_string() })
        }
        _ => Err(JournalError::io("sync the folder of", &error)),
    }
}

pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, SHARE_READ);
    options
}

/// Others may read the file while it is open, but not write it. On Windows, opening locks.
#[cfg(windows)]
const SHARE_READ: u32 = 1;

pub(super) fn lock(file: File) -> Result<Locked, JournalError> {
    let locked = disk::lock(file).map_err(|error| JournalError::io("lock", &error))?;
    locked.ok_or(JournalError::Locked)
}

#[cfg(all(test, unix))]
mod tests {
    use std::io;

    use rustix::io::Errno;

    use super::{FolderSync, JournalError, folder_synced};

    #[test]
    fn a_file_system_that_syncs_no_folders_is_named_and_accepted_only_on_request() {
        for errno in [Errno::INVAL, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOSYS] {
            let cannot = || Err(io::Error::from(errno));
            let error = folder_synced(cannot(), FolderSync::Required).unwrap_err();
            assert!(matches!(error, JournalError::FolderNotSynced { .. }), "{error:?}");
            assert!(error.to_string().contains("file system"), "{error}");
            assert_eq!(folder_synced(cannot(), FolderSync::BestEffort), Ok(()));
        }
        // A failure for another reason is an error, whatever was asked for.
        for errno in [Errno::IO, Errno::NOSPC, Errno::ACCESS, Errno::NOENT] {
            for required in [FolderSync::Required, FolderSync::BestEffort] {
                let failed = folder_synced(Err(io::Error::from(errno)), required);
                assert!(matches!(failed, Err(JournalError::Io { .. })), "{failed:?}");
            }
        }
        assert_eq!(folder_synced(Ok(()), FolderSync::Required), Ok(()));
    }
}
