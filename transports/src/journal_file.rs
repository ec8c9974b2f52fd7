//! A journal of calls in a file that only this process may write.
//!
//! Owns the file: which one it is, and when it is durable. What its bytes mean is in [`lines`], what
//! the file system is asked for in [`disk`]; which call it permits is the book's to say. It holds no
//! secret: neither a token nor a request's body.

mod append;
mod disk;
mod error;
mod lines;
mod pages;
mod ticket;
mod writer;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use imts_core::journal::{
    Book, CallRecord, Entry, EntryError, Journal, RecordError, Resolution, Submitted,
};

use self::append::Appender;
use self::disk::FileId;
pub use self::disk::FolderSync;
pub use self::error::JournalError;
use self::lines::{HEADER, Record};
use self::pages::Pages;
use self::ticket::Ticket;
use self::writer::{Queue, Undo, When, Writer};
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
    writer: Writer,
    book: Book,
    lost: Lost,
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
        let pages = Pages::of(&mut *file)?;
        let id = FileId::of(&file)?;
        let is_copy = pages.file.is_some_and(|file| file != id);
        if is_copy && self.accepted.is_none() {
            return Err(JournalError::Copied);
        }
        disk::restrict(&file).map_err(io("restrict"))?;
        if pages.end < file.metadata().map_err(io("look at"))?.len() {
            file.set_len(pages.end).map_err(io("cut"))?;
        }
        if pages.end == 0 || pages.is_earlier {
            // A crash in between leaves a header that is cut, or one byte of it changed.
            file.seek(SeekFrom::Start(0)).map_err(io("seek"))?;
            file.write_all(HEADER).map_err(io("write"))?;
        }
        let end = pages.end.max(HEADER.len() as u64);
        file.seek(SeekFrom::Start(end)).map_err(io("seek"))?;
        file.sync_all().map_err(io("sync"))?;
        disk::sync_folder(&path, self.folder_sync)?;
        let Pages { mut book, last, file: known, first_own, .. } = pages;
        let mut appender = Appender::new(path.clone(), file, end, last);
        let mut append = |record: &Record| {
            appender.append(lines::write(record)?, 0).and_then(|()| appender.sync())
        };
        let at = SystemClock.now().wall;
        if let Some((reason, by)) = self.accepted {
            append(&Record::Accepted { at, file: id, reason, by })?;
            book.doubt_all();
        } else if known.is_none() {
            append(&Record::File { at, file: id })?;
        }
        // Whoever sends holds the file's lock, which is this process's now. Whoever held another
        // file, of which this is a copy, may be at work.
        book.senders_are_gone(if is_copy { u64::MAX } else { first_own });
        Ok(JournalFile { path, writer: Writer::new(appender), book, lost: Lost::default() })
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

    /// What a journal holds, without opening it for writing. Of calls that ended long ago, the book has
    /// what the guard must know.
    ///
    /// # Errors
    ///
    /// [`JournalError::NotAJournal`], [`JournalError::Damaged`], [`JournalError::Io`].
    pub fn read(path: impl AsRef<Path>) -> Result<Book, JournalError> {
        Self::read_into(path.as_ref(), Book::default())
    }

    /// The same, with all calls whole, which takes some 300 bytes of memory for each.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_all(path: impl AsRef<Path>) -> Result<Book, JournalError> {
        Self::read_into(path.as_ref(), Book::keeping(usize::MAX))
    }

    fn read_into(path: &Path, book: Book) -> Result<Book, JournalError> {
        disk::refuse_devices(path)?;
        let file = fs::File::open(path).map_err(|error| JournalError::opening(&error))?;
        Pages::into_book(file, book).map(|pages| pages.book)
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
        self.take_in(&entry, When::Now).and_then(|taken| self.durable(taken)).map(drop)?;
        Ok(())
    }

    /// Adds an entry to what is to be written. Of several callers each finds what those before it
    /// added.
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

    /// Comes back once an entry is durable. The caller's thread does the work.
    fn durable(&mut self, (id, ticket): (u64, Option<Ticket>)) -> Result<u64, NotTakenIn> {
        self.writer.flush();
        let outcome = ticket.map_or(Ok(()), crate::parked::wait);
        take_back(&mut self.book, &mut self.lost, &mut self.writer.queue());
        outcome.map(|()| id).map_err(NotTakenIn::from)
    }
}

/// Takes back what could not be written.
fn take_back(book: &mut Book, lost: &mut Lost, queue: &mut Queue) {
    for Undo { id, before, why } in queue.take_failed() {
        if before.is_none() {
            lost.0.extend(why.map(|why| (id, why)));
        }
        book.take_back(id, before);
    }
}

/// Intents that could not be written after they had been taken in, and why: their calls are told so
/// when they are about to be sent.
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

    /// A sending and a resolution are waited for until they are durable. An intent is durable with its
    /// sending. An end is waited for until it is written, so that it outlives the process; it is
    /// durable with whatever comes next, within 50 ms, or when the journal is closed. A power loss
    /// before that leaves the call in doubt.
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
