//! `imts journal`: what a journal holds, and what someone found out about a call in doubt.
//!
//! Owns what is shown of calls. [`opened`] knows the two kinds of journal, [`mod@file`] and [`database`]
//! how each is reached.

mod compact;
mod database;
mod file;
mod opened;
mod reconcile;

use std::env;
use std::time::Duration;

use imts::clock::{Clock, SystemClock};
use imts::journal::CallRecord;
use imts::journal::{Despite, Finding, Resolution};
use imts::journal_postgres::Migrated;
use imts::{JournalFile, JournalPostgres};
use serde_json::{Value, json};

pub(crate) use self::database::PASSWORD;
use self::database::Reached;
pub(crate) use self::file::options;
pub(crate) use self::opened::Opened;
use crate::args::{Accept, Ended, JournalAt, JournalCommand, List, Migrate, Resolve};
use crate::color::{self, Tone};
use crate::failure::Failure;
use crate::interrupt::{self, Stop};
use crate::log::Log;
use crate::out;
use crate::timeout::TimeLimit;
use crate::values::date;

/// How long a database may take to list its calls, or to make its tables.
const LONGEST_READ: Duration = Duration::from_secs(30);

pub(crate) fn run(command: JournalCommand, log: Log) -> Result<(), Failure> {
    let before = match &command {
        JournalCommand::List(_) => "the journal was read",
        JournalCommand::Resolve(_) | JournalCommand::Accept(_) => "anything was recorded",
        JournalCommand::Compact(_) => "the journal was compacted",
        JournalCommand::Migrate(_) => "the tables were changed",
        JournalCommand::Reconcile(_) => "all calls were asked about; what was recorded stays",
    };
    interrupt::ending(before, move |stop| match &command {
        JournalCommand::List(args) => list(args, stop),
        JournalCommand::Resolve(args) => resolve(args, log, stop),
        JournalCommand::Accept(args) => accept(args, log, stop),
        JournalCommand::Compact(args) => compact::run(args, log, stop),
        JournalCommand::Reconcile(args) => reconcile::run(args, log, stop),
        JournalCommand::Migrate(args) => migrate(args, stop),
    })
}

/// Returns who runs this command, as far as its environment says.
pub(crate) fn user() -> Option<String> {
    let names = ["USER", "LOGNAME", "USERNAME"].into_iter().filter_map(|name| env::var(name).ok());
    names.map(|name| name.chars().take(128).collect::<String>()).find(|name| !name.is_empty())
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

/// Calls of a journal, to be shown.
struct Listing {
    calls: Vec<CallRecord>,
    /// How many calls there ever were, and how many of them are hashes alone. A database is not
    /// counted.
    counts: Option<(u64, usize)>,
}

fn list(args: &List, stop: &Stop) -> Result<(), Failure> {
    let Listing { calls, counts } = match &args.at {
        JournalAt::File(file) => {
            let book = if args.all { JournalFile::read_all(file) } else { JournalFile::read(file) };
            let book = book.map_err(|error| file::unusable(file, &error))?;
            let calls = book.calls().filter(|call| args.all || call.is_in_doubt());
            let counts = Some((book.next_id() - 1, book.hashed()));
            Listing { calls: calls.cloned().collect(), counts }
        }
        JournalAt::Database(database) => {
            let limit = TimeLimit::of(LONGEST_READ);
            let (reached, all) = (Reached::for_command(database, &args.server, limit)?, args.all);
            let calls = reached.asked(move |address| match all {
                true => JournalPostgres::read_newest(address, u32::MAX),
                false => JournalPostgres::read_in_doubt(address),
            })?;
            Listing { calls, counts: None }
        }
    };
    stop.take_over()?;
    if args.json {
        out::line(Value::from_iter(calls.iter().map(object)))?;
    } else {
        out::line(text(&args.at, &calls, counts))?;
    }
    Ok(())
}

/// Formats the calls for people.
fn text(at: &JournalAt, calls: &[CallRecord], counts: Option<(u64, usize)>) -> String {
    let in_doubt = calls.iter().filter(|call| call.is_in_doubt()).count();
    let mut lines: Vec<_> = calls.iter().map(line).collect();
    if let Some((_, hashed @ 1..)) = counts {
        lines.push(format!("Only hashes are kept of {hashed} calls that were done."));
    }
    let ask = format!(
        "Ask the service (status, info, search) for their outcome. Then: imts journal resolve {at} \
         ID --as done (or refused)"
    );
    lines.push(match (in_doubt, counts) {
        (0, Some((all, _))) => format!("No call is in doubt; the journal has had {all}."),
        (0, None) => "No call is in doubt.".to_owned(),
        (some, Some((all, _))) => {
            format!("{some} in doubt; the journal has had {all} calls. {ask}")
        }
        (some, None) => format!("{some} in doubt. {ask}"),
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
    let id = args.id;
    let finding = match args.ended {
        Ended::Done => Finding::Done,
        Ended::Refused => Finding::Refused,
    };
    let reason = args.reason.clone().unwrap_or_else(|| "no reason was given".to_owned());
    let resolution = Resolution { finding, reason, by: user() };
    let limit = TimeLimit::of(args.timeout);
    let mut journal = Opened::again(&args.at, &args.server, &args.folder, limit, log, stop)?;
    let call = journal.resolve(id, resolution)?;
    if args.json {
        out::line(object(&call))?;
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
    let (at, limit) = (&args.at, TimeLimit::of(args.timeout));
    let in_doubt = match at {
        JournalAt::File(path) => {
            let options = options(&args.folder).accept(&args.reason, user().as_deref());
            let journal = file::opened_again(path, &options, limit, log, stop)?;
            journal.book().in_doubt().count()
        }
        JournalAt::Database(database) => {
            let reached = Reached::for_command(database, &args.server, limit)?;
            stop.take_over()?;
            let reason = args.reason.clone();
            reached.asked(move |address| {
                JournalPostgres::accept(address, &reason, user().as_deref())?;
                Ok(JournalPostgres::read_in_doubt(address)?.len())
            })?
        }
    };
    if args.json {
        out::line(json!({ "accepted": true, "in_doubt": in_doubt }))?;
    } else {
        let see = match log.is_quiet() {
            true => String::new(),
            false => format!(" See: imts journal list {at}"),
        };
        out::line(format_args!("accepted; {in_doubt} in doubt.{see}"))?;
    }
    Ok(())
}

fn migrate(args: &Migrate, stop: &Stop) -> Result<(), Failure> {
    let JournalAt::Database(database) = &args.at else {
        return Err(Failure::usage(
            "only a journal in a database has tables: give postgres://USER@HOST/DATABASE",
        ));
    };
    let reached = Reached::for_command(database, &args.server, TimeLimit::of(LONGEST_READ))?;
    stop.take_over()?;
    let Migrated { from, to, .. } = reached.asked(JournalPostgres::migrate)?;
    if args.json {
        out::line(json!({ "from": from, "to": to }))?;
    } else {
        out::line(match from {
            0 => format!("the journal's tables were created, with version {to}"),
            from if from == to => format!("the journal's tables have version {to} already"),
            from => format!("the journal's tables have version {to} now; before, {from}"),
        })?;
    }
    Ok(())
}
