//! A journal made small: what ended leaves it, and what the guard must know stays.
//!
//! Owns what a compact file holds, and when one is worth its writing. How it comes to stand in the
//! journal's place is the [appender](super::append)'s.

use std::fmt;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::sync::Arc;

use imts_core::Wall;
use imts_core::journal::{Book, DoneCall, Kept};

use super::blocks;
use super::disk::FileId;
use super::error::JournalError;
use super::lines::{self, COMPACT, Record, Summary};

/// What a compaction came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// What the journal held before.
    pub before: JournalSize,
    /// What it holds now.
    pub after: JournalSize,
}

/// How large a journal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalSize {
    /// The length of its file, in bytes.
    pub bytes: u64,
    /// The calls that stand in it whole.
    pub calls: u64,
    /// The calls that were done, and stand in it as hashes alone.
    pub hashes: u64,
}

/// When a journal is compacted, and what of.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// From how many bytes on a journal is compacted by itself.
    pub(super) compact_from: Option<u64>,
    /// For how many days calls that were done are kept.
    pub(super) keep_done: Option<NonZeroU32>,
    pub(super) told: Option<Told>,
}

/// Is told what became of compactions that nobody asked for.
#[derive(Clone)]
pub(super) struct Told(pub(super) Arc<Listener>);

type Listener = dyn Fn(&Result<Compacted, JournalError>) + Send + Sync;

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

/// From how many bytes on a journal is compacted by itself: 16 MiB.
pub(super) const FROM: u64 = 16 << 20;

impl Default for Settings {
    fn default() -> Self {
        Self { compact_from: Some(FROM), keep_done: None, told: None }
    }
}

impl Settings {
    /// When calls were done that may be forgotten: before this.
    pub(super) fn done_since(&self, now: Wall) -> Option<Wall> {
        let days = i64::from(self.keep_done?.get());
        Some(Wall::from_unix_micros(now.unix_micros().saturating_sub(days * 86_400_000_000)))
    }

    /// How long a file must be to be compacted by itself, which would be so long compact: it must
    /// become half as long at least.
    pub(super) fn due(&self, compact: u64) -> Option<u64> {
        self.compact_from.map(|from| from.max(compact.saturating_mul(2)))
    }
}

/// A compact file's end.
pub(super) struct Written {
    pub(super) size: JournalSize,
    /// The bytes of its last record.
    pub(super) last: Vec<u8>,
}

/// Writes a compact book, as that of this file.
///
/// # Errors
///
/// [`JournalError::Io`].
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

/// How many bytes a compact book of this file has.
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

    /// Writes the block that is begun, if one is.
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
