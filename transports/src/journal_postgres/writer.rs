//! The one writer of a journal, as its callers see it: they add to a queue, and the thread works.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use imts_core::journal::CallRecord;
use tokio::sync::oneshot;

use super::error::JournalPostgresError;
use super::job::Job;
use super::queue::{MOST_LATE, Shared, is_late};
use super::reading::Which;
use super::thread::Thread;
use crate::postgres::PostgresAddress;

/// The writer, as callers see it.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Connects, and checks that the journal can be used.
    pub(super) fn open(
        address: PostgresAddress,
        time_limit: Duration,
    ) -> Result<Self, JournalPostgresError> {
        let shared = Arc::<Shared>::default();
        let (opened, outcome) = oneshot::channel();
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new().name("imts-journal".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => {
                    runtime.block_on(Thread::new(address, time_limit, theirs).run(opened));
                    // A lookup of a name may still be under way, and no one needs it.
                    runtime.shutdown_background();
                }
                Err(error) => drop(opened.send(Err(JournalPostgresError::no_thread(&error)))),
            }
        });
        let thread = Some(thread.map_err(|error| JournalPostgresError::no_thread(&error))?);
        let writer = Self { shared, thread };
        wait(outcome).unwrap_or(Err(JournalPostgresError::Closed)).map(|()| writer)
    }

    /// Takes a number for a call. Waits for the database only if all numbers of the last block are
    /// given.
    pub(super) fn number(&self) -> Result<u64, JournalPostgresError> {
        loop {
            let mut queue = self.shared.queue();
            if let Some(why) = &queue.down {
                return Err(why.clone());
            }
            if let Some(number) = queue.numbers.pop_front() {
                return Ok(number);
            }
            let (sender, more) = oneshot::channel();
            queue.waiting.push(sender);
            drop(queue);
            self.shared.changed.notify_one();
            wait(more).unwrap_or(Err(JournalPostgresError::Closed))?;
        }
    }

    /// Adds an entry. If there is no connection, it fails at once.
    pub(super) fn add(&self, job: Job) -> oneshot::Receiver<Result<(), JournalPostgresError>> {
        let (outcome, receiver) = oneshot::channel();
        let mut queue = self.shared.queue();
        match queue.down.clone() {
            Some(why) => {
                if is_late(&job) && queue.jobs.len() < MOST_LATE {
                    queue.jobs.push_back((job, oneshot::channel().0));
                }
                drop(queue);
                let _ = outcome.send(Err(why));
            }
            None => {
                queue.jobs.push_back((job, outcome));
                drop(queue);
                self.shared.changed.notify_one();
            }
        }
        receiver
    }

    /// Reads calls.
    pub(super) fn read(&self, which: Which) -> Result<Vec<CallRecord>, JournalPostgresError> {
        let (calls, receiver) = oneshot::channel();
        let mut queue = self.shared.queue();
        if let Some(why) = &queue.down {
            return Err(why.clone());
        }
        queue.reads.push((which, calls));
        drop(queue);
        self.shared.changed.notify_one();
        wait(receiver).unwrap_or(Err(JournalPostgresError::Closed))
    }
}

impl Drop for Writer {
    /// Records what was submitted, and waits for that, at most for the time limit.
    fn drop(&mut self) {
        self.shared.queue().is_closing = true;
        self.shared.changed.notify_one();
        // A waiter that this thread woke may have dropped the journal: then it ends by itself.
        let other = self.thread.take().filter(|it| it.thread().id() != thread::current().id());
        if let Some(thread) = other {
            drop(thread.join());
        }
    }
}

/// Waits on this thread. `None` if the sender is gone.
pub(super) fn wait<T>(receiver: oneshot::Receiver<T>) -> Option<T> {
    crate::sync::wait(std::pin::pin!(receiver)).ok()
}
