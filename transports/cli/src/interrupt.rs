//! Signals that ask the command to end: Ctrl-C, SIGTERM, SIGHUP.
//!
//! Owns catching the signals, the race between a signal and a command's work, and which of the two
//! reports how the command ended. Does not know what an interrupted call reports: the call's own
//! module does.

#[cfg(unix)]
mod handover;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use imts::Recovery;
use serde_json::Map;

#[cfg(unix)]
pub(crate) use self::handover::Handover;
use crate::failure::{Failure, Kind};
use crate::{child, terminal};

/// How long a command may take to end after a signal. Then it is ended.
const LAST: Duration = Duration::from_secs(8);

/// How long to wait for the work after a signal.
const GRACE: Duration = Duration::from_secs(5);

/// A signal, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signal(pub(crate) &'static str);

impl Failure {
    /// Creates a failure: a signal came before anything that matters was sent.
    pub(crate) fn interrupted(signal: Signal, before: &str) -> Self {
        let message = format!("{} came before {before}", signal.0);
        let details = Map::from_iter([("signal".to_owned(), signal.0.into())]);
        Self::new(Kind::Interrupted, Recovery::Retry { after: None }, message)
            .advising("Run it again.")
            .with_details(details)
    }
}

/// Does a command's work, and returns how the command ended. That is the work's own result, or
/// interrupted if a signal came `before` the command's purpose was done.
///
/// If the work has [taken over](Stop::take_over), it is waited for after a signal. Other work is
/// left running: it changes nothing, and prints nothing more.
pub(crate) fn ending(
    before: &'static str,
    work: impl FnOnce(&Stop) -> Result<(), Failure> + Send + 'static,
) -> Result<(), Failure> {
    let stop = Stop::new(before);
    let of_work = stop.clone();
    // If the machine has no thread left, this thread does the work, and a signal kills it.
    let Ok(race) = Race::begin(|| Kind::Interrupted.exit_code()) else { return work(&stop) };
    match race.run(move || work(&of_work))? {
        First::Ended(Some(outcome)) => outcome,
        First::Ended(None) => Err(Failure::usage("the command failed because of a bug")),
        First::Signal(signal, rest) => {
            let outcome = if stop.tell(signal) { rest.wait() } else { None };
            child::end_all();
            outcome.unwrap_or_else(|| Err(Failure::interrupted(signal, before)))
        }
    }
}

/// Asks a command's work to stop, and knows whether the work or the signal reports the end. Clones
/// are the same.
#[derive(Clone)]
pub(crate) struct Stop(Arc<Shared>);

struct Shared {
    before: &'static str,
    state: Mutex<State>,
    told: Condvar,
}

#[derive(Default)]
struct State {
    signal: Option<Signal>,
    is_taken_over: bool,
}

impl Stop {
    pub(crate) fn new(before: &'static str) -> Self {
        Self(Arc::new(Shared { before, state: Mutex::default(), told: Condvar::new() }))
    }

    /// From now on, the work stops by itself within a few seconds after a signal, and reports the
    /// end.
    pub(crate) fn take_over(&self) -> Result<(), Failure> {
        let mut state = self.state();
        self.go_on(&state)?;
        state.is_taken_over = true;
        Ok(())
    }

    /// Returns an error once a signal has come.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.go_on(&self.state())
    }

    /// Waits for this time. If a signal comes, returns an error.
    pub(crate) fn wait(&self, time: Duration) -> Result<(), Failure> {
        let waited =
            self.0.told.wait_timeout_while(self.state(), time, |state| state.signal.is_none());
        self.go_on(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    fn go_on(&self, state: &State) -> Result<(), Failure> {
        state.signal.map_or(Ok(()), |signal| Err(Failure::interrupted(signal, self.0.before)))
    }

    /// Records a signal. Returns whether the work reports the end.
    fn tell(&self, signal: Signal) -> bool {
        let mut state = self.state();
        state.signal = Some(signal);
        self.0.told.notify_all();
        state.is_taken_over
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    /// Waits a little longer for the work's end. Returns `None` if it does not come, or if it
    /// panicked.
    pub(crate) fn wait(self) -> Option<T> {
        match self.0.recv_timeout(GRACE) {
            Ok(Event::Ended(ended)) => ended,
            _ => None,
        }
    }
}

/// The race between a signal and a command's work.
pub(crate) struct Race<T> {
    events: Sender<Event<T>>,
    next: Receiver<Event<T>>,
}

impl<T: Send + 'static> Race<T> {
    /// Starts to catch signals. From now on a signal does not kill the command; the command ends by
    /// itself. If it has not ended some seconds later, because stdout takes nothing more, the
    /// process ends with the exit code that `code` returns. Further signals change nothing.
    pub(crate) fn begin(code: impl Fn() -> u8 + Send + 'static) -> Result<Self, Failure> {
        let (events, next) = mpsc::channel();
        let signals = events.clone();
        catch(move |signal| {
            terminal::restore();
            drop(signals.send(Event::Signal(signal)));
            thread::sleep(LAST);
            process::exit(code().into());
        })?;
        Ok(Self { events, next })
    }

    /// Does the work on its own thread, and returns what came first.
    pub(crate) fn run(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<First<T>, Failure> {
        let Self { events, next } = self;
        spawn(move || drop(events.send(Event::Ended(catch_unwind(AssertUnwindSafe(work)).ok()))))?;
        Ok(match next.recv() {
            Ok(Event::Ended(ended)) => First::Ended(ended),
            Ok(Event::Signal(signal)) => First::Signal(signal, Rest(next)),
            // The work sends its end in every case.
            Err(_) => First::Ended(None),
        })
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    thread::Builder::new()
        .spawn(work)
        .map(drop)
        .map_err(|error| Failure::machine(format!("cannot start a thread: {error}")))
}

/// Calls `told` from a thread at the first signal.
#[cfg(unix)]
fn catch(told: impl FnOnce(Signal) + Send + 'static) -> Result<(), Failure> {
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::signal_name;
    let (catching, caught) = mpsc::channel();
    // The thread comes first: if there is none, a signal must end the command as before.
    spawn(move || {
        let mut signals = match Signals::new(heeded()) {
            Ok(signals) => signals,
            Err(error) => return drop(catching.send(Err(error))),
        };
        drop(catching.send(Ok(())));
        if let Some(number) = signals.forever().next() {
            told(Signal(signal_name(number).unwrap_or("a signal")));
        }
    })?;
    let caught = caught.recv().unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()));
    caught.map_err(|error| Failure::machine(format!("cannot catch signals: {error}")))
}

/// Returns the signals to catch. A signal that was ignored when the command began, as by `nohup`,
/// stays ignored. Only Linux reports which these are.
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

/// Calls `told` from a thread at the first interrupt.
#[cfg(not(unix))]
fn catch(told: impl FnOnce(Signal) + Send + 'static) -> Result<(), Failure> {
    let mut told = Some(told);
    ctrlc::set_handler(move || told.take().map_or((), |told| told(Signal("Ctrl-C"))))
        .map_err(|error| Failure::machine(format!("cannot catch signals: {error}")))
}
