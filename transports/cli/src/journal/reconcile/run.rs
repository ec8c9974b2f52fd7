//! Runs the operator's command once, and reads its answer about a call.

use std::process::Command;
use std::time::Duration;

use imts::journal::Answer;
use serde_json::Value;

use crate::child::{self, NoOutput};
use crate::interrupt::Stop;
use crate::timeout::TimeLimit;

/// The reason that is recorded with a finding.
const REASON: &str = "answered by the command of `imts journal reconcile`";

/// The longest answer that is read, in bytes. An answer is one word.
const MAX_ANSWER: u64 = 4_096;

/// Returns the command's answer about a call, or why the answer cannot be used.
///
/// After a signal, or once the time is over, the command and every process that it has started are
/// ended.
pub(super) fn ask(
    command: &str,
    call: &Value,
    within: Duration,
    stop: &Stop,
) -> Result<Answer, String> {
    let (input, limit) = (format!("{call}\n"), TimeLimit::of(within));
    let is_stopped = || stop.check().is_err();
    let output = child::output(&mut shell(command), Some(input), MAX_ANSWER, limit, is_stopped);
    let answer = output.map_err(|error| match error {
        NoOutput::NotRun(error) => format!("cannot run the command: {error}"),
        NoOutput::Failed(status) => format!("the command failed ({status})"),
        NoOutput::TooLong(_) => WORD.to_owned(),
        NoOutput::TimedOut => "the command took longer than --each allows".to_owned(),
        NoOutput::Interrupted => "this command was interrupted".to_owned(),
    })?;
    match answer.trim_ascii() {
        b"done" => Ok(Answer::Done(REASON.to_owned())),
        b"refused" => Ok(Answer::Refused(REASON.to_owned())),
        b"unknown" => Ok(Answer::Unknown(String::new())),
        // The message does not repeat the answer: it may be anything.
        _ => Err(WORD.to_owned()),
    }
}

const WORD: &str = "the command did not print done, refused or unknown";

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]);
    shell
}
