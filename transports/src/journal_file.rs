//! A journal of calls that move money, in a file that only this process may write.
//!
//! Owns the file: its lock, its mode, when it is durable. What its bytes mean is in [`lines`]; what
//! becomes of a call, in [`book`]. It holds no secret: neither a token nor a request's body.

mod book;
mod error;
mod lines;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imts_core::journal::{Entry, Journal};
use imts_core::{Ending, Source};

pub use self::book::{Book, CallRecord, CallState};
pub use self::error::JournalError;
use self::lines::HEADER;
use crate::clock::{Clock, SystemClock};

/// A journal in a file: append-only, a length and a checksum before each record, mode 0600.
///
/// A record is durable, file and directory entry, before a request leaves. One process at a time
/// has it open; others may [read](JournalFile::read) it meanwhile.
///
/// ```
/// use imts::JournalFile;
/// use imts::journal::{Digest, Entry, Intent, Journal};
/// # let folder = std::env::temp_dir().join(format!("imts-doctest-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("journal");
///
/// let mut journal = JournalFile::open(&path)?; // give it to Builder::journal
/// # let intent = Intent {
/// #     operation: "confirm".to_owned(),
/// #     reference: Some("17".to_owned()),
/// #     digest: Digest(1),
/// #     at: imts::Wall::from_unix_micros(0),
/// # };
/// # let id = journal.record(&Entry::Intent(intent)).unwrap();
/// # journal.record(&Entry::Sending { id, at: imts::Wall::from_unix_micros(1) }).unwrap();
/// for call in journal.book().in_doubt() {
///     println!("ask the service about {} {:?}", call.operation, call.reference);
/// }
/// # assert_eq!(journal.book().in_doubt().count(), 1);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    file: File,
    /// Where the last whole record ends.
    end: u64,
    book: Book,
    /// Whether a write failed in a way that the file cannot be trusted to hold.
    broken: bool,
}

impl JournalFile {
    /// Opens a journal, or begins one.
    ///
    /// A record that was cut off at the file's end, as by a crash in mid-write, was never acted
    /// upon: it is taken off.
    ///
    /// # Errors
    ///
    /// [`JournalError::Locked`], where another process has it open; [`JournalError::NotAJournal`],
    /// where the file is something else, which is left as it is; [`JournalError::Damaged`], where a
    /// record in its midst is no longer what was written; [`JournalError::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path = path.as_ref().to_owned();
        let io = |action| move |error| JournalError::io(action, &error);
        refuse_devices(&path)?;
        let mut file = options().open(&path).map_err(|error| JournalError::opening(&error))?;
        lock(&file)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io("read"))?;
        let (book, whole) = Book::read(&bytes)?;
        restrict(&file).map_err(io("restrict"))?;
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(io("cut"))?;
        }
        file.seek(SeekFrom::Start(whole as u64)).map_err(io("seek"))?;
        let mut end = whole;
        if whole == 0 {
            file.write_all(HEADER).map_err(io("write"))?;
            end = HEADER.len();
        }
        file.sync_all().map_err(io("sync"))?;
        if end == HEADER.len() {
            sync_folder(&path).map_err(io("sync the folder of"))?;
        }
        let end = end as u64;
        Ok(Self { path, file, end, book, broken: false })
    }

    /// What a journal holds, without opening it for writing.
    ///
    /// # Errors
    ///
    /// [`JournalError::NotAJournal`], [`JournalError::Damaged`], [`JournalError::Io`].
    pub fn read(path: impl AsRef<Path>) -> Result<Book, JournalError> {
        refuse_devices(path.as_ref())?;
        let bytes = fs::read(path.as_ref()).map_err(|error| JournalError::opening(&error))?;
        Ok(Book::read(&bytes)?.0)
    }

    /// What the journal holds.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down what was found out of a call in doubt: that it was done, or that it was not.
    ///
    /// # Errors
    ///
    /// [`JournalError::NoSuchCall`], [`JournalError::NotInDoubt`]; [`JournalError::Ending`], where
    /// `ending` is neither [`Ending::Done`] nor [`Ending::Refused`]; [`JournalError::Io`].
    pub fn resolve(&mut self, id: u64, ending: Ending) -> Result<(), JournalError> {
        if !matches!(ending, Ending::Done | Ending::Refused) {
            return Err(JournalError::Ending);
        }
        let call = self.book.call(id).ok_or(JournalError::NoSuchCall { id })?;
        if !call.is_in_doubt() {
            return Err(JournalError::NotInDoubt { id });
        }
        self.write(id, &Entry::Ended { id, at: SystemClock.now().wall, ending })
    }

    /// Appends a record, and comes back once it is durable.
    fn write(&mut self, id: u64, entry: &Entry) -> Result<(), JournalError> {
        if self.broken {
            return Err(JournalError::Broken);
        }
        if !self.book.takes(id, entry) {
            // What cannot be read back would make the whole file unreadable.
            return Err(match self.book.call(id) {
                Some(_) => JournalError::NotInDoubt { id },
                None => JournalError::NoSuchCall { id },
            });
        }
        let line = lines::write(id, entry).ok_or(JournalError::TooLong)?;
        if let Err(error) = self.file.write_all(&line) {
            let cut = self.file.set_len(self.end).and_then(|()| self.file.sync_data());
            let back = self.file.seek(SeekFrom::Start(self.end));
            self.broken = cut.is_err() || back.is_err();
            return Err(JournalError::io("write", &error));
        }
        if let Err(error) = self.file.sync_data() {
            // What is durable now is not known, and a second try would not tell.
            self.broken = true;
            return Err(JournalError::io("sync", &error));
        }
        self.end += line.len() as u64;
        self.book.apply(id, entry);
        Ok(())
    }
}

impl Journal for JournalFile {
    fn record(&mut self, entry: &Entry) -> Result<u64, Source> {
        let id = match entry {
            Entry::Intent(_) => self.book.next_id(),
            Entry::Sending { id, .. } | Entry::Ended { id, .. } => *id,
        };
        self.write(id, entry).map(|()| id).map_err(|error| Arc::new(error) as Source)
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, SHARE_READ);
    options
}

/// Others may read the file while it is open, and not write it: on Windows, opening locks.
#[cfg(windows)]
const SHARE_READ: u32 = 1;

#[cfg(unix)]
fn lock(file: &File) -> Result<(), JournalError> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(()),
        Err(Errno::WOULDBLOCK) => Err(JournalError::Locked),
        Err(error) => Err(JournalError::io("lock", &error.into())),
    }
}

#[cfg(not(unix))]
fn lock(_: &File) -> Result<(), JournalError> {
    Ok(())
}

/// A device or a pipe may have no end, and is not to be read, let alone made this user's own.
fn refuse_devices(path: &Path) -> Result<(), JournalError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() && !found.is_dir() => Err(JournalError::NotAJournal),
        _ => Ok(()),
    }
}

/// Takes the file from other users, should it have been theirs to read.
fn restrict(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let _ = file;
    Ok(())
}

/// Makes the file's entry in its folder durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    let _ = path;
    Ok(())
}
