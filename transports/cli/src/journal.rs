//! `imts journal`: what a journal holds, and what was found out of a call in doubt.

use std::path::Path;

use imts::{Book, CallRecord, Ending, JournalError, JournalFile};
use serde_json::{Value, json};

use crate::args::{Ended, Journal, JournalCommand};
use crate::failure::Failure;
use crate::out;
use crate::values::date;

pub(crate) fn run(args: &Journal) -> Result<(), Failure> {
    match &args.command {
        JournalCommand::List { file, all, json } => list(file, *all, *json),
        JournalCommand::Resolve { file, id, ended, json } => resolve(file, *id, *ended, *json),
    }
}

/// A journal that cannot be used.
pub(crate) fn unusable(file: &Path, error: &JournalError) -> Failure {
    Failure::usage(format!("the journal {} cannot be used: {error}", file.display()))
}

/// A call, for scripts.
pub(crate) fn object(call: &CallRecord) -> Value {
    json!({
        "id": call.id,
        "operation": call.operation,
        "reference": call.reference,
        "digest": call.digest.to_string(),
        "intended_at": date(call.intended_at),
        "sent_at": call.sent_at.map(date),
        "ended_at": call.ended_at.map(date),
        "state": call.state.as_str(),
    })
}

fn list(file: &Path, all: bool, json: bool) -> Result<(), Failure> {
    let book = JournalFile::read(file).map_err(|error| unusable(file, &error))?;
    let calls: Vec<_> = book.calls().filter(|call| all || call.is_in_doubt()).collect();
    if json {
        out::line(Value::from_iter(calls.into_iter().map(object)))?;
    } else {
        out::line(text(&book, &calls))?;
    }
    Ok(())
}

/// The calls, for people.
fn text(book: &Book, calls: &[&CallRecord]) -> String {
    let in_doubt = book.in_doubt().count();
    let mut lines: Vec<_> = calls.iter().map(|call| line(call)).collect();
    lines.push(match (in_doubt, book.calls().count()) {
        (0, all) => format!("No call is in doubt, of {all}."),
        (some, all) => format!(
            "{some} in doubt, of {all}. Ask the service (status, info, search) what became of \
             them; then: imts journal resolve FILE ID --as done (or refused)"
        ),
    });
    lines.join("\n")
}

fn line(call: &CallRecord) -> String {
    let reference = match &call.reference {
        Some(reference) => format!("reference {}", reference.escape_debug()),
        None => format!("digest {}", call.digest),
    };
    let when = match (call.sent_at, call.ended_at) {
        (Some(sent), _) => format!("sent {}", date(sent)),
        (None, _) => format!("intended {}", date(call.intended_at)),
    };
    let state = call.state.as_str();
    format!("{:>6}  {state:8}  {}  {reference}  {when}", call.id, call.operation.escape_debug())
}

fn resolve(file: &Path, id: u64, ended: Ended, json: bool) -> Result<(), Failure> {
    let ending = match ended {
        Ended::Done => Ending::Done,
        Ended::Refused => Ending::Refused,
    };
    let unusable = |error| unusable(file, &error);
    // Opening would begin a journal where there is none.
    JournalFile::read(file).map_err(unusable)?;
    let mut journal = JournalFile::open(file).map_err(unusable)?;
    journal.resolve(id, ending).map_err(|error| wrong(file, &error))?;
    let Some(call) = journal.book().call(id) else {
        return Err(wrong(file, &JournalError::NoSuchCall { id }));
    };
    if json {
        out::line(object(call))?;
    } else {
        out::line(format_args!(
            "call {id} ({}) is written down as {}",
            call.operation,
            call.state.as_str()
        ))?;
    }
    Ok(())
}

/// A call that cannot be resolved.
fn wrong(file: &Path, error: &JournalError) -> Failure {
    match error {
        JournalError::NoSuchCall { .. } | JournalError::NotInDoubt { .. } => {
            Failure::usage(format!("{error}: see imts journal list {} --all", file.display()))
        }
        _ => unusable(file, error),
    }
}
