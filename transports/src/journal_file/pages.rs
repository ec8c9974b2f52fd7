//! Reads a journal from its beginning to its end, and never holds more than a part of its bytes.

use std::io::{self, Read};

use imts_core::journal::{Book, Entry, Kept};

use super::disk::FileId;
use super::error::JournalError;
use super::lines::{self, COMPACT, EARLIER, Found, HEADER, LONGEST_RECORD, Record, Summary};

/// The contents of a journal.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pub(super) book: Book,
    /// Where the last whole record ends.
    pub(super) end: u64,
    /// The bytes of that record, or of the header.
    pub(super) last: Vec<u8>,
    /// The file that the journal says it is; `None` if it does not say so.
    pub(super) file: Option<FileId>,
    /// Whether it is of an earlier version.
    pub(super) is_earlier: bool,
    /// The first call that this file itself permitted. The senders of the calls before it held
    /// another file, of which this is a copy.
    pub(super) first_own: u64,
    /// How many done calls it holds as hashes.
    pub(super) hashes: u64,
    /// How many other calls it holds.
    pub(super) calls: u64,
    /// Where the part ends that a compaction has written; 0 if there is none.
    pub(super) compact: u64,
    /// Whether that part has not ended yet. All of it was durable before the file became the
    /// journal.
    is_within: bool,
}

impl Pages {
    /// Reads a journal. A record that is cut off at the end is left out.
    pub(super) fn of(reader: impl Read) -> Result<Self, JournalError> {
        Self::into_book(reader, Book::default())
    }

    /// Reads a journal into an empty book.
    pub(super) fn into_book(reader: impl Read, book: Book) -> Result<Self, JournalError> {
        let mut stream = Stream::new(reader);
        let mut pages = Self { book, last: HEADER.to_vec(), ..Self::default() };
        let beginning = stream.rest()?;
        pages.is_earlier = EARLIER.iter().any(|header| beginning.starts_with(header));
        pages.is_within = beginning.starts_with(COMPACT);
        if !beginning.starts_with(HEADER) && !pages.is_earlier && !pages.is_within {
            let is_cut = |header: &&[u8]| header.starts_with(beginning);
            let is_cut = is_cut(&HEADER) || EARLIER.iter().any(is_cut);
            return if is_cut { Ok(pages) } else { Err(JournalError::NotAJournal) };
        }
        pages.go_on(&mut stream, HEADER.len());
        loop {
            let rest = stream.rest()?;
            let Some(Found { record, length, .. }) = lines::read(rest) else {
                let is_damaged = pages.is_within || !rest.is_empty() && has_record(&mut stream)?;
                return if is_damaged { Err(pages.damaged()) } else { Ok(pages) };
            };
            pages.last.clear();
            pages.last.extend_from_slice(rest.get(..length).unwrap_or_default());
            let is_compact = pages.is_within;
            let fits = if is_compact { pages.restore(record) } else { pages.take(record) };
            if !fits {
                return Err(pages.damaged());
            }
            pages.go_on(&mut stream, length);
            if is_compact {
                pages.compact = pages.end;
            }
        }
    }

    /// Takes in a record. Returns whether it could have been recorded.
    fn take(&mut self, record: Record) -> bool {
        match record {
            Record::Call(id, entry) if self.takes(id, &entry) => {
                self.calls += u64::from(matches!(entry, Entry::Intent(_)));
                self.book.apply(id, &entry);
            }
            Record::File { file, .. } => self.file = Some(file),
            Record::Accepted { file, .. } => {
                self.file = Some(file);
                self.book.doubt_all();
                self.first_own = self.book.next_id();
            }
            _ => return false,
        }
        true
    }

    /// Takes in what a compaction has kept. Returns whether it could have been kept.
    fn restore(&mut self, record: Record) -> bool {
        match record {
            Record::File { file, .. } => self.file = Some(file),
            Record::Done(calls) => {
                self.hashes += calls.len() as u64;
                return calls.into_iter().all(|call| self.book.restore(Kept::Done(call)));
            }
            Record::Whole(call) => {
                self.calls += 1;
                return self.book.restore(Kept::Call(call));
            }
            Record::Compacted(Summary { done, calls, last, first_own, .. }) => {
                (self.is_within, self.first_own) = (false, first_own);
                let is_all = (done, calls) == (self.hashes, self.calls);
                return is_all && self.book.restore(Kept::Last(last));
            }
            Record::Call(..) | Record::Accepted { .. } => return false,
        }
        true
    }

    /// Returns whether this entry can come next. Earlier versions left no number out.
    fn takes(&self, id: u64, entry: &Entry) -> bool {
        let is_next = !matches!(entry, Entry::Intent(_)) || id == self.book.next_id();
        self.book.takes(id, entry) && (is_next || !self.is_earlier)
    }

    fn go_on<R>(&mut self, stream: &mut Stream<R>, length: usize) {
        stream.skip(length);
        self.end += length as u64;
    }

    fn damaged(&self) -> JournalError {
        JournalError::Damaged { at: usize::try_from(self.end).unwrap_or(usize::MAX) }
    }
}

/// Returns whether there is a whole record that follows a sync, anywhere in bytes that do not begin
/// with one. This also finds a record if the line feed before it was changed.
fn has_record(stream: &mut Stream<impl Read>) -> Result<bool, JournalError> {
    loop {
        stream.skip(1);
        let rest = stream.rest()?;
        if rest.is_empty() {
            return Ok(false);
        }
        if lines::read(rest).is_some_and(|found| found.follows_a_sync) {
            return Ok(true);
        }
    }
}

/// The part of a file that is in memory.
struct Stream<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where in the buffer the rest begins.
    start: usize,
    is_over: bool,
}

impl<R> Stream<R> {
    fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, is_over: false }
    }

    fn skip(&mut self, length: usize) {
        self.start = self.start.saturating_add(length).min(self.buffer.len());
    }
}

impl<R: Read> Stream<R> {
    /// Returns what comes next: at least the longest record, or all that is left.
    fn rest(&mut self) -> Result<&[u8], JournalError> {
        while !self.is_over && self.buffer.len() - self.start < LONGEST_RECORD {
            self.buffer.drain(..self.start);
            self.start = 0;
            let length = self.buffer.len();
            self.buffer.resize(length + CHUNK, 0);
            let read = self.reader.read(&mut self.buffer[length..]);
            self.buffer.truncate(length + read.as_ref().copied().unwrap_or_default());
            match read {
                Ok(read) => self.is_over = read == 0,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(JournalError::io("read", &error)),
            }
        }
        Ok(&self.buffer[self.start..])
    }
}

/// How many bytes are read from the file at once.
const CHUNK: usize = 1 << 18;
