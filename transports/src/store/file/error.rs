//! Why the files of a store cannot be used.

use std::path::PathBuf;

use thiserror::Error;

/// Why a file of a store cannot be used. It is the source of a
/// [`StoreError`](crate::store::StoreError).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FileStoreError {
    /// The path names a link, which others could point elsewhere.
    #[error("{} is a symbolic link: name the file itself", path.display())]
    Link {
        /// The file.
        path: PathBuf,
    },
    /// The path names a folder, a device or a pipe.
    #[error("{} is not a regular file: name another path", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// Another user owns the file.
    #[error("{} belongs to another user: remove it, or name another path", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
    },
    /// The file's mode lets other users in.
    #[error("{} has mode {mode:04o}, and must have 0600: chmod 600", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Others could replace the files in the folder.
    #[error(
        "other users can replace files in {}: use a folder of this user, with mode 0700",
        path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// The system reported an error.
    #[error("cannot {action} {}: {reason}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's message.
        reason: String,
    },
}
