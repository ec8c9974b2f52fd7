//! Any bytes as a journal of calls.
//!
//! An input is the file. What begins with `=` is written as the journal itself writes, a line each:
//! `iREFERENCE` is an intent, `sN` call N is about to be sent, `dN rN uN nN` it ended as done, refused,
//! unknown, not sent, `XJSON` a record of this JSON. If `kN M` comes first, the journal is compact: it
//! begins with the hashes of N calls that were done, and M whole calls. Then the file is damaged: `cN` cuts it after N
//! bytes, `mN M` changes byte N by M, `eN M` the line feed after record N; the last such line counts.
//!
//! The records are written here a second time, with a checksum of their own, and what they say is
//! added up by rules of their own.

mod pages;
mod rules;

use imts::journal::{Book, CallState};
use imts::journal_file::JournalError;
use imts::time::Wall;

use self::pages::{Damage, Pages};
use crate::{Ran, Target};

/// This target.
pub const TARGET: Target = Target { name: "journal", goal: "a call that has ended", run };

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    let Some(lines) = data.strip_prefix(b"=") else {
        let deepest = read(data).is_ok_and(|book| has_ended(&book));
        return Ran { structured: false, deepest };
    };
    let pages = Pages::write(lines);
    let mut bytes = pages.bytes();
    let written = read(&bytes);
    if pages.is_plain() {
        let told = written.as_ref().map(rules::told);
        assert_eq!(told, Ok(rules::calls(pages.kept, &pages.records)), "what was written");
        let hashes = pages.kept.map_or(0, |kept| kept.hashes);
        assert_eq!(written.as_ref().map(|book| book.hashed() as u64), Ok(hashes));
    } else if let Some(at) = pages.first_odd() {
        assert_eq!(written, Err(JournalError::Damaged { at }), "what nobody could have written");
    }
    let before = bytes.len();
    match pages.damage {
        None => {}
        Some(Damage::Cut(length)) => bytes.truncate(length),
        Some(Damage::Changed(place, by) | Damage::Ended(place, by)) => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= by;
            }
        }
    }
    let after = read(&bytes);
    if let (Ok(written), Some(damage)) = (&written, pages.damage) {
        let is_cut = bytes.len() < before;
        match damage {
            Damage::Cut(_) if is_cut => check_cut(written, &pages, bytes.len(), &after),
            Damage::Changed(place, by) if by != 0 && place < before => {
                check_changed(written, &pages, place, &after);
            }
            _ => assert_eq!(Ok(written), after.as_ref(), "no damage"),
        }
    }
    Ran { structured: true, deepest: written.is_ok_and(|book| has_ended(&book)) }
}

/// Reads a journal twice, and once more as this side would write what it says.
fn read(bytes: &[u8]) -> Result<Book, JournalError> {
    let (read, is_compact) =
        (imts::journal_file::book_of(bytes), bytes.starts_with(pages::COMPACT));
    assert_eq!(imts::journal_file::book_of(bytes), read, "read again");
    let book = match &read {
        Ok(book) => book,
        Err(error) => {
            assert!(error.to_string().len() < 256, "an error that quotes: {error}");
            let is_within = match error {
                // What is missing of a compact journal is missing at its end.
                JournalError::Damaged { at } => *at < bytes.len() + usize::from(is_compact),
                JournalError::NotAJournal => {
                    ![pages::HEADER, pages::COMPACT].iter().any(|header| bytes.starts_with(header))
                }
                _ => false,
            };
            assert!(is_within, "{error:?} of {} bytes", bytes.len());
            return read;
        }
    };
    for (number, call) in (1..).zip(book.calls()) {
        assert!(call.id == number || is_compact, "numbered in order");
        assert_eq!(book.call(call.id), Some(call));
        assert_eq!(call.is_in_doubt(), call.state == CallState::InDoubt);
        let has_ended = call.ended_at.is_some();
        match call.state {
            CallState::Intended => assert!(!has_ended && call.sent_at.is_none(), "{call:?}"),
            CallState::InDoubt => assert!(has_ended || call.sent_at.is_some(), "{call:?}"),
            _ => assert!(has_ended, "{call:?}"),
        }
    }
    assert!(book.in_doubt().all(imts::journal::CallRecord::is_in_doubt));
    check_compact(book);
    if !is_compact {
        // Written anew, the calls end in the order of their numbers, and which are forgotten first
        // depends on that order: what a book says is the same, and written once more it is the same
        // book.
        let anew =
            imts::journal_file::book_of(&pages::of(book)).expect("what it says can be written");
        assert!(book.calls().eq(anew.calls()), "what it says, written anew");
        assert_eq!(imts::journal_file::book_of(&pages::of(&anew)), Ok(anew), "written anew twice");
    }
    for part in 0..8 {
        let length = bytes.len() * part / 8;
        match imts::journal_file::book_of(&bytes[..length]) {
            Ok(earlier) => rules::assert_follows(&earlier, book),
            Err(error) => assert!(is_compact, "a cut is no damage: {error}"),
        }
    }
    read
}

/// A compact journal of a book permits what the book does.
fn check_compact(book: &Book) {
    let bytes =
        imts::journal_file::bytes_of(book, Wall::from_unix_micros(5)).expect("each record fits");
    let compact = imts::journal_file::book_of(&bytes).expect("what was written is whole");
    assert_eq!(compact.next_id(), book.next_id());
    assert!(compact.in_doubt().eq(book.in_doubt()), "what is in doubt stays");
    for call in book.calls() {
        let intent = call.intent();
        assert_eq!(compact.admit(&intent), book.admit(&intent), "{call:?}");
    }
    assert_eq!(
        imts::journal_file::bytes_of(&compact, Wall::from_unix_micros(5)),
        Ok(bytes),
        "once more"
    );
}

fn has_ended(book: &Book) -> bool {
    book.calls().any(|call| !matches!(call.state, CallState::Intended | CallState::InDoubt))
}

/// Every record before the cut is kept.
fn check_cut(written: &Book, pages: &Pages, length: usize, after: &Result<Book, JournalError>) {
    if pages.kept.is_some() && (pages::VERSION + 1..pages.beginning()).contains(&length) {
        assert!(after.is_err(), "{length} bytes of what a compaction has kept");
        return;
    }
    let after = after.as_ref().expect("a cut is no damage");
    rules::assert_follows(after, written);
    if pages.is_plain() {
        let (whole, is_begun) = (pages.records_within(length), length >= pages.beginning());
        let kept = pages.kept.filter(|_| is_begun);
        assert_eq!(rules::told(after), rules::calls(kept, whole), "the records before the cut");
    }
}

/// Either the change is reported, or it is in the last record, and only that record is lost.
fn check_changed(written: &Book, pages: &Pages, place: usize, after: &Result<Book, JournalError>) {
    if let Ok(after) = after {
        rules::assert_follows(after, written);
    }
    if pages.kept.is_some() && place < pages.beginning() {
        assert!(after.is_err(), "byte {place} of what a compaction has kept");
        return;
    }
    if place == pages::VERSION {
        // It may have become another version, which has the same records or none of them.
        assert!(after.as_ref().map_or(true, |after| after == written), "byte {place}");
        return;
    }
    if !pages.is_plain() {
        // What could not be read as it was is no record, and what was the last one is open.
        return;
    }
    match after {
        Err(JournalError::NotAJournal) => assert!(place < pages::HEADER.len()),
        Err(JournalError::Damaged { at }) => {
            assert_eq!(*at, pages.start_of_record_at(place), "byte {place}");
        }
        Err(error) => panic!("{error:?} of bytes"),
        Ok(book) => {
            let last = pages.records.len().saturating_sub(1);
            assert!(place >= pages.start_of(last), "byte {place} is changed, and nobody tells");
            let before = rules::calls(pages.kept, &pages.records[..last]);
            assert_eq!(rules::told(book), before, "all before it");
        }
    }
}
