//! `imts journal`: what a journal holds, and what someone found out about a call in doubt.
//!
//! Owns how a journal is opened. It waits for the journal's lock, for as long as the command may
//! take.

mod compact;
mod reconcile;

use std::env;
use std::path::Path;
use std::time::Duration;

use imts::clock::{Clock, SystemClock};
use imts::journal::{Book, CallRecord};
use imts::journal::{Despite, Finding, Resolution};
use imts::journal_file::{FolderSync, JournalError, JournalOptions};
use imts::{JournalFile, Recovery};
use serde_json::{Value, json};

use crate::args::{Accept, Ended, Folder, JournalCommand, List, Resolve};
use crate::color::{self, Tone};
use crate::failure::{Failure, Kind};
use crate::interrupt::{self, Stop};
use crate::log::Log;
use crate::out;
use crate::timeout::TimeLimit;
use crate::values::date;

/// How long to wait before the next attempt to open the journal.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) fn run(command: JournalCommand, log: Log) -> Result<(), Failure> {
    let before = match &command {
        JournalCommand::List(_) => "the journal was read",
        JournalCommand::Resolve(_) | JournalCommand::Accept(_) => "anything was recorded",
        JournalCommand::Compact(_) => "the journal was compacted",
        JournalCommand::Reconcile(_) => "all calls were asked about; what was recorded stays",
    };
    interrupt::ending(before, move |stop| match &command {
        JournalCommand::List(args) => list(args, stop),
        JournalCommand::Resolve(args) => resolve(args, log, stop),
        JournalCommand::Accept(args) => accept(args, log, stop),
        JournalCommand::Compact(args) => compact::run(args, log, stop),
        JournalCommand::Reconcile(args) => reconcile::run(args, log, stop),
    })
}

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
            Ok(compacted) => compact::words(compacted),
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
fn opened_again(
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

/// Returns who runs this command, as far as its environment says.
pub(crate) fn user() -> Option<String> {
    let names = ["USER", "LOGNAME", "USERNAME"].into_iter().filter_map(|name| env::var(name).ok());
    names.map(|name| name.chars().take(128).collect::<String>()).find(|name| !name.is_empty())
}

/// Creates a failure: the journal cannot be used.
fn unusable(file: &Path, error: &JournalError) -> Failure {
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

/// Formats a call for scripts.
pub(crate) fn object(call: &CallRecord) -> Value {
    json!({
        "id": call.id,
        "operation": call.operation,
        "reference": call.reference,
        "digest": call.digest.to_string(),
        "intended_at": date(call.intended_at),
        "sent_at": call.sent_at.map(date),
        "sending_until": call.sending_until.map(date),
        "ended_at": call.ended_at.map(date),
        "state": call.state.as_str(),
        "despite": call.despite.as_ref().map(|despite| json!({
            "id": despite.id,
            "reason": despite.reason,
            "by": despite.by,
        })),
        "resolution": call.resolution.as_ref().map(|resolution| json!({
            "finding": resolution.finding.as_str(),
            "reason": resolution.reason,
            "by": resolution.by,
        })),
    })
}

fn list(args: &List, stop: &Stop) -> Result<(), Failure> {
    let file = &args.file;
    let book = if args.all { JournalFile::read_all(file) } else { JournalFile::read(file) };
    let book = book.map_err(|error| unusable(file, &error))?;
    let calls: Vec<_> = book.calls().filter(|call| args.all || call.is_in_doubt()).collect();
    stop.take_over()?;
    if args.json {
        out::line(Value::from_iter(calls.into_iter().map(object)))?;
    } else {
        out::line(text(file, &book, &calls))?;
    }
    Ok(())
}

/// Formats the calls for people.
fn text(file: &Path, book: &Book, calls: &[&CallRecord]) -> String {
    let in_doubt = book.in_doubt().count();
    let mut lines: Vec<_> = calls.iter().map(|call| line(call)).collect();
    if let hashed @ 1.. = book.hashed() {
        lines.push(format!("Only hashes are kept of {hashed} calls that were done."));
    }
    lines.push(match (in_doubt, book.next_id() - 1) {
        (0, all) => format!("No call is in doubt; the journal has had {all}."),
        (some, all) => format!(
            "{some} in doubt; the journal has had {all} calls. Ask the service (status, info, \
             search) for their outcome. Then: imts journal resolve {} ID --as done (or refused)",
            file.display()
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
    let until = call.under_way_until(SystemClock.now().wall).map(date);
    let when =
        until.map_or(when.clone(), |until| format!("{when}, may be under way until {until}"));
    let state = call.state.as_str();
    let by = |by: &Option<String>| by.clone().unwrap_or_else(|| "an unknown user".to_owned());
    let state = format!("{state:8}");
    let state = match call.is_in_doubt() {
        true => color::out(Tone::Doubt, state).to_string(),
        false => state,
    };
    let mut line =
        format!("{:>6}  {state}  {}  {reference}  {when}", call.id, call.operation.escape_debug());
    if let Some(Despite { id, reason, by: who }) = &call.despite {
        let (who, reason) = (by(who), reason.escape_debug());
        line += &format!("\n        sent despite call {id}, by {}: {reason}", who.escape_debug());
    }
    if let Some(Resolution { finding, reason, by: who }) = &call.resolution {
        let (who, reason) = (by(who), reason.escape_debug());
        let finding = finding.as_str();
        line += &format!("\n        resolved as {finding}, by {}: {reason}", who.escape_debug());
    }
    line
}

fn resolve(args: &Resolve, log: Log, stop: &Stop) -> Result<(), Failure> {
    let (file, id) = (&args.file, args.id);
    let finding = match args.ended {
        Ended::Done => Finding::Done,
        Ended::Refused => Finding::Refused,
    };
    let reason = args.reason.clone().unwrap_or_else(|| "no reason was given".to_owned());
    let resolution = Resolution { finding, reason, by: user() };
    let limit = TimeLimit::of(args.timeout);
    let mut journal = opened_again(file, &options(&args.folder), limit, log, stop)?;
    journal.resolve(id, resolution).map_err(|error| wrong(file, &error))?;
    let Some(call) = journal.book().call(id) else {
        return Err(wrong(file, &JournalError::NoSuchCall { id }));
    };
    if args.json {
        out::line(object(call))?;
    } else {
        out::line(format_args!(
            "call {id} ({}) is recorded as {}",
            call.operation,
            call.state.as_str()
        ))?;
    }
    Ok(())
}

fn accept(args: &Accept, log: Log, stop: &Stop) -> Result<(), Failure> {
    let file = &args.file;
    let options = options(&args.folder).accept(&args.reason, user().as_deref());
    let journal = opened_again(file, &options, TimeLimit::of(args.timeout), log, stop)?;
    let in_doubt = journal.book().in_doubt().count();
    if args.json {
        out::line(json!({ "accepted": true, "in_doubt": in_doubt }))?;
    } else {
        let see = match log.is_quiet() {
            true => String::new(),
            false => format!(" See: imts journal list {}", file.display()),
        };
        out::line(format_args!("accepted; {in_doubt} in doubt.{see}"))?;
    }
    Ok(())
}

/// Creates a failure: the call cannot be resolved.
fn wrong(file: &Path, error: &JournalError) -> Failure {
    match error {
        JournalError::UnderWay(why) => Failure::new(
            Kind::InProgress,
            Recovery::Retry { after: None },
            format!("nothing was recorded: {why}"),
        ),
        JournalError::NoSuchCall { .. } | JournalError::NotInDoubt { .. } => {
            Failure::usage(format!("{error}; see: imts journal list {} --all", file.display()))
        }
        _ => unusable(file, error),
    }
}
