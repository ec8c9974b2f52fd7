//! A store in a file, for the processes of one machine.
//!
//! Owns the order in which a swap locks, reads, writes and makes durable, and who is alive. `form`
//! defines what the bytes mean, and `lock` which files are refused. The rule of a swap is the
//! core's.

mod error;
mod form;
mod lock;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use imts_core::swap::{Lease, Register, StoreTime, Swap, Swapped};
use zeroize::Zeroizing;

pub use self::error::FileStoreError;
use self::form::{Ending, FormError, Incarnation, LONGEST, Record};
pub(crate) use self::lock::{Files, OnNetwork, cannot};
use super::raw::{RawFound, RawStore, RawSwapped};
use super::{Store, StoreError, entry};
use crate::clock::{Clock, SystemClock};
use crate::disk::{self, Locked};

/// Keeps the session of one agent in a file, for all processes of one machine that share it.
///
/// Each agent needs a file of its own. Beside it stand `PATH.lock` and `PATH.alive`, which are
/// empty and are never removed. All of them have mode 0600.
///
/// What it promises: of two processes that replace the same state, one does. A state that was put
/// survives a crash of the process and of the machine. A crashed process holds nobody up: the system
/// drops its lock, and the next process notices it at once. If a folder was copied with its files,
/// the copy counts as another store that may have lost writes.
///
/// What it does not promise: an old file that was put back in its place is not noticed. A network
/// file system may not lock, so it is refused: on Linux, NFS, SMB, FUSE and the like are
/// recognized. On Windows, modes and owners are not checked.
///
/// A damaged file is kept once, as `PATH.damaged`, and counts as empty: the next session signs in.
///
/// ```
/// use imts::store::file::FileStore;
/// # let folder = std::env::temp_dir().join(format!("imts-file-store-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # #[cfg(unix)]
/// # std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
///
/// let store = FileStore::open(folder.join("session"))?; // give it to Builder::store
/// # assert_eq!(store.path(), folder.join("session"));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileStore {
    files: Files,
    /// Locks that show that holders in this process live.
    alive: Mutex<BTreeMap<u64, Locked>>,
}

/// Options for opening a file store.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct FileStoreOptions {
    on_network: bool,
}

impl FileStoreOptions {
    /// Accepts a file on a network file system. Use it only if you know that `flock` works there
    /// for all machines that share the file.
    pub fn on_network_file_system(self) -> Self {
        Self { on_network: true }
    }

    /// Opens the store, as [`FileStore::open`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`FileStore::open`] does.
    pub fn open(self, path: impl AsRef<Path>) -> Result<FileStore, StoreError> {
        let path = path.as_ref();
        let absolute = std::path::absolute(path).map_err(|error| cannot("open", path, &error))?;
        let on_network = if self.on_network { OnNetwork::Accepted } else { OnNetwork::Refused };
        let files = Files::new(absolute, on_network);
        drop(files.lock(OPENING)?);
        drop(files.register()?);
        Ok(FileStore { files, alive: Mutex::default() })
    }
}

/// How long opening waits for a swap of another process.
const OPENING: Duration = Duration::from_secs(2);

impl FileStore {
    /// Opens the store of one agent, and creates what is missing beside it. The folder must exist.
    ///
    /// # Errors
    ///
    /// - [`StoreError::Permissions`] if others could read or change the file: a link, another
    ///   owner, a mode other than 0600, or a folder that others can write;
    /// - [`StoreError::NetworkFileSystem`];
    /// - [`StoreError::TimedOut`] if another process keeps it locked for two seconds;
    /// - [`StoreError::Unreachable`] for what the system reports. The source is a
    ///   [`FileStoreError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::options().open(path)
    }

    /// Returns the options for opening a store, with their defaults.
    pub fn options() -> FileStoreOptions {
        FileStoreOptions::default()
    }

    /// Returns the absolute path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.files.path
    }

    fn alive(&self) -> MutexGuard<'_, BTreeMap<u64, Locked>> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the register; `None` if nothing is there.
    fn record(&self) -> Result<Option<Record>, StoreError> {
        let Some(file) = self.files.register()? else { return Ok(None) };
        let failed = |error| cannot("read", &self.files.path, &error);
        // Reserved at once: a vector that grows leaves copies of the tokens behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 2));
        file.take(LONGEST as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        match Record::of(&bytes) {
            Ok(record) => Ok(Some(record)),
            Err(FormError::Newer(version)) => Err(StoreError::Newer { version }),
            Err(FormError::Damaged) => self.keep_aside().map(|()| None),
        }
    }

    /// Keeps the first damaged register, so that someone can look into it.
    fn keep_aside(&self) -> Result<(), StoreError> {
        let aside = self.files.damaged();
        match fs::hard_link(&self.files.path, &aside) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
            Err(error) => return Err(cannot("keep", &aside, &error)),
        }
        fs::remove_file(&self.files.path)
            .map_err(|error| cannot("remove", &self.files.path, &error))
    }

    /// Makes a record durable in the place of the register.
    fn write(&self, holder: u64, record: &Record) -> Result<(), StoreError> {
        let (mut file, beside) = self.files.beside(holder)?;
        let written = file.write_all(&record.to_bytes()).and_then(|()| file.sync_data());
        // On Windows, an open file cannot be renamed.
        drop(file);
        let placed = written.and_then(|()| fs::rename(&beside, &self.files.path));
        if let Err(error) = placed {
            let _ = fs::remove_file(&beside);
            return Err(cannot("write", &self.files.path, &error));
        }
        sync_folder(&self.files.path)
    }
}

impl RawStore for FileStore {
    fn swap_raw(&self, swap: &Swap, state: Option<&[u8]>) -> Result<RawSwapped, StoreError> {
        let lock = self.files.lock(swap.within())?;
        let failed = |error| cannot("look at", &self.files.path, &error);
        let incarnation = disk::identity(&lock.metadata().map_err(failed)?);
        let incarnation = incarnation.map_or(Incarnation::default(), |(a, b)| Incarnation(a, b));
        let entry = entry::name(swap);
        let record = self.record()?;
        if record.as_ref().is_some_and(|record| record.entry != entry) {
            return Err(StoreError::Foreign);
        }
        let now = StoreTime::from_micros(SystemClock.now().wall.unix_micros());
        let mut register = record.as_ref().map(register).unwrap_or_default();
        let mut alive = None;
        if let Some((lease, ending)) = record.as_ref().and_then(|record| record.lease) {
            let is_others = lease.holder != swap.holder();
            if is_others && ending == Ending::Death {
                alive = self.files.alive()?;
            }
            // A lease of the future says that the clock was set back.
            let is_of_future = now.after(lease.length) < lease.until;
            if alive.is_some() || is_of_future {
                register.lease = None;
            }
        }
        let before = register.stamp;
        let has_moved = record.as_ref().is_some_and(|record| record.incarnation != incarnation);
        let swapped = register.swap(swap, now, has_moved);
        let Swapped::Other(found) = swapped else {
            let Swapped::Done { moved, at } = swapped else { return Err(StoreError::Damaged) };
            if register.stamp != before {
                let body = Zeroizing::new(state.unwrap_or_default().to_vec());
                let (made_us, is_moved) = (register.made_at.as_micros(), register.moved);
                let stamp = register.stamp;
                let lease = None;
                let record = Record { stamp, made_us, is_moved, lease, incarnation, entry, body };
                self.put(swap, register.lease, alive, record)?;
            }
            return Ok(RawSwapped::Done { moved, at });
        };
        Ok(RawSwapped::Other(RawFound {
            stamp: found.stamp(),
            state: record.map(|record| record.body),
            age: found.age(),
            held: found.held(),
            moved: found.is_moved(),
            at: now,
        }))
    }
}

impl FileStore {
    /// Writes what a swap has put, with its lease, and shows or hides that the holder lives.
    fn put(
        &self,
        swap: &Swap,
        lease: Option<Lease>,
        found: Option<Locked>,
        record: Record,
    ) -> Result<(), StoreError> {
        let own = self.alive().remove(&swap.holder());
        let lives = match &lease {
            Some(lease) if !lease.resting => match own.or(found) {
                Some(lock) => Some(lock),
                None => self.files.alive()?,
            },
            // What was locked is unlocked only once the hand-over is in the file.
            _ => None,
        };
        let ending = if lives.is_some() { Ending::Death } else { Ending::Time };
        let record = Record { lease: lease.map(|lease| (lease, ending)), ..record };
        self.write(swap.holder(), &record)?;
        if let Some(lives) = lives {
            self.alive().insert(swap.holder(), lives);
        }
        Ok(())
    }
}

fn register(record: &Record) -> Register {
    Register {
        stamp: record.stamp,
        state: None,
        made_at: StoreTime::from_micros(record.made_us),
        moved: record.is_moved,
        lease: record.lease.map(|(lease, _)| lease),
    }
}

impl Store for FileStore {
    fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        self.swap_in_clear(swap)
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("path", &self.files.path).finish_non_exhaustive()
    }
}

/// Makes it durable that the path names the new file.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(path);
    let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| cannot("sync the folder of", path, &error))
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> Result<(), StoreError> {
    Ok(())
}
