//! A journal in a file: how it is opened, and what to do if it cannot be used.
//!
//! Owns the wait for the journal's lock, for as long as the command may take.

use std::path::Path;
use std::time::Duration;

use imts::journal_file::{Compacted, FolderSync, JournalError, JournalOptions, JournalSize};
use imts::{JournalFile, Recovery};

use crate::args::{Folder, JournalAt};
use crate::failure::{Failure, Kind};
use crate::interrupt::Stop;
use crate::log::Log;
use crate::timeout::TimeLimit;

/// How long to wait before the next attempt to open the journal.
const PAUSE: Duration = Duration::from_millis(50);

/// Opens a journal, or creates one. If another process has it open, waits for it within the limit,
/// and until a signal comes.
pub(crate) fn opened(
    file: &Path,
    options: &JournalOptions,
    limit: TimeLimit,
    log: Log,
    stop: &Stop,
) -> Result<JournalFile, Failure> {
    let options = options.clone().on_compaction(move |outcome| {
        log.tell(1, || match outcome {
            Ok(outcome) => compacted(outcome),
            Err(error) => format!("the journal was not compacted: {error}"),
        });
    });
    let mut waits = false;
    loop {
        let (path, options) = (file.to_owned(), options.clone());
        let opened = limit.bound("opening the journal", move || Ok(options.open(path)));
        // The time may end in the midst of an attempt. The lock is then still the reason.
        match opened.map_err(|error| if waits { locked(file) } else { error })? {
            Ok(journal) => return Ok(journal),
            Err(JournalError::Locked) => {
                if !std::mem::replace(&mut waits, true) {
                    log.tell(1, || {
                        "another process has the journal open: waiting for it".to_owned()
                    });
                }
                stop.wait(PAUSE.min(limit.left()))?;
            }
            Err(error) => return Err(unusable(file, &error)),
        }
        if limit.left().is_zero() {
            return Err(locked(file));
        }
    }
}

/// Opens a journal that must exist already.
pub(super) fn opened_again(
    file: &Path,
    options: &JournalOptions,
    limit: TimeLimit,
    log: Log,
    stop: &Stop,
) -> Result<JournalFile, Failure> {
    // Opening creates a journal if there is none.
    JournalFile::read(file).map_err(|error| unusable(file, &error))?;
    // Opening may write, so it is not abandoned halfway.
    stop.take_over()?;
    opened(file, options, limit, log, stop)
}

fn locked(file: &Path) -> Failure {
    let message = format!(
        "the journal {} is locked: another process had it open until --timeout passed. Nothing was \
         sent, and nothing was recorded",
        file.display()
    );
    let advice = "Run it again, or wait longer with --timeout. If a server keeps its journal open \
                  for as long as it runs, resolve the calls through that server.";
    Failure::new(Kind::JournalLocked, Recovery::Retry { after: None }, message).advising(advice)
}

/// Returns the options for opening a journal, from the flags.
pub(crate) fn options(folder: &Folder) -> JournalOptions {
    JournalFile::options().folder_sync(match folder.allow_unsynced_folder {
        true => FolderSync::BestEffort,
        false => FolderSync::Required,
    })
}

/// Creates a failure: the journal cannot be used.
pub(super) fn unusable(file: &Path, error: &JournalError) -> Failure {
    let failure = Failure::usage(format!("the journal {} cannot be used: {error}", file.display()));
    match error {
        JournalError::Copied => failure.advising(format!(
            "Once you know what was sent since: imts journal accept {} --reason TEXT",
            file.display()
        )),
        JournalError::FolderNotSynced { .. } => failure.advising(
            "Put the journal on a local disk. If the file is kept safe by other means, use \
             --allow-unsynced-folder.",
        ),
        JournalError::NotAJournal => failure
            .advising("Check the path: a journal has its own file, which `imts call` creates."),
        JournalError::Io { .. } if !file.exists() => failure.advising(
            "Check the path. `imts call --journal FILE` creates the file, but not its folder.",
        ),
        _ => failure,
    }
}

/// Creates the same failure for a journal that is a file.
pub(super) fn unusable_at(at: &JournalAt, error: &JournalError) -> Failure {
    unusable(Path::new(&at.to_string()), error)
}

/// Describes the result of a compaction, for people.
pub(super) fn compacted(Compacted { before, after }: &Compacted) -> String {
    let size = |JournalSize { bytes, calls, hashes }: &JournalSize| {
        format!("{bytes} bytes, {calls} calls and the hashes of {hashes} more")
    };
    format!("the journal was compacted: before, {}; now, {}", size(before), size(after))
}
