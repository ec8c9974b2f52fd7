//! `imts journal compact`: compacts a journal and prints the result.

use imts::journal_file::{Compacted, JournalSize};
use serde_json::{Value, json};

use super::file::{compacted, opened_again, options};
use crate::args::Compact;
use crate::failure::Failure;
use crate::interrupt::Stop;
use crate::log::Log;
use crate::out;
use crate::timeout::TimeLimit;

pub(super) fn run(args: &Compact, log: Log, stop: &Stop) -> Result<(), Failure> {
    let file = &args.file;
    let mut options = options(&args.folder).compact_from(None);
    if let Some(days) = args.keep_done {
        options = options.keep_done(days);
    }
    let mut journal = opened_again(file, &options, TimeLimit::of(args.timeout), log, stop)?;
    let outcome = journal.compact().map_err(|error| {
        let file = file.display();
        Failure::usage(format!("the journal {file} was not compacted: {error}"))
    })?;
    let Compacted { before, after } = outcome;
    if args.json {
        out::line(json!({ "compacted": true, "before": object(before), "after": object(after) }))?;
    } else {
        out::line(compacted(&outcome))?;
    }
    Ok(())
}

fn object(JournalSize { bytes, calls, hashes }: JournalSize) -> Value {
    json!({ "bytes": bytes, "calls": calls, "hashes": hashes })
}
