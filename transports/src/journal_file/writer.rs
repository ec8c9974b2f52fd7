//! The one writer of a journal. Records that callers add while the disk is busy are written
//! together, and one sync makes them durable.
//!
//! Owns the queue and the thread. A caller holds the queue's lock only to add a record, never while
//! the disk works. Only the writing thread locks the file. Records are written in the order in
//! which they were taken in. The thread begins with the first record that someone waits for
//! elsewhere. If the system provides no thread, the caller's thread does the work.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use imts_core::journal::CallRecord;

use super::append::{Appender, Worth};
use super::compact::{Compacted, OnCompaction};
use super::error::JournalError;
use super::ticket::{self, Promise, Ticket};

/// How long a record that no one waits for may be written and not durable: 50 ms.
pub(super) const LINGER: Duration = Duration::from_millis(50);

/// When a record must be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Someone waits for it.
    Now,
    /// With the next [`Now`](Self::Now) record, or after [`LINGER`]. Someone waits until it is
    /// written, so that it outlives this process.
    Soon,
    /// With the next [`Now`](Self::Now) record, or after [`LINGER`].
    Later,
}

/// The state of a call before a record that may fail to be written.
#[derive(Debug)]
pub(super) struct Undo {
    pub(super) id: u64,
    pub(super) before: Option<CallRecord>,
    /// Why it was not written, once that is known.
    pub(super) why: Option<JournalError>,
}

/// The records that are to be written.
#[derive(Debug, Default)]
pub(super) struct Queue {
    records: Vec<u8>,
    /// Where the last of them begins.
    last: usize,
    undo: Vec<Undo>,
    /// For callers that wait until their record is durable.
    promises: Vec<Promise>,
    /// For callers that wait until their record is written.
    written: Vec<Promise>,
    /// Whether the thread must write now.
    is_ripe: bool,
    /// Since when there is a record that is not durable, and that no one waits for.
    waiting_since: Option<Instant>,
    /// Whether the thread sleeps until it is notified.
    is_asleep: bool,
    is_closing: bool,
    /// What could not be written, oldest first, and must be taken back.
    failed: Vec<Undo>,
    /// Why no more records are taken in, if so.
    broken: Option<JournalError>,
}

impl Queue {
    pub(super) fn broken(&self) -> Option<&JournalError> {
        self.broken.as_ref()
    }

    /// Returns what must be taken back, the last one first. This must happen before anything else
    /// is added.
    pub(super) fn take_failed(&mut self) -> impl Iterator<Item = Undo> {
        std::mem::take(&mut self.failed).into_iter().rev()
    }

    fn add(&mut self, record: &[u8], undo: Undo, when: When) -> Option<Ticket> {
        self.last = self.records.len();
        self.records.extend_from_slice(record);
        self.undo.push(undo);
        if when != When::Now {
            self.waiting_since.get_or_insert_with(Instant::now);
        }
        self.is_ripe |= when != When::Later;
        let promises = match when {
            When::Now => &mut self.promises,
            When::Soon => &mut self.written,
            When::Later => return None,
        };
        let (promise, ticket) = ticket::pair();
        promises.push(promise);
        Some(ticket)
    }

    /// Returns when a record that no one waits for is due.
    fn due(&self) -> Option<Instant> {
        self.waiting_since.and_then(|since| since.checked_add(LINGER))
    }
}

/// Writes the records.
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    appender: Mutex<Appender>,
}

impl Writer {
    pub(super) fn new(appender: Appender) -> Self {
        let queue = Mutex::new(Queue { broken: appender.broken().cloned(), ..Queue::default() });
        let shared = Shared { queue, changed: Condvar::new(), appender: Mutex::new(appender) };
        Self { shared: Arc::new(shared), thread: None }
    }

    /// Locks the queue, so that one record can be checked and added.
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.shared.queue()
    }

    /// Begins the thread, if there is none.
    pub(super) fn begin(&mut self) {
        if self.thread.is_none() {
            let shared = Arc::clone(&self.shared);
            let thread = thread::Builder::new().name("imts-journal".to_owned());
            self.thread = thread.spawn(move || shared.run()).ok();
        }
    }

    /// Adds a record. The thread writes it; if there is no thread, the caller's thread does.
    pub(super) fn add(
        &self,
        mut queue: MutexGuard<'_, Queue>,
        record: &[u8],
        undo: Undo,
        when: When,
    ) -> Option<Ticket> {
        let ticket = queue.add(record, undo, when);
        let is_called = queue.is_ripe || queue.is_asleep;
        drop(queue);
        if self.thread.is_none() {
            if when != When::Later {
                self.flush();
            }
        } else if is_called {
            self.shared.changed.notify_one();
        }
        ticket
    }

    /// Makes all added records durable, on the caller's thread.
    pub(super) fn flush(&self) {
        self.shared.flush(true);
    }

    /// Compacts the file, on the caller's thread; `None` if that is not worth it.
    pub(super) fn compact(&self, worth: Worth) -> Result<Option<Compacted>, JournalError> {
        self.shared.appender().compact(worth)
    }
}

impl Drop for Writer {
    /// Makes all records durable, and waits for that.
    fn drop(&mut self) {
        self.shared.queue().is_closing = true;
        self.shared.changed.notify_one();
        match self.thread.take() {
            // A waiter that this thread woke may have dropped the journal: then the thread ends by
            // itself.
            Some(thread) if thread.thread().id() == thread::current().id() => {}
            Some(thread) => drop(thread.join()),
            None => self.shared.flush(true),
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("queue", &*self.shared.queue()).finish_non_exhaustive()
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the thread.
    fn run(&self) {
        loop {
            let mut queue = self.queue();
            let is_due = queue.due().is_some_and(|due| due <= Instant::now());
            if queue.is_ripe || is_due || queue.is_closing {
                let is_over = queue.is_closing;
                drop(queue);
                self.flush(is_due || is_over);
                if is_over {
                    return;
                }
                self.compact_if_due();
                continue;
            }
            match queue.due() {
                Some(due) => {
                    let left = due.saturating_duration_since(Instant::now());
                    drop(self.changed.wait_timeout(queue, left));
                }
                None => {
                    queue.is_asleep = true;
                    let queue = self.changed.wait(queue);
                    queue.unwrap_or_else(PoisonError::into_inner).is_asleep = false;
                }
            }
        }
    }

    /// Compacts the file if it has become long. What is recorded meanwhile waits.
    fn compact_if_due(&self) {
        let mut appender = self.appender();
        if !appender.is_due() {
            return;
        }
        let outcome = appender.compact(Worth::Half).transpose();
        let listener = appender.settings().on_compaction.clone();
        drop(appender);
        if let (Some(outcome), Some(OnCompaction(listener))) = (outcome, listener) {
            // If this thread ended, nothing more would be written.
            let _ = catch_unwind(AssertUnwindSafe(|| listener(&outcome)));
        }
    }

    fn appender(&self) -> MutexGuard<'_, Appender> {
        self.appender.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all added records. Syncs if it must, or if someone waits for it.
    fn flush(&self, must_sync: bool) {
        // The thread that holds the file writes next: what is added later is written later.
        let mut appender = self.appender();
        let mut queue = self.queue();
        queue.is_ripe = false;
        let (records, last) = (std::mem::take(&mut queue.records), queue.last);
        let undo = std::mem::take(&mut queue.undo);
        let (promises, written) =
            (std::mem::take(&mut queue.promises), std::mem::take(&mut queue.written));
        let syncs = !promises.is_empty() || must_sync && queue.waiting_since.is_some();
        if syncs {
            queue.waiting_since = None;
        }
        drop(queue);
        let mut outcome = Ok(());
        if !records.is_empty() {
            outcome = appender.append(records, last);
        }
        let mut left = Vec::new();
        if let Err(why) = &outcome {
            let undo = if appender.broken().is_none() { undo } else { Vec::new() };
            left = self.fail(&appender, undo, why);
        }
        drop(appender);
        report(written, &outcome);
        if syncs && outcome.is_ok() {
            let mut appender = self.appender();
            outcome = appender.sync();
            if let Err(why) = &outcome {
                left = self.fail(&appender, Vec::new(), why);
            }
        }
        report(promises.into_iter().chain(left), &outcome);
    }

    /// Takes out of the queue all records that may depend on one that was not written. Returns the
    /// promises of their waiters. These records must be taken back too.
    fn fail(&self, appender: &Appender, mut undo: Vec<Undo>, why: &JournalError) -> Vec<Promise> {
        let mut queue = self.queue();
        queue.broken = appender.broken().cloned();
        undo.append(&mut queue.undo);
        for undo in &mut undo {
            undo.why = Some(why.clone());
        }
        queue.failed.append(&mut undo);
        queue.records.clear();
        (queue.is_ripe, queue.waiting_since) = (false, None);
        let mut promises = std::mem::take(&mut queue.promises);
        promises.append(&mut queue.written);
        promises
    }
}

/// Reports an outcome to waiters. No lock may be held.
fn report(promises: impl IntoIterator<Item = Promise>, outcome: &Result<(), JournalError>) {
    for promise in promises {
        promise.resolve(outcome.clone());
    }
}
