//! `imts journal reconcile`: a command of the operator's own finds out about each call in doubt.
//!
//! Owns the running of that command, and what its answer is worth. It never sends anything itself.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use imts::journal::{Answer, Finding, ReconcileStep, Reconciling, Unresolved};
use imts::{CallRecord, Clock, Ending, Mono, Recovery, SystemClock};
use serde_json::{Map, Value};

use super::{object, opened_again, options, user, wrong};
use crate::args::Reconcile;
use crate::failure::{Failure, Kind};
use crate::log::Log;
use crate::out;
use crate::timeout::TimeLimit;
use crate::values::date;

/// How long it is until the next look whether the command has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// What is written down as the reason of a finding.
const REASON: &str = "answered by the command of `imts journal reconcile`";

/// The longest answer that is read, in bytes: it is one word.
const MAX_ANSWER: u64 = 4_096;

pub(super) fn run(args: &Reconcile, log: Log) -> Result<(), Failure> {
    // From here to the end nobody else may send: an answer would be out of date at once.
    let mut journal =
        opened_again(&args.file, &options(&args.folder), TimeLimit::of(args.timeout), log)?;
    let calls: Vec<_> = journal.book().in_doubt().cloned().collect();
    let count = calls.len();
    let settings = imts::journal::Reconcile::default().interval(args.pause);
    let settings = user().into_iter().fold(settings, imts::journal::Reconcile::by);
    let mut pass = Reconciling::new(calls, settings, Mono::from_micros(u64::MAX));
    let mut asked = None;
    loop {
        let now = SystemClock.now();
        match pass.poll(now) {
            ReconcileStep::Ask(call) => {
                if let Some(until) = call.under_way_until(now.wall) {
                    let why = format!("it may still be under way, until {}", date(until));
                    tell(args.json, &call, Ending::Unknown, Some(&why))?;
                    pass.skip(Some(Unresolved::UnderWay { until: Some(until) }));
                    continue;
                }
                let answer = Answer::from(ask(args, &call));
                if let Answer::Unknown(why) = &answer {
                    let why = Some(why.as_str()).filter(|why| !why.is_empty());
                    tell(args.json, &call, Ending::Unknown, why)?;
                }
                pass.on_answer(answer, SystemClock.now());
                asked = Some(call);
            }
            ReconcileStep::Record { id, resolution } => {
                let ending = match resolution.finding {
                    Finding::Done => Ending::Done,
                    Finding::Refused => Ending::Refused,
                };
                journal.resolve(id, resolution).map_err(|error| wrong(&args.file, &error))?;
                pass.on_recorded(Ok(()));
                if let Some(call) = asked.take() {
                    tell(args.json, &call, ending, None)?;
                }
            }
            ReconcileStep::Wait { until } => thread::sleep(until.since(now.mono)),
            ReconcileStep::Over(report) if report.in_doubt.is_empty() => break,
            ReconcileStep::Over(report) => {
                return Err(still_in_doubt(args, report.in_doubt.len(), count));
            }
        }
    }
    if !args.json {
        out::line(format_args!("No call is in doubt any more; {count} were."))?;
    }
    Ok(())
}

fn tell(json: bool, call: &CallRecord, ending: Ending, why: Option<&str>) -> Result<(), Failure> {
    if json {
        let mut object = object(call);
        object["answer"] = ending.as_str().into();
        object["why"] = why.into();
        return out::line(object).map(drop);
    }
    let words = match ending {
        Ending::Done => "done; written down",
        Ending::Refused => "refused, or never done; written down",
        Ending::Unknown | Ending::NotSent => "still unknown",
    };
    let reference = call
        .reference
        .as_deref()
        .map_or(String::new(), |reference| format!(", reference {}", reference.escape_debug()));
    let why = why.map_or(String::new(), |why| format!(": {why}"));
    out::line(format_args!("call {} ({}{reference}): {words}{why}", call.id, call.operation))
        .map(drop)
}

fn still_in_doubt(args: &Reconcile, left: usize, of: usize) -> Failure {
    let message = format!("{left} of {of} calls are still in doubt");
    let advice =
        format!("Run it again later, or look at them: imts journal list {}", args.file.display());
    let details = Map::from_iter([("in_doubt".to_owned(), Value::from(left))]);
    Failure::new(Kind::InDoubt, Recovery::Resolve, message).advising(advice).with_details(details)
}

/// What the command says of a call, or why its answer is worth nothing.
fn ask(args: &Reconcile, call: &CallRecord) -> Result<Answer, String> {
    let limit = TimeLimit::of(args.each);
    let mut child = shell(&args.command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the command cannot be run: {error}"))?;
    let answer = heard(&mut child, format!("{}\n", object(call)), limit);
    let answer = match answer {
        Ok(answer) => ended(&mut child, limit).map(|()| answer),
        Err(why) => Err(why),
    };
    if answer.is_err() {
        // It may have ended by itself; what it has started is not this command's.
        let _ended = child.kill();
        let _reaped = child.wait();
    }
    match answer?.trim() {
        "done" => Ok(Answer::Done(REASON.to_owned())),
        "refused" => Ok(Answer::Refused(REASON.to_owned())),
        "unknown" => Ok(Answer::Unknown(String::new())),
        // It is not repeated: it may be anything.
        _ => Err("the command printed neither done, refused nor unknown".to_owned()),
    }
}

#[cfg(not(windows))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    shell
}

#[cfg(windows)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]);
    shell
}

/// All that it prints.
fn heard(child: &mut Child, input: String, limit: TimeLimit) -> Result<String, String> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("the command has no stdin or no stdout".to_owned());
    };
    let thread = |error| format!("the machine has no thread to give: {error}");
    // A command that reads nothing must not hold this one up.
    let write = move || {
        let _unread = stdin.write_all(input.as_bytes());
    };
    thread::Builder::new().spawn(write).map_err(thread)?;
    let (read, answer) = mpsc::sync_channel(1);
    let listen = move || {
        let mut answer = String::new();
        let all = stdout.take(MAX_ANSWER).read_to_string(&mut answer);
        let _heard = read.send(all.map(|_| answer));
    };
    thread::Builder::new().spawn(listen).map_err(thread)?;
    match answer.recv_timeout(limit.left()) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err("the command printed what is not text".to_owned()),
        Err(_) => Err(too_long()),
    }
}

/// Waits for its end, which must be a good one.
fn ended(child: &mut Child, limit: TimeLimit) -> Result<(), String> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("the command failed ({status})")),
            Ok(None) if limit.left().is_zero() => return Err(too_long()),
            Ok(None) => thread::sleep(PAUSE),
            Err(error) => return Err(format!("the command cannot be waited for: {error}")),
        }
    }
}

fn too_long() -> String {
    "the command took longer than --each allows".to_owned()
}
