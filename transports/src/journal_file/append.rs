//! Owns the end of the file: what is appended there, when it is durable, and the check that the
//! file is still the journal's own.

use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::beside::Beside;
use super::compact::{self, Compacted, JournalSize, Settings};
use super::disk::{self, FileId, FolderSync};
use super::error::JournalError;
use super::lines;
use super::pages::Pages;
use crate::clock::{Clock, SystemClock};
use crate::disk::Locked;

/// When a compaction is worth writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// Always.
    Any,
    /// If the file becomes at most half as long.
    Half,
}

/// Appends records to the file that the path names.
#[derive(Debug)]
pub(super) struct Appender {
    path: PathBuf,
    file: Locked,
    /// Where the last whole record ends.
    end: u64,
    /// The bytes of that record, or of the header.
    last: Vec<u8>,
    /// Whether all of it is durable.
    is_durable: bool,
    /// Whether it is durable that the path names this file.
    is_in_place: bool,
    folder_sync: FolderSync,
    settings: Settings,
    /// The length at which the file is compacted by itself, if ever.
    due: Option<u64>,
    /// Why the file cannot be trusted to hold what is written, if it cannot.
    broken: Option<JournalError>,
}

impl Appender {
    /// Creates an appender for a locked file. The last record has these bytes and ends here.
    pub(super) fn new(path: PathBuf, file: Locked, end: u64, last: Vec<u8>) -> Self {
        Self {
            path,
            file,
            end,
            last,
            is_durable: true,
            is_in_place: true,
            folder_sync: FolderSync::Required,
            settings: Settings::default(),
            due: None,
            broken: None,
        }
    }

    /// Adds the settings of compaction, for a file of which this many bytes are compact.
    pub(super) fn compacting(
        self,
        settings: Settings,
        folder_sync: FolderSync,
        compact: u64,
    ) -> Self {
        Self { due: settings.due(compact), settings, folder_sync, ..self }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns whether the file is so long that it should be compacted.
    pub(super) fn is_due(&self) -> bool {
        self.broken.is_none() && self.due.is_some_and(|due| self.end >= due)
    }

    /// Returns why nothing more is written, if so.
    pub(super) fn broken(&self) -> Option<&JournalError> {
        self.broken.as_ref()
    }

    /// Writes whole records, of which the last begins at this place. They are not durable yet.
    ///
    /// If this fails, the file is as it was, or it is [broken](Self::broken).
    pub(super) fn append(&mut self, mut records: Vec<u8>, last: usize) -> Result<(), JournalError> {
        self.check()?;
        self.prove()?;
        if self.is_durable {
            lines::follow_a_sync(&mut records);
        }
        if let Err(error) = self.file.write_all(&records) {
            let cut = self.file.set_len(self.end).and_then(|()| self.file.sync_data());
            let back = self.file.seek(SeekFrom::Start(self.end));
            if cut.is_err() || back.is_err() {
                self.broken = Some(JournalError::Broken);
            }
            return Err(JournalError::io("write", &error));
        }
        self.end += records.len() as u64;
        self.last = records.split_off(last.min(records.len()));
        self.is_durable = false;
        Ok(())
    }

    /// Returns once all that was appended is durable in the file that the path names.
    pub(super) fn sync(&mut self) -> Result<(), JournalError> {
        self.check()?;
        if let Err(error) = self.file.sync_data() {
            // What is durable now is not known, and a second try would not show it.
            self.broken = Some(JournalError::Broken);
            return Err(JournalError::io("sync", &error));
        }
        self.is_durable = true;
        if !self.is_in_place {
            self.settle().inspect_err(|_| self.broken = Some(JournalError::Broken))?;
        }
        // If the file was replaced meanwhile, the records are durable, but no one will find them.
        self.prove()
    }

    /// Replaces this file with one that holds what must be kept of it; `None` if that is not worth
    /// it.
    ///
    /// # Errors
    ///
    /// Fails as [`append`](Self::append) does, or with [`JournalError::NotCompacted`]. The file
    /// stays as it was, with one exception: if the folder could not be synced afterwards, the new
    /// file is in its place. That must then become durable before anything else does.
    pub(super) fn compact(&mut self, worth: Worth) -> Result<Option<Compacted>, JournalError> {
        self.check()?;
        self.prove()?;
        // If this fails, the next try is made when as much again can be gained.
        self.due = self.settings.due(self.end);
        self.file.seek(SeekFrom::Start(0)).map_err(|error| JournalError::io("seek", &error))?;
        let pages = Pages::of((&*self.file).take(self.end))?;
        let before = JournalSize { bytes: self.end, calls: pages.calls, hashes: pages.hashes };
        let (mut book, at) = (pages.book, SystemClock.now().wall);
        book.compact(self.settings.done_since(at));
        let book = (&book, pages.first_own);
        if worth == Worth::Half {
            let length = compact::length(book, Some(FileId::of(&self.file)?), at)?;
            if length.saturating_mul(2) > self.end {
                self.due = self.settings.due(length);
                return Ok(None);
            }
        }
        let beside = Beside::begin(&self.path, &self.file)?;
        let file = beside.file()?;
        let id = FileId::of(file)?;
        let written = compact::write(BufWriter::new(file), book, Some(id), at)?;
        file.sync_all().map_err(|error| JournalError::io("sync", &error))?;
        // If the folder cannot be synced, this shows before anything depends on it.
        disk::sync_folder(&self.path, self.folder_sync)?;
        self.prove()?;
        self.file = beside.take_place()?;
        (self.end, self.last, self.is_durable) = (written.size.bytes, written.last, true);
        self.due = self.settings.due(self.end);
        self.is_in_place = false;
        self.settle()?;
        Ok(Some(Compacted { before, after: written.size }))
    }

    /// Makes it durable that the path names this file.
    fn settle(&mut self) -> Result<(), JournalError> {
        disk::sync_folder(&self.path, self.folder_sync)?;
        self.is_in_place = true;
        Ok(())
    }

    fn check(&self) -> Result<(), JournalError> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// Proves that the path still names this file, and that the file ends as it was left. Otherwise
    /// the file is broken.
    fn prove(&mut self) -> Result<(), JournalError> {
        self.is_as_it_was_left().inspect_err(|why| self.broken = Some(why.clone()))
    }

    fn is_as_it_was_left(&mut self) -> Result<(), JournalError> {
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

#[cfg(test)]
mod tests {
    use std::fs;

    use imts_core::time::Wall;

    use super::super::disk::FileId;
    use super::super::lines::{self, HEADER, Record};
    use super::{Appender, disk};

    #[test]
    fn a_record_says_whether_all_before_it_was_durable() {
        let path = std::env::temp_dir().join(format!("imts-append-{}", std::process::id()));
        fs::write(&path, HEADER).unwrap();
        let mut file = disk::locked(&path, std::time::Duration::ZERO).unwrap();
        std::io::Seek::seek(&mut *file, std::io::SeekFrom::End(0)).unwrap();
        let mut appender = Appender::new(path.clone(), file, HEADER.len() as u64, HEADER.to_vec());
        let file = FileId { inode: None, born_ns: None };
        let record =
            || lines::write(&Record::File { at: Wall::from_unix_micros(0), file }).unwrap();
        // Two writes before a sync, the first of two records; and one write after it.
        let two = [record(), record()].concat();
        appender.append(two, record().len()).unwrap();
        appender.append(record(), 0).unwrap();
        appender.sync().unwrap();
        appender.append(record(), 0).unwrap();
        let written = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let marks: String =
            written.lines().skip(1).filter_map(|line| line.chars().nth(17)).collect();
        assert_eq!(marks, " ++ ");
    }
}
