//! Runs the operator's command once: reads its answer, and waits for its end or ends it.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use imts::journal::Answer;
use serde_json::Value;

use crate::interrupt::Stop;
use crate::timeout::TimeLimit;

/// How long to wait before the next check whether the command has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// How long the command's processes have after SIGTERM. Then they are killed.
#[cfg(unix)]
const GRACE: Duration = Duration::from_secs(2);

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
    let limit = TimeLimit::of(within);
    let mut child = shell(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run the command: {error}"))?;
    let goes_on = || match stop.check() {
        Err(_) => Err("this command was interrupted".to_owned()),
        Ok(()) if limit.left().is_zero() => {
            Err("the command took longer than --each allows".to_owned())
        }
        Ok(()) => Ok(()),
    };
    let answer = heard(&mut child, format!("{call}\n"), goes_on);
    let answer = answer.and_then(|answer| ended(&mut child, goes_on).map(|()| answer));
    if answer.is_err() && !matches!(child.try_wait(), Ok(Some(_))) {
        end(&mut child);
    }
    match answer?.trim() {
        "done" => Ok(Answer::Done(REASON.to_owned())),
        "refused" => Ok(Answer::Refused(REASON.to_owned())),
        "unknown" => Ok(Answer::Unknown(String::new())),
        // The message does not repeat the answer: it may be anything.
        _ => Err("the command did not print done, refused or unknown".to_owned()),
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).process_group(0);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]);
    shell
}

/// Reads all that the command prints.
fn heard(
    child: &mut Child,
    input: String,
    goes_on: impl Fn() -> Result<(), String>,
) -> Result<String, String> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("the command has no stdin or no stdout".to_owned());
    };
    let thread = |error| format!("cannot start a thread: {error}");
    // A command that does not read its input must not block this one.
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
    loop {
        match answer.recv_timeout(PAUSE) {
            Ok(Ok(answer)) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) => goes_on()?,
            _ => return Err("the command did not print text".to_owned()),
        }
    }
}

/// Waits for the command's end. Fails if its exit status is not success.
fn ended(child: &mut Child, goes_on: impl Fn() -> Result<(), String>) -> Result<(), String> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("the command failed ({status})")),
            Ok(None) => goes_on()?,
            Err(error) => return Err(format!("cannot wait for the command: {error}")),
        }
        thread::sleep(PAUSE);
    }
}

/// Ends the command and every process that it has started: first with SIGTERM, then with SIGKILL.
#[cfg(unix)]
fn end(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
    let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return };
    let signal = |signal| {
        let _gone = kill_process_group(group, signal);
    };
    signal(Signal::TERM);
    // A stopped process does not receive SIGTERM before this.
    signal(Signal::CONT);
    let limit = TimeLimit::of(GRACE);
    while !limit.left().is_zero() {
        // The shell may end before the processes that it has started.
        let _reaped = child.try_wait();
        if test_kill_process_group(group).is_err() {
            return;
        }
        thread::sleep(PAUSE);
    }
    signal(Signal::KILL);
    let _reaped = child.wait();
}

/// Ends the command. The processes that it has started go on.
#[cfg(not(unix))]
fn end(child: &mut Child) {
    let _ended = child.kill();
    let _reaped = child.wait();
}
