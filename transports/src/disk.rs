//! Locks on files, and which file a path names. Files that several processes share are built on
//! this.
//!
//! Owns the system's lock and the wait for it. Does not know what a file holds, or which errors its
//! user reports.

use std::fs::{self, File};
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// A file that this process has locked.
///
/// Dropping it unlocks it explicitly: closing alone would not be enough. A child process that
/// another thread is starting has a copy of the descriptor until it executes its program.
#[derive(Debug)]
pub(crate) struct Locked(File);

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        #[cfg(unix)]
        let _ = rustix::fs::flock(&self.0, rustix::fs::FlockOperation::Unlock);
    }
}

/// Locks a file, without waiting; `None` if it is locked already. On Windows, opening has locked it.
#[cfg(unix)]
pub(crate) fn lock(file: File) -> io::Result<Option<Locked>> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Locked(file))),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
pub(crate) fn lock(file: File) -> io::Result<Option<Locked>> {
    Ok(Some(Locked(file)))
}

/// The result of one attempt to lock.
pub(crate) enum Attempt<T> {
    Got(T),
    /// Another has the lock: the next attempt follows after a pause.
    Busy,
    /// Another file is in its place: the next attempt follows at once.
    Again,
}

/// Repeats an attempt for at most this long; `None` if the lock was busy all the time.
pub(crate) fn patiently<T, E>(
    wait: Duration,
    mut attempt: impl FnMut() -> Result<Attempt<T>, E>,
) -> Result<Option<T>, E> {
    let until = Instant::now().checked_add(wait);
    let mut pause = Duration::from_millis(1);
    loop {
        match attempt()? {
            Attempt::Got(it) => return Ok(Some(it)),
            Attempt::Again => continue,
            Attempt::Busy => {}
        }
        let left = until.map_or(Duration::MAX, |it| it.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Ok(None);
        }
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Returns whether the path still names this file.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let here = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok(identity(&here) == identity(&there)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns the numbers of the device and of the file on it, by which the system knows a file.
#[cfg(unix)]
pub(crate) fn identity(metadata: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

/// On other systems, an open file cannot be replaced or removed.
#[cfg(not(unix))]
pub(crate) fn identity(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// Windows' error for a file that another has opened and does not share.
pub(crate) fn is_sharing_violation(error: &io::Error) -> bool {
    cfg!(windows) && error.raw_os_error() == Some(32)
}

/// The longest sleep between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
