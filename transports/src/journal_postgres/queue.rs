//! What callers have submitted, and what the thread has not done yet.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use imts_core::journal::{CallRecord, Entry};
use tokio::sync::{Notify, oneshot};

use super::error::JournalPostgresError;
use super::job::Job;
use super::reading::Which;

/// Where the outcome of an entry goes. If no one waits for it, the receiver is gone.
pub(super) type Outcome = oneshot::Sender<Result<(), JournalPostgresError>>;

/// Where the calls that someone reads go.
pub(super) type Calls = oneshot::Sender<Result<Vec<CallRecord>, JournalPostgresError>>;

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) jobs: VecDeque<(Job, Outcome)>,
    pub(super) reads: Vec<(Which, Calls)>,
    /// Numbers for calls, which no other client has.
    pub(super) numbers: VecDeque<u64>,
    /// For callers that wait for such a number.
    pub(super) waiting: Vec<Outcome>,
    /// Why there is no connection, if there is none.
    pub(super) down: Option<JournalPostgresError>,
    pub(super) is_closing: bool,
}

/// What the thread and its callers share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    pub(super) changed: Notify,
}

impl Shared {
    /// Locks the queue. No one holds it while the database works.
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an entry is recorded later if there is no connection now: an end. Otherwise its call
/// would stay in doubt without a need.
pub(super) fn is_late(job: &Job) -> bool {
    matches!(job.entry, Entry::Ended { .. })
}

/// How many ends wait for a connection at most.
pub(super) const MOST_LATE: usize = 10_000;
