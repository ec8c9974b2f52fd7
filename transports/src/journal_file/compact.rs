//! A compact journal: calls that ended are removed, and what the guard must know stays.
//!
//! Owns the contents of a compact file, and when it is worth writing one. The
//! [appender](super::append) puts it in the journal's place.

use std::fmt;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::sync::Arc;

use imts_core::journal::{Book, DoneCall, Kept};
use imts_core::time::Wall;

use super::blocks;
use super::disk::FileId;
use super::error::JournalError;
use super::lines::{self, COMPACT, Record, Summary};

/// The result of a compaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// The size of the journal before.
    pub before: JournalSize,
    /// The size of the journal now.
    pub after: JournalSize,
}

/// The size of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalSize {
    /// The length of its file, in bytes.
    pub bytes: u64,
    /// The number of calls that it holds whole.
    pub calls: u64,
    /// The number of done calls that it holds only as hashes.
    pub hashes: u64,
}

/// When a journal is compacted, and what is kept.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// From how many bytes on a journal is compacted by itself.
    pub(super) compact_from: Option<u64>,
    /// For how many days calls that were done are kept.
    pub(super) keep_done: Option<NonZeroU32>,
    pub(super) on_compaction: Option<OnCompaction>,
}

/// Receives the results of compactions that no one asked for.
#[derive(Clone)]
pub(super) struct OnCompaction(pub(super) Arc<Listener>);

type Listener = dyn Fn(&Result<Compacted, JournalError>) + Send + Sync;

impl fmt::Debug for OnCompaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnCompaction")
    }
}

/// From how many bytes on a journal is compacted by itself: 16 MiB.
pub(super) const FROM: u64 = 16 << 20;

impl Default for Settings {
    fn default() -> Self {
        Self { compact_from: Some(FROM), keep_done: None, on_compaction: None }
    }
}

impl Settings {
    /// Returns the time before which a call must have been done to be forgotten.
    pub(super) fn done_since(&self, now: Wall) -> Option<Wall> {
        let days = i64::from(self.keep_done?.get());
        Some(Wall::from_unix_micros(now.unix_micros().saturating_sub(days * 86_400_000_000)))
    }

    /// Returns how long a file must be to be compacted by itself, if its compact form has this
    /// length. The file must become at most half as long.
    pub(super) fn due(&self, compact: u64) -> Option<u64> {
        self.compact_from.map(|from| from.max(compact.saturating_mul(2)))
    }
}

/// The end of a compact file.
pub(super) struct Written {
    pub(super) size: JournalSize,
    /// The bytes of its last record.
    pub(super) last: Vec<u8>,
}

/// Writes a compact book, as the journal in this file.
///
/// # Errors
///
/// Returns [`JournalError::Io`] if the system reports an error.
pub(super) fn write(
    out: impl Write,
    (book, first_own): (&Book, u64),
    file: Option<FileId>,
    at: Wall,
) -> Result<Written, JournalError> {
    let size = JournalSize { bytes: 0, calls: 0, hashes: 0 };
    let mut writing = Writing { out, size, done: Vec::new() };
    writing.bytes(COMPACT)?;
    if let Some(file) = file {
        writing.record(&Record::File { at, file })?;
    }
    let mut last = Vec::new();
    for kept in book.kept() {
        match kept {
            Kept::Done(call) => writing.done(call)?,
            Kept::Call(call) => {
                writing.block()?;
                writing.size.calls += 1;
                writing.record(&Record::Whole(call))?;
            }
            Kept::Last(number) => {
                writing.block()?;
                let JournalSize { calls, hashes: done, .. } = writing.size;
                let summary = Summary { at, done, calls, last: number, first_own };
                last = writing.record(&Record::Compacted(summary))?;
            }
        }
    }
    writing.out.flush().map_err(|error| JournalError::io("write", &error))?;
    Ok(Written { size: writing.size, last })
}

/// Returns how many bytes a compact book of this file has.
pub(super) fn length(
    book: (&Book, u64),
    file: Option<FileId>,
    at: Wall,
) -> Result<u64, JournalError> {
    Ok(write(io::sink(), book, file, at)?.size.bytes)
}

struct Writing<W> {
    out: W,
    size: JournalSize,
    done: Vec<DoneCall>,
}

impl<W: Write> Writing<W> {
    fn done(&mut self, call: DoneCall) -> Result<(), JournalError> {
        self.size.hashes += 1;
        self.done.push(call);
        if self.done.len() < blocks::CALLS { Ok(()) } else { self.block() }
    }

    /// Writes the block that was begun, if there is one.
    fn block(&mut self) -> Result<(), JournalError> {
        if !self.done.is_empty() {
            let calls = std::mem::take(&mut self.done);
            self.record(&Record::Done(calls))?;
        }
        Ok(())
    }

    fn record(&mut self, record: &Record) -> Result<Vec<u8>, JournalError> {
        let bytes = lines::write(record)?;
        self.bytes(&bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        self.size.bytes += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|error| JournalError::io("write", &error))
    }
}
