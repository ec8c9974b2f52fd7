//! How long a command may take.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use imts::Recovery;

use crate::failure::{Failure, Kind};

/// A time limit that has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimit {
    end: Instant,
}

impl TimeLimit {
    pub(crate) fn of(limit: Duration) -> Self {
        Self { end: Instant::now() + limit }
    }

    pub(crate) fn left(self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Runs something that may block for long, such as reading a pipe. Waits for it no longer than
    /// the limit.
    pub(crate) fn bound<T: Send + 'static>(
        self,
        what: &str,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (done, outcome) = mpsc::sync_channel(1);
        thread::spawn(move || drop(done.send(work())));
        match outcome.recv_timeout(self.left()) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => {
                let (recovery, message) =
                    (Recovery::Retry { after: None }, format!("timed out while {what}"));
                Err(Failure::new(Kind::TimedOut, recovery, message)
                    .advising("Run it again, with a longer --timeout if need be."))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(Failure::usage(format!("the command failed because of a bug while {what}")))
            }
        }
    }
}
