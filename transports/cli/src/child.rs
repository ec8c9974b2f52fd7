//! Runs a command of the operator's: gives it its input, reads what it prints, and waits for its end
//! or ends it.
//!
//! Owns the command's process group, and what a signal does to it. Does not know what the command's
//! output means.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::timeout::TimeLimit;

/// How long to wait before the next check whether the command has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// How long the command's processes have after SIGTERM. Then they are killed.
const GRACE: Duration = Duration::from_secs(2);

/// Why there is no output.
#[derive(Debug)]
pub(crate) enum NoOutput {
    /// The program cannot be started, or its output cannot be read.
    NotRun(io::Error),
    /// It ended without success.
    Failed(ExitStatus),
    /// It has printed more bytes than this.
    TooLong(u64),
    /// It took longer than it may. It was ended.
    TimedOut,
    /// A signal came, and it was ended.
    Interrupted,
}

/// Runs a command to its end, and returns what it printed on stdout: at most `most` bytes.
///
/// Once `limit` is over, or [`end_all`] is called, or `is_stopped` returns true, the command and
/// every process that it has started are ended.
pub(crate) fn output(
    command: &mut Command,
    input: Option<String>,
    most: u64,
    limit: TimeLimit,
    is_stopped: impl Fn() -> bool,
) -> Result<Zeroizing<Vec<u8>>, NoOutput> {
    let _running = Running::begin()?;
    own_group(command).stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(NoOutput::NotRun)?;
    let goes_on = || match () {
        () if is_stopped() || state().is_ending => Err(NoOutput::Interrupted),
        () if limit.left().is_zero() => Err(NoOutput::TimedOut),
        () => Ok(()),
    };
    let heard = heard(&mut child, input, most, goes_on);
    let heard = heard.and_then(|heard| ended(&mut child, goes_on).map(|()| heard));
    if heard.is_err() && !matches!(child.try_wait(), Ok(Some(_))) {
        end(&mut child);
    }
    heard
}

/// Ends every command that runs, and waits until they are gone. No command is started after this.
pub(crate) fn end_all() {
    let mut state = state();
    state.is_ending = true;
    let gone = STATE.1.wait_timeout_while(state, GRACE * 2, |state| state.running > 0);
    drop(gone.unwrap_or_else(PoisonError::into_inner));
}

#[derive(Default)]
struct State {
    is_ending: bool,
    running: usize,
}

/// A signal is of the whole process, and so is this.
static STATE: (Mutex<State>, Condvar) =
    (Mutex::new(State { is_ending: false, running: 0 }), Condvar::new());

fn state() -> MutexGuard<'static, State> {
    STATE.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A command that runs.
struct Running;

impl Running {
    fn begin() -> Result<Self, NoOutput> {
        let mut state = state();
        if state.is_ending {
            return Err(NoOutput::Interrupted);
        }
        state.running += 1;
        Ok(Self)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        state().running -= 1;
        STATE.1.notify_all();
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt;
    command.process_group(0)
}

#[cfg(not(unix))]
fn own_group(command: &mut Command) -> &mut Command {
    command
}

/// Reads all that the command prints. Its memory does not grow meanwhile if the output is short:
/// what it grew out of would not be wiped.
fn heard(
    child: &mut Child,
    input: Option<String>,
    most: u64,
    goes_on: impl Fn() -> Result<(), NoOutput>,
) -> Result<Zeroizing<Vec<u8>>, NoOutput> {
    const SHORT: usize = 66_000;
    // A command that does not read its input must not block this one.
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        let write = move || {
            let _unread = stdin.write_all(input.as_bytes());
        };
        thread::Builder::new().spawn(write).map_err(NoOutput::NotRun)?;
    }
    let Some(stdout) = child.stdout.take() else {
        return Err(NoOutput::NotRun(io::ErrorKind::BrokenPipe.into()));
    };
    let (read, output) = mpsc::sync_channel(1);
    let listen = move || {
        let mut bytes = Zeroizing::new(Vec::with_capacity(SHORT));
        let all = stdout.take(most + 1).read_to_end(&mut bytes);
        let _heard = read.send(all.map(|_| bytes));
    };
    thread::Builder::new().spawn(listen).map_err(NoOutput::NotRun)?;
    loop {
        match output.recv_timeout(PAUSE) {
            Ok(Ok(bytes)) if bytes.len() as u64 > most => return Err(NoOutput::TooLong(most)),
            Ok(Ok(bytes)) => return Ok(bytes),
            Ok(Err(error)) => return Err(NoOutput::NotRun(error)),
            Err(RecvTimeoutError::Timeout) => goes_on()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(NoOutput::NotRun(io::ErrorKind::BrokenPipe.into()));
            }
        }
    }
}

/// Waits for the command's end. Fails if its exit status is not success.
fn ended(child: &mut Child, goes_on: impl Fn() -> Result<(), NoOutput>) -> Result<(), NoOutput> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(NoOutput::Failed(status)),
            Ok(None) => goes_on()?,
            Err(error) => return Err(NoOutput::NotRun(error)),
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
        // The program may end before the processes that it has started.
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
