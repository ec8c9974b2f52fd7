//! How long a command may take.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
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
    /// the limit. If the system provides no thread, this thread does the work, and waits for it as
    /// long as it takes: files do not block.
    pub(crate) fn bound<T: Send + 'static>(
        self,
        what: &str,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (done, outcome) = mpsc::sync_channel(1);
        let work = Arc::new(Mutex::new(Some(work)));
        let of_thread = Arc::clone(&work);
        let spawned = thread::Builder::new().spawn(move || {
            if let Some(work) = taken(&of_thread) {
                drop(done.send(work()));
            }
        });
        if spawned.is_err()
            && let Some(work) = taken(&work)
        {
            return work();
        }
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

/// Takes the work, which is done once.
fn taken<W>(work: &Mutex<Option<W>>) -> Option<W> {
    work.lock().unwrap_or_else(PoisonError::into_inner).take()
}
