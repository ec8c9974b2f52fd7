//! Signals that ask the command to end: Ctrl-C, a polite request, a terminal that hangs up.
//!
//! Owns the catching, and the race between a signal and a command's work. What an interrupted
//! command reports is the command's own matter.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// How long a command may take to end after a signal, before it is ended.
const LAST: Duration = Duration::from_secs(8);

/// How long the work is waited for after a signal.
const GRACE: Duration = Duration::from_secs(5);

/// A signal, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signal(pub(crate) &'static str);

/// From now on, an interrupt ends nothing by itself: it arrives here.
pub(crate) fn caught() -> Result<Receiver<Signal>, Failure> {
    let (interrupted, interrupts) = mpsc::channel();
    catch(move |signal| {
        let _heard = interrupted.send(signal);
    })?;
    Ok(interrupts)
}

/// What came first: the work's end, or a signal.
pub(crate) enum First<T> {
    /// The work has ended; `None` if it panicked.
    Ended(Option<T>),
    /// A signal came, and the work goes on.
    Signal(Signal, Rest<T>),
}

/// Work that goes on after a signal.
pub(crate) struct Rest<T>(Receiver<Event<T>>);

enum Event<T> {
    Ended(Option<T>),
    Signal(Signal),
}

impl<T> Rest<T> {
    /// Waits for the work's end a little longer; `None` if it does not come, or if it panicked.
    /// Further signals change nothing.
    pub(crate) fn wait(self) -> Option<T> {
        let end = Instant::now() + GRACE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.0.recv_timeout(left) {
                Ok(Event::Ended(ended)) => return ended,
                Ok(Event::Signal(_)) => {}
                Err(_) => return None,
            }
        }
    }
}

/// Does the work on a thread of its own, and yields what came first.
///
/// From now on the command ends by itself. If it has not done so some seconds after the first
/// signal, because stdout takes nothing any more, it is ended with the exit code that `code` yields.
pub(crate) fn race<T: Send + 'static>(
    code: impl Fn() -> u8 + Send + 'static,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<First<T>, Failure> {
    let (events, next) = mpsc::channel();
    let (noted, was_noted) = mpsc::channel();
    let signals = events.clone();
    catch(move |signal| {
        drop(signals.send(Event::Signal(signal)));
        let _heard = noted.send(());
    })?;
    spawn(move || {
        if was_noted.recv().is_ok() {
            thread::sleep(LAST);
            process::exit(code().into());
        }
    })?;
    spawn(move || drop(events.send(Event::Ended(catch_unwind(AssertUnwindSafe(work)).ok()))))?;
    Ok(match next.recv() {
        Ok(Event::Ended(ended)) => First::Ended(ended),
        Ok(Event::Signal(signal)) => First::Signal(signal, Rest(next)),
        // The work sends its end whatever becomes of it.
        Err(_) => First::Ended(None),
    })
}

fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    thread::Builder::new()
        .spawn(work)
        .map(drop)
        .map_err(|error| Failure::usage(format!("the machine has no thread to give: {error}")))
}

#[cfg(unix)]
fn catch(mut told: impl FnMut(Signal) + Send + 'static) -> Result<(), Failure> {
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::signal_name;
    let mut signals = Signals::new(heeded())
        .map_err(|error| Failure::usage(format!("cannot wait for an interrupt: {error}")))?;
    spawn(move || {
        for number in signals.forever() {
            told(Signal(signal_name(number).unwrap_or("a signal")));
        }
    })
}

/// The signals that are asked to be heeded: one that was ignored when the command began, as by
/// `nohup`, stays ignored. Only Linux says which these are.
#[cfg(unix)]
fn heeded() -> Vec<i32> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| ignored >> (signal - 1) & 1 == 0)
        .collect()
}

#[cfg(not(unix))]
fn catch(mut told: impl FnMut(Signal) + Send + 'static) -> Result<(), Failure> {
    ctrlc::set_handler(move || told(Signal("Ctrl-C")))
        .map_err(|error| Failure::usage(format!("cannot wait for an interrupt: {error}")))
}
