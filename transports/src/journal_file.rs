//! A journal of calls in a file that only this process may write.
//!
//! Owns the file: which one it is, and when it is durable. What its bytes mean is in [`lines`], what
//! the file system is asked for in [`disk`]; which call it permits is the book's to say. It holds no
//! secret: neither a token nor a request's body.

mod disk;
mod error;
mod lines;

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use imts_core::Source;
use imts_core::journal::{Book, CallRecord, Entry, EntryError, Journal, RecordError, Resolution};

pub use self::disk::FolderSync;
use self::disk::{FileId, Locked};
pub use self::error::JournalError;
use self::lines::{HEADER, Pages, Record};
use crate::clock::{Clock, SystemClock};

/// A journal in a file: append-only, a length and a checksum before each record, mode 0600.
///
/// A record is durable, file and directory entry, before a request leaves. One process at a time
/// has it open; others may [read](JournalFile::read) it meanwhile. It trusts its path and not its
/// handle: once the path names another file, or another program has written to the file, nothing is
/// recorded any more, and so nothing is sent.
///
/// A copy of a journal is not the journal: the original may have permitted calls since. A copy is
/// known by its inode and its time of birth, and refused until it is [accepted](JournalOptions::accept).
/// What cannot be known is an older content that was written over the file in place while no process
/// had it open, and a whole disk or volume that was put back: accept such a journal too, before it is
/// used.
///
/// ```
/// use imts::JournalFile;
/// use imts::journal::{Digest, Entry, Intent, Journal, Scope};
/// # let folder = std::env::temp_dir().join(format!("imts-doctest-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("journal");
///
/// let mut journal = JournalFile::open(&path)?; // give it to Builder::journal
/// # let intent = Intent {
/// #     operation: "confirm".to_owned(),
/// #     scope: Some(Scope { url: "https://service.example/confirm".to_owned(), agent: "a".to_owned() }),
/// #     reference: Some("17".to_owned()),
/// #     digest: Digest(1),
/// #     meaning: Some(Digest(1)),
/// #     at: imts::Wall::from_unix_micros(0),
/// #     despite: None,
/// # };
/// # let id = journal.record(&Entry::Intent(intent)).unwrap();
/// # journal.record(&Entry::Sending { id, at: imts::Wall::from_unix_micros(1), until: None }).unwrap();
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
    file: Locked,
    /// Where the last whole record ends.
    end: u64,
    /// The bytes of that record, or of the header.
    last: Vec<u8>,
    book: Book,
    /// Why the file cannot be trusted to hold what is written, if it cannot.
    broken: Option<JournalError>,
}

/// How a journal is opened.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct JournalOptions {
    wait: Duration,
    folder_sync: FolderSync,
    accepted: Option<(String, Option<String>)>,
}

impl JournalOptions {
    /// How long to wait while another process has the journal open. Default: not at all.
    pub fn wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// What to do where the file system cannot make a folder's entries durable. Default: refuse.
    pub fn folder_sync(self, folder_sync: FolderSync) -> Self {
        Self { folder_sync, ..self }
    }

    /// Takes a copy of a journal, such as a restored backup, for the journal from here on, for this
    /// reason and by this person, as far as known.
    ///
    /// Every call in it that has no end is in doubt then. A call that the original permitted after
    /// the copy was made is not known here: ask the service before sending anything that may have
    /// been sent since.
    pub fn accept(self, reason: &str, by: Option<&str>) -> Self {
        Self { accepted: Some((reason.to_owned(), by.map(str::to_owned))), ..self }
    }

    /// Opens a journal, or begins one.
    ///
    /// A record that was cut off at the file's end, as by a crash in mid-write, was never acted
    /// upon: it is taken off.
    ///
    /// # Errors
    ///
    /// [`JournalError::Locked`], where another process has it open all the time;
    /// [`JournalError::NotAJournal`], where the file is something else, which is left as it is;
    /// [`JournalError::Damaged`], where a record in its midst is no longer what was written;
    /// [`JournalError::Copied`], where it is a copy of another journal;
    /// [`JournalError::FolderNotSynced`]; [`JournalError::Io`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<JournalFile, JournalError> {
        let path = disk::absolute(path.as_ref())?;
        let io = |action| move |error| JournalError::io(action, &error);
        let mut file = disk::locked(&path, self.wait)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io("read"))?;
        let pages = Pages::of(&bytes)?;
        let id = FileId::of(&file)?;
        let is_copy = pages.file.is_some_and(|file| file != id);
        if is_copy && self.accepted.is_none() {
            return Err(JournalError::Copied);
        }
        disk::restrict(&file).map_err(io("restrict"))?;
        if pages.end < bytes.len() {
            file.set_len(pages.end as u64).map_err(io("cut"))?;
        }
        if pages.end == 0 || pages.is_earlier {
            // A crash in between leaves a header that is cut, or one byte of it changed.
            file.seek(SeekFrom::Start(0)).map_err(io("seek"))?;
            file.write_all(HEADER).map_err(io("write"))?;
        }
        let end = pages.end.max(HEADER.len());
        file.seek(SeekFrom::Start(end as u64)).map_err(io("seek"))?;
        file.sync_all().map_err(io("sync"))?;
        disk::sync_folder(&path, self.folder_sync)?;
        let last = match bytes.get(pages.last..pages.end) {
            Some(last) if pages.last > 0 => last.to_vec(),
            _ => HEADER.to_vec(),
        };
        let (end, book, broken) = (end as u64, pages.book, None);
        let first_own = pages.first_own;
        let mut journal = JournalFile { path, file, end, last, book, broken };
        let at = SystemClock.now().wall;
        if let Some((reason, by)) = self.accepted {
            journal.append(&Record::Accepted { at, file: id, reason, by })?;
            journal.book.doubt_all();
        } else if pages.file.is_none() {
            journal.append(&Record::File { at, file: id })?;
        }
        // Whoever sends holds the file's lock, which is this process's now. Whoever held another
        // file, of which this is a copy, may be at work.
        journal.book.senders_are_gone(if is_copy { u64::MAX } else { first_own });
        Ok(journal)
    }
}

impl JournalFile {
    /// Opens a journal, or begins one, at once and with the defaults.
    ///
    /// # Errors
    ///
    /// As [`JournalOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        Self::options().open(path)
    }

    /// How to open a journal.
    pub fn options() -> JournalOptions {
        JournalOptions::default()
    }

    /// What a journal holds, without opening it for writing.
    ///
    /// # Errors
    ///
    /// [`JournalError::NotAJournal`], [`JournalError::Damaged`], [`JournalError::Io`].
    pub fn read(path: impl AsRef<Path>) -> Result<Book, JournalError> {
        disk::refuse_devices(path.as_ref())?;
        let bytes = fs::read(path.as_ref()).map_err(|error| JournalError::opening(&error))?;
        book_of(&bytes)
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
    /// Nobody waits for a sender that held this file before: it is gone, or the file could not have
    /// been opened.
    ///
    /// # Errors
    ///
    /// [`JournalError::NoSuchCall`], [`JournalError::NotInDoubt`], [`JournalError::UnderWay`], and as
    /// any write.
    pub fn resolve(&mut self, id: u64, resolution: Resolution) -> Result<(), JournalError> {
        let entry = Entry::Resolved { id, at: SystemClock.now().wall, resolution };
        let id = self.book.check(&entry).map_err(JournalError::from)?;
        self.write(id, entry)
    }

    fn write(&mut self, id: u64, entry: Entry) -> Result<(), JournalError> {
        let record = Record::Call(id, entry);
        self.append(&record)?;
        if let Record::Call(id, entry) = &record {
            self.book.apply(*id, entry);
        }
        Ok(())
    }

    /// Appends a record, and comes back once it is durable in the file that the path names.
    fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        let line = lines::write(record)?;
        self.prove().inspect_err(|why| self.broken = Some(why.clone()))?;
        if let Err(error) = self.file.write_all(&line) {
            let cut = self.file.set_len(self.end).and_then(|()| self.file.sync_data());
            let back = self.file.seek(SeekFrom::Start(self.end));
            if cut.is_err() || back.is_err() {
                self.broken = Some(JournalError::Broken);
            }
            return Err(JournalError::io("write", &error));
        }
        if let Err(error) = self.file.sync_data() {
            // What is durable now is not known, and a second try would not tell.
            self.broken = Some(JournalError::Broken);
            return Err(JournalError::io("sync", &error));
        }
        self.end += line.len() as u64;
        self.last = line;
        // What was replaced meanwhile is durable, and nobody will find it.
        self.prove().inspect_err(|why| self.broken = Some(why.clone()))
    }

    /// Whether the path still names this file, and the file ends as it was left.
    fn prove(&mut self) -> Result<(), JournalError> {
        if !disk::is_at(&self.file, &self.path)? {
            return Err(JournalError::Replaced);
        }
        let io = |action| move |error| JournalError::io(action, &error);
        let length = self.file.metadata().map_err(io("look at"))?.len();
        if length != self.end {
            return Err(JournalError::Changed);
        }
        let mut last = vec![0; self.last.len()];
        let start = self.end.saturating_sub(last.len() as u64);
        self.file.seek(SeekFrom::Start(start)).map_err(io("seek"))?;
        self.file.read_exact(&mut last).map_err(io("read"))?;
        if last != self.last { Err(JournalError::Changed) } else { Ok(()) }
    }
}

impl Journal for JournalFile {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        let id = self.book.check(entry)?;
        self.write(id, entry.clone()).map_err(|error| Arc::new(error) as Source)?;
        Ok(id)
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        Ok(self.book.in_doubt().cloned().collect())
    }
}

/// What a journal's bytes hold. What is cut off at their end is left out.
///
/// # Errors
///
/// [`JournalError::NotAJournal`]; [`JournalError::Damaged`], where a record is not what was written,
/// or could not have been.
pub fn book_of(bytes: &[u8]) -> Result<Book, JournalError> {
    Pages::of(bytes).map(|pages| pages.book)
}

impl From<EntryError> for JournalError {
    fn from(error: EntryError) -> Self {
        match error {
            EntryError::NoSuchCall { id } => Self::NoSuchCall { id },
            EntryError::Ended { id } => Self::NotInDoubt { id },
            EntryError::UnderWay { .. } => Self::UnderWay(error),
            error => Self::NotAdmitted(error),
        }
    }
}
