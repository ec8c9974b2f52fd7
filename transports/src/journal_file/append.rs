//! The end of the file: what is appended there, when it is durable, and that the file is still the
//! journal's own.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::disk::{self, Locked};
use super::error::JournalError;
use super::lines;

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
    /// Why the file cannot be trusted to hold what is written, if it cannot.
    broken: Option<JournalError>,
}

impl Appender {
    /// To a locked file whose last record, of these bytes, ends here.
    pub(super) fn new(path: PathBuf, file: Locked, end: u64, last: Vec<u8>) -> Self {
        Self { path, file, end, last, is_durable: true, broken: None }
    }

    /// Why nothing more is written, if so.
    pub(super) fn broken(&self) -> Option<&JournalError> {
        self.broken.as_ref()
    }

    /// Writes whole records, of which the last begins at this place. They are not durable yet.
    ///
    /// What fails leaves the file as it was, or [broken](Self::broken).
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

    /// Comes back once all that was appended is durable in the file that the path names.
    pub(super) fn sync(&mut self) -> Result<(), JournalError> {
        self.check()?;
        if let Err(error) = self.file.sync_data() {
            // What is durable now is not known, and a second try would not tell.
            self.broken = Some(JournalError::Broken);
            return Err(JournalError::io("sync", &error));
        }
        self.is_durable = true;
        // What was replaced meanwhile is durable, and nobody will find it.
        self.prove()
    }

    fn check(&self) -> Result<(), JournalError> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// Proves that the path still names this file, and that the file ends as it was left. Otherwise
    /// it is broken.
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

    use imts_core::Wall;

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
        // Two writes before a sync, the first of two records; and one after it.
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
