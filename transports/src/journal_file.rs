//! A journal of calls in a file that only this process may write.
//!
//! Owns the file: which file it is, and when it is durable. `lines` defines what the bytes mean,
//! and `disk` calls the file system. The book decides which calls it permits. The file holds no
//! secret: neither a token nor the body of a request.

mod append;
mod beside;
mod blocks;
mod compact;
mod disk;
mod error;
mod lines;
mod options;
mod pages;
mod ticket;
mod writer;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use imts_core::journal::{
    Book, CallRecord, Entry, EntryError, Journal, RecordError, Resolution, Submitted,
};
use imts_core::time::Wall;

use self::append::Worth;
use self::compact::Settings;
pub use self::compact::{Compacted, JournalSize};
pub use self::disk::FolderSync;
pub use self::error::JournalError;
use self::lines::Record;
pub use self::options::JournalOptions;
use self::pages::Pages;
use self::ticket::Ticket;
use self::writer::{Queue, Undo, When, Writer};
use crate::clock::{Clock, SystemClock};

/// A journal in a file: append-only, mode 0600, with a length and a checksum before each record.
///
/// [Compacting](JournalFile::compact) the journal removes the calls that have ended. A journal that
/// has become [long](JournalOptions::compact_from) compacts itself. For a call that was done, it
/// then keeps a hash, so that the guard answers as before. A call that is in doubt, has no end, or
/// was resolved stays as it is.
///
/// A record is durable, in the file and in its directory entry, before a request is sent. Only one
/// process at a time can have the journal open; others may [read](JournalFile::read) it meanwhile.
/// The journal trusts its path and not its handle. If the path names another file, or another
/// program has written to the file, the journal records nothing more, and so nothing is sent.
///
/// A copy of a journal is not the journal: the original may have permitted calls since. The journal
/// recognizes a copy by its inode and its time of birth, and refuses it until it is
/// [accepted](JournalOptions::accept). It cannot recognize two cases. One is older content that was
/// written over the file in place while no process had it open. The other is a whole disk or volume
/// that was restored. Accept such a journal too, before you use it.
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
/// #     at: imts::time::Wall::from_unix_micros(0),
/// #     despite: None,
/// # };
/// # let id = journal.record(&Entry::Intent(intent)).unwrap();
/// # journal.record(&Entry::Sending { id, at: imts::time::Wall::from_unix_micros(1), until: None }).unwrap();
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
    writer: Writer,
    book: Book,
    lost: Lost,
    settings: Settings,
}

impl JournalFile {
    /// Opens a journal, or creates one, without waiting and with the defaults.
    ///
    /// # Errors
    ///
    /// Fails as [`JournalOptions::open`] does.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        Self::options().open(path)
    }

    /// Returns the options for opening a journal, with their defaults.
    pub fn options() -> JournalOptions {
        JournalOptions::default()
    }

    /// Reads a journal without opening it for writing. For calls that ended long ago, the book
    /// holds only what the guard must know.
    ///
    /// # Errors
    ///
    /// Returns [`JournalError::NotAJournal`], [`JournalError::Damaged`] or [`JournalError::Io`].
    pub fn read(path: impl AsRef<Path>) -> Result<Book, JournalError> {
        Self::read_into(path.as_ref(), Book::default())
    }

    /// Reads as [`read`](Self::read) does, and keeps all calls whole. This takes some 300 bytes of
    /// memory for each call.
    ///
    /// # Errors
    ///
    /// Fails as [`read`](Self::read) does.
    pub fn read_all(path: impl AsRef<Path>) -> Result<Book, JournalError> {
        Self::read_into(path.as_ref(), Book::keeping(usize::MAX))
    }

    fn read_into(path: &Path, book: Book) -> Result<Book, JournalError> {
        disk::refuse_devices(path)?;
        let file = fs::File::open(path).map_err(|error| JournalError::opening(&error))?;
        Pages::into_book(file, book).map(|pages| pages.book)
    }

    /// Returns the contents of the journal.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records the resolution of a call in doubt: that it was done, or that it was not.
    ///
    /// This does not wait for a sender that had this file open before. That sender is gone, or the
    /// file could not have been opened.
    ///
    /// # Errors
    ///
    /// Returns [`JournalError::NoSuchCall`], [`JournalError::NotInDoubt`] or
    /// [`JournalError::UnderWay`], or an error that any write may return.
    pub fn resolve(&mut self, id: u64, resolution: Resolution) -> Result<(), JournalError> {
        let entry = Entry::Resolved { id, at: SystemClock.now().wall, resolution };
        self.take_in(&entry, When::Now).and_then(|taken| self.durable(taken)).map(drop)?;
        Ok(())
    }

    /// Removes from the file the calls that have ended. For a call that was done, it keeps a hash.
    /// A new file replaces the old one, in a format that earlier versions refuse. Works on Unix
    /// only.
    ///
    /// The calling thread does the work: some seconds for millions of calls.
    ///
    /// # Errors
    ///
    /// Returns [`JournalError::NotCompacted`], or an error that any write may return. The journal
    /// is then unchanged, and can still be used.
    pub fn compact(&mut self) -> Result<Compacted, JournalError> {
        self.writer.flush();
        take_back(&mut self.book, &mut self.lost, &mut self.writer.queue());
        let compacted = self.writer.compact(Worth::Any)?.ok_or(JournalError::Broken)?;
        self.book.compact(self.settings.done_since(SystemClock.now().wall));
        Ok(compacted)
    }

    /// Adds an entry to the queue of records to write. If there are several callers, each one sees
    /// what the callers before it added.
    fn take_in(&mut self, entry: &Entry, when: When) -> Result<(u64, Option<Ticket>), NotTakenIn> {
        let mut queue = self.writer.queue();
        take_back(&mut self.book, &mut self.lost, &mut queue);
        if let Some(why) = self.lost.of(entry) {
            return Err(why.into());
        }
        let id = self.book.check(entry)?;
        if let Some(why) = queue.broken() {
            return Err(why.clone().into());
        }
        let record = lines::write(&Record::Call(id, entry.clone()))?;
        let before = self.book.call(id).cloned();
        self.book.apply(id, entry);
        Ok((id, self.writer.add(queue, &record, Undo { id, before, why: None }, when)))
    }

    /// Returns when an entry is durable. The calling thread does the work.
    fn durable(&mut self, (id, ticket): (u64, Option<Ticket>)) -> Result<u64, NotTakenIn> {
        self.writer.flush();
        let outcome = ticket.map_or(Ok(()), |ticket| crate::sync::wait(pin!(ticket)));
        take_back(&mut self.book, &mut self.lost, &mut self.writer.queue());
        outcome.map(|()| id).map_err(NotTakenIn::from)
    }
}

/// Removes from the book what could not be written.
fn take_back(book: &mut Book, lost: &mut Lost, queue: &mut Queue) {
    for Undo { id, before, why } in queue.take_failed() {
        if before.is_none() {
            lost.0.extend(why.map(|why| (id, why)));
        }
        book.take_back(id, before);
    }
}

/// Intents that were taken in but could not be written, each with the reason. Their calls get this
/// error when they are about to be sent.
#[derive(Debug, Default)]
struct Lost(BTreeMap<u64, JournalError>);

impl Lost {
    fn of(&mut self, entry: &Entry) -> Option<JournalError> {
        match entry {
            Entry::Intent(_) => None,
            Entry::Sending { id, .. } | Entry::Resolved { id, .. } => self.0.get(id).cloned(),
            Entry::Ended { id, .. } => self.0.remove(id),
        }
    }
}

/// Why an entry was not taken in.
enum NotTakenIn {
    Entry(EntryError),
    Journal(JournalError),
}

impl From<EntryError> for NotTakenIn {
    fn from(error: EntryError) -> Self {
        Self::Entry(error)
    }
}

impl From<JournalError> for NotTakenIn {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<NotTakenIn> for RecordError {
    fn from(error: NotTakenIn) -> Self {
        match error {
            NotTakenIn::Entry(error) => error.into(),
            NotTakenIn::Journal(error) => Self::Failed(Arc::new(error)),
        }
    }
}

impl From<NotTakenIn> for JournalError {
    fn from(error: NotTakenIn) -> Self {
        match error {
            NotTakenIn::Entry(error) => error.into(),
            NotTakenIn::Journal(error) => error,
        }
    }
}

impl Journal for JournalFile {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        let taken = self.take_in(entry, When::Now)?;
        Ok(self.durable(taken)?)
    }

    /// Waits for a sending and for a resolution until they are durable. An intent becomes durable
    /// with its sending. An end is waited for until it is written, so that it outlives the process.
    /// It becomes durable with the next durable record, within 50 ms, or when the journal is
    /// closed. A power loss before that leaves the call in doubt.
    fn submit(&mut self, entry: &Entry) -> Result<Submitted, RecordError> {
        self.writer.begin();
        let when = match entry {
            Entry::Intent(_) => When::Later,
            Entry::Ended { .. } => When::Soon,
            Entry::Sending { .. } | Entry::Resolved { .. } => When::Now,
        };
        let (id, ticket) = self.take_in(entry, when)?;
        Ok(match ticket {
            Some(ticket) => Submitted::later(id, ticket.into_durable()),
            None => Submitted::durable(id),
        })
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        Ok(self.book.in_doubt().cloned().collect())
    }
}

/// Reads a book from a journal's bytes. A record that is cut off at the end is left out.
///
/// # Errors
///
/// Returns [`JournalError::NotAJournal`], or [`JournalError::Damaged`] if a record is not what was
/// written, or could not have been written.
pub fn book_of(bytes: &[u8]) -> Result<Book, JournalError> {
    Pages::of(bytes).map(|pages| pages.book)
}

/// Returns the bytes of a compact journal with the contents of this book, except for the calls that
/// ended. `at` is the time of the compaction. The bytes do not say which file they belong to: the
/// first opening of the file binds the journal to it.
///
/// # Errors
///
/// Returns [`JournalError::TooLong`] if a record would be too long.
pub fn bytes_of(book: &Book, at: Wall) -> Result<Vec<u8>, JournalError> {
    let (mut book, mut bytes) = (book.clone(), Vec::new());
    book.compact(None);
    compact::write(&mut bytes, (&book, 0), None, at)?;
    Ok(bytes)
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
