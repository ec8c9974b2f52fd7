//! Owns how a journal is opened.

use std::io::{Seek, SeekFrom, Write};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::append::Appender;
use super::beside;
use super::compact::{self, Compacted, OnCompaction, Settings};
use super::disk::{self, FileId, FolderSync};
use super::error::JournalError;
use super::lines::{self, HEADER, Record};
use super::pages::Pages;
use super::writer::Writer;
use super::{JournalFile, Lost};
use crate::clock::{Clock, SystemClock};

/// Options for opening a journal.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct JournalOptions {
    wait: Duration,
    folder_sync: FolderSync,
    accepted: Option<(String, Option<String>)>,
    settings: Settings,
}

impl JournalOptions {
    /// Sets how long to wait while another process has the journal open. Default: no wait.
    pub fn wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// Sets what to do if the file system cannot make a folder's entries durable. Default: refuse.
    pub fn folder_sync(self, folder_sync: FolderSync) -> Self {
        Self { folder_sync, ..self }
    }

    /// Accepts a copy of a journal, such as a restored backup, as the journal from now on. `reason`
    /// says why, and `by` names the person who accepted it, if known.
    ///
    /// After this, every call in it that has no end is in doubt. This journal does not know a call
    /// that the original permitted after the copy was made. Ask the service before you send
    /// anything that may have been sent since.
    pub fn accept(self, reason: &str, by: Option<&str>) -> Self {
        Self { accepted: Some((reason.to_owned(), by.map(str::to_owned))), ..self }
    }

    /// Sets the length, in bytes, from which the journal compacts itself; `None`: never. Default:
    /// [`COMPACT_FROM`](Self::COMPACT_FROM).
    ///
    /// Compaction must at least halve the file. If it cannot, nothing is done until the journal has
    /// grown again. The journal's own thread does it, between two records. What callers record
    /// meanwhile waits for it: some 0.1 s for 16 MiB.
    pub fn compact_from(mut self, bytes: Option<u64>) -> Self {
        self.settings.compact_from = bytes;
        self
    }

    /// Sets for how many days a call that was done is remembered at least. Default: for ever.
    ///
    /// **An intent that was done longer ago may be sent again**: a compaction forgets it, and from
    /// the next opening on, the journal permits it again. So choose more days than the longest time
    /// after which a caller may retry. A call in doubt, or one that was resolved, is never
    /// forgotten. Days are counted by the recorded times; if the clock was set back meanwhile, more
    /// is kept.
    pub fn keep_done(mut self, days: NonZeroU32) -> Self {
        self.settings.keep_done = Some(days);
        self
    }

    /// Sets a function that receives the result of each compaction that the journal began by
    /// itself. Calls continue, whatever the result. The function runs on the journal's own thread,
    /// and must not wait for the journal's user.
    pub fn on_compaction(
        mut self,
        listener: impl Fn(&Result<Compacted, JournalError>) + Send + Sync + 'static,
    ) -> Self {
        self.settings.on_compaction = Some(OnCompaction(Arc::new(listener)));
        self
    }

    /// The length in bytes from which a journal compacts itself: 16 MiB, some 50,000 calls.
    pub const COMPACT_FROM: u64 = compact::FROM;

    /// Opens a journal, or creates one.
    ///
    /// If a crash in mid-write cut off the record at the file's end, no one acted upon that record.
    /// It is removed.
    ///
    /// # Errors
    ///
    /// - [`JournalError::Locked`] if another process has it open for the whole wait;
    /// - [`JournalError::NotAJournal`] if the file is something else; that file is not changed;
    /// - [`JournalError::Damaged`] if a record before the end is no longer what was written;
    /// - [`JournalError::Copied`] if the file is a copy of another journal;
    /// - [`JournalError::FolderNotSynced`];
    /// - [`JournalError::Io`].
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
        beside::clear(&path);
        if pages.end < file.metadata().map_err(io("look at"))?.len() {
            file.set_len(pages.end).map_err(io("cut"))?;
        }
        if pages.end == 0 || pages.is_earlier {
            // A crash between the two writes leaves a header that is cut off, or that has one byte
            // changed.
            file.seek(SeekFrom::Start(0)).map_err(io("seek"))?;
            file.write_all(HEADER).map_err(io("write"))?;
        }
        let end = pages.end.max(HEADER.len() as u64);
        file.seek(SeekFrom::Start(end)).map_err(io("seek"))?;
        file.sync_all().map_err(io("sync"))?;
        disk::sync_folder(&path, self.folder_sync)?;
        let Pages { mut book, last, file: known, first_own, compact, .. } = pages;
        let settings = self.settings.clone();
        let mut appender = Appender::new(path.clone(), file, end, last).compacting(
            settings,
            self.folder_sync,
            compact,
        );
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
        // A sender holds the lock of the file, and this process has that lock now. If the file is a
        // copy, the sender that has the original open may still be running.
        book.senders_are_gone(if is_copy { u64::MAX } else { first_own });
        let (writer, lost, settings) = (Writer::new(appender), Lost::default(), self.settings);
        Ok(JournalFile { path, writer, book, lost, settings })
    }
}
