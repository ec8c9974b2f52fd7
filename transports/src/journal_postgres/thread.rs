//! The thread of a journal. Entries that callers submit while the database is busy are recorded in
//! one transaction.
//!
//! Owns the connection. While there is no connection, each entry fails at once. An end that could
//! not be recorded for that reason is recorded once there is a connection again. Does not know what
//! an entry means.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_postgres::Client;

use super::batch::{Batch, Halt, Results};
use super::error::JournalPostgresError;
use super::guard::Seen;
use super::job::Job;
use super::queue::{Calls, Outcome, Shared, is_late};
use super::reading::{self, Which};
use super::rows::{Values, unsigned};
use super::schema::query;
use super::statements;
use crate::postgres::{Connection, PostgresAddress, PostgresError, StatementError, within};

/// The writer's thread.
pub(super) struct Thread {
    address: PostgresAddress,
    time_limit: Duration,
    shared: Arc<Shared>,
    connection: Option<Connection>,
    /// The name of this opening of the journal.
    holder: String,
    seen: Seen,
}

impl Thread {
    pub(super) fn new(address: PostgresAddress, time_limit: Duration, shared: Arc<Shared>) -> Self {
        let (connection, holder, seen) = (None, String::new(), Seen::default());
        Self { address, time_limit, shared, connection, holder, seen }
    }

    /// Connects, reports whether the journal can be used, and works until it is dropped.
    pub(super) async fn run(mut self, opened: oneshot::Sender<Result<(), JournalPostgresError>>) {
        let outcome = self.open().await;
        let is_open = outcome.is_ok();
        if opened.send(outcome).is_err() || !is_open {
            return;
        }
        loop {
            let work = self.take();
            let is_idle = work.jobs.is_empty() && work.reads.is_empty() && !work.needs_numbers;
            if is_idle && work.is_closing {
                return;
            }
            if is_idle {
                self.shared.changed.notified().await;
                continue;
            }
            if let Err(why) = self.work(work).await {
                self.reconnect(why).await;
            }
        }
    }

    /// Connects for the first time: the journal must be usable.
    async fn open(&mut self) -> Result<(), JournalPostgresError> {
        self.connect().await?;
        let client = self.connection.as_ref().ok_or(JournalPostgresError::Closed)?.client();
        let none = Values::default();
        let rows = within(self.time_limit, query(client, statements::HOLDER, &none)).await??;
        let holder = rows.first().and_then(|row| row.try_get(0).ok());
        self.holder = holder.ok_or(JournalPostgresError::Closed)?;
        self.checked().await
    }

    async fn connect(&mut self) -> Result<(), JournalPostgresError> {
        self.connection = None;
        let opening = within(self.time_limit, Connection::open(&self.address));
        self.connection = Some(opening.await??);
        Ok(())
    }

    /// Checks what each transaction checks, and takes numbers.
    async fn checked(&mut self) -> Result<(), JournalPostgresError> {
        match self.transaction(&[], false).await {
            Ok(_) => self.take_numbers().await,
            Err(Halt::Again(failed) | Halt::Unanswered(failed)) => {
                Err(JournalPostgresError::Database(failed.into_error()))
            }
            Err(Halt::Values(error) | Halt::Refused(error)) => Err(error),
        }
    }

    fn take(&self) -> Work {
        let mut queue = self.shared.queue();
        let mut ids = BTreeSet::new();
        let mut jobs = Vec::new();
        // The entries of one call are recorded one after the other.
        while jobs.len() < MOST_TOGETHER && queue.jobs.front().is_some_and(|it| ids.insert(it.0.id))
        {
            jobs.extend(queue.jobs.pop_front());
        }
        let lacks_numbers = queue.numbers.len() < BLOCK / 2 || !queue.waiting.is_empty();
        Work {
            jobs,
            reads: std::mem::take(&mut queue.reads),
            needs_numbers: lacks_numbers && !queue.is_closing,
            is_closing: queue.is_closing,
        }
    }

    /// Does what there is to do. Fails if the connection is lost.
    async fn work(&mut self, work: Work) -> Result<(), JournalPostgresError> {
        if let Some(lost) = self.record(work.jobs).await {
            for (_, calls) in work.reads {
                let _ = calls.send(Err(lost.clone()));
            }
            return Err(lost);
        }
        for (which, calls) in work.reads {
            let client = self.connection.as_ref().ok_or(JournalPostgresError::Closed)?.client();
            let read = within(self.time_limit, reading::read(client, which)).await;
            let read = read.unwrap_or_else(|late| Err(late.into()));
            let lost = read.as_ref().err().filter(|error| is_lost(error)).cloned();
            let _ = calls.send(read);
            if let Some(lost) = lost {
                return Err(lost);
            }
        }
        if work.needs_numbers {
            self.take_numbers().await?;
        }
        Ok(())
    }

    /// Records entries, and reports what became of each. Returns why the connection is lost, if it
    /// is.
    async fn record(&mut self, work: Vec<(Job, Outcome)>) -> Option<JournalPostgresError> {
        if work.is_empty() {
            return None;
        }
        let (jobs, outcomes): (Vec<_>, Vec<_>) = work.into_iter().unzip();
        let (results, lost) = match self.settled(&jobs, false).await {
            Ok(results) => (results, None),
            Err((error, is_lost)) => {
                (jobs.iter().map(|_| Err(error.clone())).collect(), is_lost.then_some(error))
            }
        };
        if lost.is_some() {
            let mut queue = self.shared.queue();
            queue.down = lost.clone();
            for job in jobs.into_iter().rev().filter(is_late) {
                queue.jobs.push_front((job, oneshot::channel().0));
            }
        }
        for (outcome, result) in outcomes.into_iter().zip(results) {
            let _ = outcome.send(result);
        }
        lost
    }

    /// Runs a transaction until it is known what became of it. The second part of an error says
    /// whether the connection is lost.
    async fn settled(
        &mut self,
        jobs: &[Job],
        is_again: bool,
    ) -> Result<Results, (JournalPostgresError, bool)> {
        let (begun, mut is_again) = (Instant::now(), is_again);
        loop {
            match self.transaction(jobs, is_again).await {
                Ok(results) => return Ok(results),
                Err(Halt::Again(failed)) if begun.elapsed() >= self.time_limit => {
                    return Err((failed.into_error().into(), false));
                }
                Err(Halt::Again(_)) => {}
                Err(Halt::Unanswered(failed)) => {
                    if begun.elapsed() >= self.time_limit {
                        return Err((failed.into_error().into(), true));
                    }
                    is_again = true;
                    self.connect().await.map_err(|error| (error, true))?;
                }
                Err(Halt::Values(error)) if jobs.len() == 1 => return Err((error, false)),
                Err(Halt::Values(_)) => {
                    // One entry must not take the others with it.
                    let mut results = Vec::new();
                    for job in jobs {
                        match Box::pin(self.settled(std::slice::from_ref(job), is_again)).await {
                            Ok(mut one) => results.append(&mut one),
                            Err((error, false)) => results.push(Err(error)),
                            Err(lost) => return Err(lost),
                        }
                    }
                    return Ok(results);
                }
                Err(Halt::Refused(error)) => {
                    // These numbers may be given again by another server.
                    self.shared.queue().numbers.clear();
                    return Err((error, false));
                }
            }
        }
    }

    async fn transaction(&mut self, jobs: &[Job], is_again: bool) -> Result<Results, Halt> {
        let Some(connection) = &self.connection else {
            return Err(Halt::Unanswered(StatementError::Unanswered("closed".into())));
        };
        let batch = Batch { client: connection.client(), holder: &self.holder, jobs, is_again };
        match within(self.time_limit, batch.run(&mut self.seen)).await {
            Ok(outcome) => outcome,
            Err(late) => {
                self.connection = None;
                Err(Halt::Unanswered(StatementError::Unanswered(late.to_string())))
            }
        }
    }

    async fn take_numbers(&mut self) -> Result<(), JournalPostgresError> {
        let client = self.connection.as_ref().ok_or(JournalPostgresError::Closed)?.client();
        let numbers = within(self.time_limit, numbers(client)).await;
        let mut queue = self.shared.queue();
        match numbers.map_err(JournalPostgresError::from).and_then(|numbers| numbers) {
            Ok(numbers) => {
                queue.numbers.extend(numbers);
                for waiting in queue.waiting.drain(..) {
                    let _ = waiting.send(Ok(()));
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Tries to connect until that works. Meanwhile each entry fails at once.
    async fn reconnect(&mut self, why: JournalPostgresError) {
        self.fail_all(&why);
        let mut pause = SHORTEST_PAUSE;
        loop {
            if self.shared.queue().is_closing {
                return self.leave();
            }
            let outcome = match self.connect().await {
                Ok(()) => self.checked().await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(()) => break,
                Err(error) if is_lost(&error) => self.fail_all(&error),
                // The server is there. Each entry gets its own answer.
                Err(_) => break,
            }
            let mut changed = pin!(self.shared.changed.notified());
            let mut paused = pin!(sleep(pause));
            std::future::poll_fn(|cx| {
                let is_over = paused.as_mut().poll(cx).is_ready();
                let is_called = changed.as_mut().poll(cx).is_ready();
                if is_over || is_called { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.shared.queue().down = None;
    }

    /// Gives up what is left, because the journal is dropped.
    fn leave(&self) {
        let mut queue = self.shared.queue();
        queue.jobs.clear();
        queue.reads.clear();
        queue.down = Some(JournalPostgresError::Closed);
    }

    /// Fails everything that waits, and what is submitted from now on. Ends stay, to be recorded
    /// later.
    fn fail_all(&self, why: &JournalPostgresError) {
        let mut queue = self.shared.queue();
        queue.numbers.clear();
        let mut outcomes = std::mem::take(&mut queue.waiting);
        let (jobs, reads) = (std::mem::take(&mut queue.jobs), std::mem::take(&mut queue.reads));
        queue.down = Some(why.clone());
        for (job, outcome) in jobs {
            outcomes.push(outcome);
            if is_late(&job) {
                queue.jobs.push_back((job, oneshot::channel().0));
            }
        }
        drop(queue);
        for outcome in outcomes {
            let _ = outcome.send(Err(why.clone()));
        }
        for (_, calls) in reads {
            let _ = calls.send(Err(why.clone()));
        }
    }
}

/// What the thread takes from the queue at once.
struct Work {
    jobs: Vec<(Job, Outcome)>,
    reads: Vec<(Which, Calls)>,
    needs_numbers: bool,
    is_closing: bool,
}

async fn numbers(client: &Client) -> Result<Vec<u64>, JournalPostgresError> {
    let block = i64::try_from(BLOCK).unwrap_or(i64::MAX);
    let rows = query(client, statements::NUMBERS, &Values::default().number(block)).await?;
    Ok(rows.iter().filter_map(|row| row.try_get(0).ok().map(unsigned)).collect())
}

fn is_lost(error: &JournalPostgresError) -> bool {
    use PostgresError as E;
    match error {
        JournalPostgresError::Database(E::Refused { code, .. }) => {
            ["08", "57", "53"].iter().any(|class| code.starts_with(class))
        }
        JournalPostgresError::Database(_) => true,
        _ => false,
    }
}

/// How many numbers for calls are taken at once.
const BLOCK: usize = 128;

/// How many entries are recorded in one transaction at most.
const MOST_TOGETHER: usize = 256;

/// How long the thread waits before it tries to connect again, at first and later.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
