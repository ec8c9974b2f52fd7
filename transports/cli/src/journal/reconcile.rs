//! `imts journal reconcile`: runs the operator's own command to find out about each call in doubt.
//!
//! Owns the pass over the calls, and what is printed of each. Never sends anything itself.

mod run;

use imts::Recovery;
use imts::call::Ending;
use imts::clock::{Clock, SystemClock};
use imts::journal::CallRecord;
use imts::journal::{Answer, Finding, ReconcileStep, Reconciling, Unresolved};
use imts::time::Mono;
use serde_json::{Map, Value};

use super::{Opened, object, user};
use crate::args::Reconcile;
use crate::failure::{Failure, Kind};
use crate::interrupt::Stop;
use crate::log::Log;
use crate::out;
use crate::timeout::TimeLimit;
use crate::values::date;

pub(super) fn run(args: &Reconcile, log: Log, stop: &Stop) -> Result<(), Failure> {
    // A file stays locked to the end, so no other process sends. In a database, a call in doubt is not
    // sent by anyone.
    let limit = TimeLimit::of(args.timeout);
    let mut journal = Opened::again(&args.at, &args.server, &args.folder, limit, log, stop)?;
    let calls = journal.in_doubt()?;
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
                    let why = format!("it may still be under way until {}", date(until));
                    tell(args.json, &call, Ending::Unknown, Some(&why))?;
                    pass.skip(Some(Unresolved::UnderWay { until: Some(until) }));
                    continue;
                }
                stop.check().map_err(interrupted(&mut journal))?;
                let call_line = object(&call);
                let answer = Answer::from(run::ask(&args.command, &call_line, args.each, stop));
                if let Answer::Unknown(why) = &answer {
                    // The signal may have ended the command. An answer that came before the signal
                    // still counts.
                    stop.check().map_err(interrupted(&mut journal))?;
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
                journal.resolve(id, resolution)?;
                pass.on_recorded(Ok(()));
                if let Some(call) = asked.take() {
                    tell(args.json, &call, ending, None)?;
                }
            }
            ReconcileStep::Wait { until } => {
                stop.wait(until.since(now.mono)).map_err(interrupted(&mut journal))?;
            }
            ReconcileStep::Over(report) if report.in_doubt.is_empty() => break,
            ReconcileStep::Over(report) => {
                return Err(still_in_doubt(args, report.in_doubt.len(), count));
            }
        }
    }
    if !args.json {
        out::line(format_args!("No call is in doubt now; before, {count} were."))?;
    }
    Ok(())
}

/// Completes the failure after a signal: what was recorded stays, and the other calls stay in
/// doubt.
fn interrupted(journal: &mut Opened) -> impl FnOnce(Failure) -> Failure {
    |failure| match journal.in_doubt() {
        Ok(calls) => failure.with_detail("in_doubt", calls.len()),
        Err(_) => failure,
    }
}

fn tell(json: bool, call: &CallRecord, ending: Ending, why: Option<&str>) -> Result<(), Failure> {
    if json {
        let mut object = object(call);
        object["answer"] = ending.as_str().into();
        object["why"] = why.into();
        out::line(object)?;
        return Ok(());
    }
    let words = match ending {
        Ending::Done => "done; recorded",
        Ending::Refused => "refused, or never done; recorded",
        Ending::Unknown | Ending::NotSent => "still unknown",
    };
    let reference = call
        .reference
        .as_deref()
        .map_or(String::new(), |reference| format!(", reference {}", reference.escape_debug()));
    let why = why.map_or(String::new(), |why| format!(": {why}"));
    out::line(format_args!("call {} ({}{reference}): {words}{why}", call.id, call.operation))?;
    Ok(())
}

fn still_in_doubt(args: &Reconcile, left: usize, of: usize) -> Failure {
    let message = format!("{left} of {of} calls are still in doubt");
    let advice = format!("Run it again later, or see them: imts journal list {}", args.at);
    let details = Map::from_iter([("in_doubt".to_owned(), Value::from(left))]);
    Failure::new(Kind::InDoubt, Recovery::Resolve, message).advising(advice).with_details(details)
}
