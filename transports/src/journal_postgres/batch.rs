//! Entries of several callers in one transaction, so that one commit makes all of them durable.
//!
//! Owns the order of its statements. The core's book decides about each call; the unique index
//! decides which of two clients sends an intent. A transaction may be run again after its answer
//! was lost: each entry recognizes what it has done before.

use std::collections::BTreeMap;

use imts_core::call::Ending;
use imts_core::journal::{
    CLOCK_MARGIN, CallRecord, CallState, Entry, EntryError, Intent, IntentKey,
};
use imts_core::time::Wall;
use tokio_postgres::{Client, Row};

use super::error::JournalPostgresError;
use super::guard::{Guard, Seen};
use super::job::{Job, admit, decided, parts};
use super::rows::{Stored, Values};
use super::statements;
use super::together::together;
use crate::postgres::StatementError;

/// Why a transaction has no result.
#[derive(Debug)]
pub(super) enum Halt {
    /// Another transaction was in the way, and this one did nothing: run it again.
    Again(StatementError),
    /// It is not known whether it was committed: run it again on another connection.
    Unanswered(StatementError),
    /// The server refuses a value of an entry.
    Values(JournalPostgresError),
    /// Nothing may be recorded.
    Refused(JournalPostgresError),
}

/// What became of each entry, in the same order.
pub(super) type Results = Vec<Result<(), JournalPostgresError>>;

type Rows = Result<Vec<Row>, Halt>;

/// One transaction.
pub(super) struct Batch<'a> {
    pub(super) client: &'a Client,
    /// The name of this opening of the journal.
    pub(super) holder: &'a str,
    pub(super) jobs: &'a [Job],
    /// Whether an earlier try may have been committed, because its answer was lost.
    pub(super) is_again: bool,
}

impl Batch<'_> {
    /// Records all entries that the journal permits, or, if it fails, none.
    pub(super) async fn run(&self, seen: &mut Seen) -> Result<Results, Halt> {
        let mut guard = None;
        let outcome = match self.begin().await {
            Ok(found) => {
                let checked = found.check(seen).map_err(Halt::Refused);
                guard = Some(found);
                match checked {
                    Ok(()) => self.recorded(seen).await,
                    Err(halt) => Err(halt),
                }
            }
            Err(halt) => Err(halt),
        };
        if !matches!(outcome, Ok(_) | Err(Halt::Unanswered(_))) {
            // If this fails, the connection is broken, which the next transaction finds.
            let _ = self.client.batch_execute("ROLLBACK").await;
        }
        let is_news = guard.is_some_and(|guard| !guard.is_known_as_rewound());
        if is_news && matches!(outcome, Err(Halt::Refused(JournalPostgresError::Rewound))) {
            let _ = self.client.batch_execute(statements::REWOUND).await;
        }
        outcome
    }

    async fn begin(&self) -> Result<Guard, Halt> {
        let waits = |job: &Job| matches!(job.entry, Entry::Sending { .. } | Entry::Resolved { .. });
        let at_once = if self.jobs.iter().any(waits) { "" } else { statements::NOT_AT_ONCE };
        let begin = format!("{}{}{at_once}", statements::BEGIN, statements::GUARD);
        let messages = self.client.simple_query(&begin).await.map_err(|error| halt(&error))?;
        Guard::read(&messages).ok_or(Halt::Refused(JournalPostgresError::NoJournal))
    }

    async fn recorded(&self, seen: &mut Seen) -> Result<Results, Halt> {
        let results = self.record().await?;
        let commit = format!("COMMIT; {}", statements::FLUSHED);
        let messages = self.client.simple_query(&commit).await.map_err(|error| halt(&error))?;
        seen.on_flushed(&messages);
        Ok(results)
    }

    async fn record(&self) -> Result<Results, Halt> {
        let sending: Vec<_> = self.sending().collect();
        let asked: Vec<_> = self.admitting().collect();
        let known = self.jobs.iter().filter(|job| job.is_end()).map(|job| job.id).collect();
        let mut first = together(vec![
            Box::pin(self.stand_back(&sending)),
            Box::pin(self.send(&sending)),
            Box::pin(self.locked(known)),
            Box::pin(self.standing(&asked)),
        ])
        .await
        .into_iter();
        let mut next = || first.next().unwrap_or_else(|| Ok(Vec::new()));
        next()?;
        let sent: Vec<u64> = next()?.iter().filter_map(number).collect();
        let (mut stored, mut standing) = (by_number(&next()?)?, by_number(&next()?)?);
        let is_sent = |job: &Job| sent.contains(&job.id);
        let unsent: Vec<_> = sending.iter().copied().filter(|(job, _)| !is_sent(job)).collect();
        if !unsent.is_empty() {
            let ids = unsent.iter().map(|(job, _)| job.id).collect();
            let more = together(vec![Box::pin(self.locked(ids)), Box::pin(self.standing(&unsent))]);
            let mut more = more.await.into_iter();
            let mut next = || more.next().unwrap_or_else(|| Ok(Vec::new()));
            stored.append(&mut by_number(&next()?)?);
            standing.append(&mut by_number(&next()?)?);
        }
        let mut changed = BTreeMap::new();
        let mut apply = |job: &Job, own: &Stored| {
            let call = job.applied(own, self.holder, self.is_again)?;
            changed.extend(call.map(|call| (job.id, call)));
            Ok(())
        };
        let mut results = Results::new();
        for job in self.jobs {
            results.push(match (&job.entry, stored.get(&job.id)) {
                (Entry::Intent(intent), _) => admit(intent, intent.at, standing.get(&job.id)),
                (Entry::Sending { .. }, _) if is_sent(job) => Ok(()),
                (_, Some(own)) => apply(job, own),
                (Entry::Sending { .. }, None) => match job.lost(standing.get(&job.id)) {
                    Some(error) => Err(error),
                    None => return Err(Halt::Again(gone())),
                },
                // A request that did not leave has no row, unless its sending was recorded.
                (Entry::Ended { ending: Ending::NotSent, .. }, None) => Ok(()),
                (Entry::Ended { .. } | Entry::Resolved { .. }, None) => {
                    Err(EntryError::NoSuchCall { id: job.id }.into())
                }
            });
        }
        // What a decision has passed for nothing stands again.
        let passed = unsent.iter().filter_map(|(_, intent)| decided(intent)).collect();
        self.write(&changed, passed).await?;
        Ok(results)
    }

    fn sending(&self) -> impl Iterator<Item = (&Job, &Intent)> {
        let is_sending = |job: &&Job| matches!(job.entry, Entry::Sending { .. });
        self.jobs.iter().filter(is_sending).filter_map(|job| Some((job, job.intent.as_ref()?)))
    }

    fn admitting(&self) -> impl Iterator<Item = (&Job, &Intent)> {
        self.jobs.iter().filter_map(|job| match &job.entry {
            Entry::Intent(intent) => Some((job, intent)),
            _ => None,
        })
    }

    async fn stand_back(&self, sending: &[(&Job, &Intent)]) -> Rows {
        let gone = |job: &Job| job.at().unix_micros().saturating_sub(micros(CLOCK_MARGIN));
        let all = sending.iter();
        let decided = all.filter_map(|(job, it)| Some((decided(it)?, it.key(), gone(job))));
        let decided: Vec<_> = decided.collect();
        if decided.is_empty() {
            return Ok(Vec::new());
        }
        let values = Values::default().numbers(decided.iter().map(|(id, ..)| *id));
        let values = keys(values, decided.iter().map(|(_, key, _)| key));
        let values = values.maybe_numbers(decided.iter().map(|(.., gone)| Some(*gone)));
        self.query(statements::STAND_BACK, &values).await
    }

    async fn send(&self, sending: &[(&Job, &Intent)]) -> Rows {
        if sending.is_empty() {
            return Ok(Vec::new());
        }
        let all = || sending.iter().map(|(_, intent)| *intent);
        let keys: Vec<_> = all().map(|intent| parts(&intent.key())).collect();
        let scope = |intent: &Intent| intent.scope.clone();
        let times = sending.iter().map(|(job, _)| match job.entry {
            Entry::Sending { at, until, .. } => (Some(at.unix_micros()), until),
            _ => (None, None),
        });
        let despite = |intent: &Intent| intent.despite.clone();
        let values = Values::default()
            .text(self.holder.to_owned())
            .numbers(sending.iter().map(|(job, _)| job.id))
            .texts(all().map(|intent| intent.operation.clone()))
            .texts(all().map(|intent| scope(intent).map(|it| it.url).unwrap_or_default()))
            .texts(keys.iter().map(|(url, ..)| url.clone()))
            .texts(all().map(|intent| scope(intent).map(|it| it.agent).unwrap_or_default()))
            .texts(all().map(|intent| intent.reference.clone().unwrap_or_default()))
            .texts(keys.iter().map(|(.., reference)| reference.clone()))
            .numbers(all().map(|intent| intent.digest.0))
            .maybe_numbers(all().map(|it| it.meaning.map(|it| super::rows::signed(it.0))))
            .maybe_numbers(all().map(|intent| Some(intent.at.unix_micros())))
            .maybe_numbers(times.clone().map(|(at, _)| at))
            .maybe_numbers(times.map(|(_, until)| until.map(Wall::unix_micros)))
            .maybe_numbers(all().map(|it| despite(it).map(|it| super::rows::signed(it.id))))
            .maybe_texts(all().map(|intent| despite(intent).map(|it| it.reason)))
            .maybe_texts(all().map(|intent| despite(intent).and_then(|it| it.by)));
        self.query(statements::SEND, &values).await
    }

    async fn locked(&self, ids: Vec<u64>) -> Rows {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.query(statements::LOCKED, &Values::default().numbers(ids.into_iter())).await
    }

    async fn standing(&self, asked: &[(&Job, &Intent)]) -> Rows {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let values = Values::default().numbers(asked.iter().map(|(job, _)| job.id));
        let of: Vec<_> = asked.iter().map(|(_, intent)| intent.key()).collect();
        self.query(statements::STANDING, &keys(values, of.iter())).await
    }

    async fn write(
        &self,
        changed: &BTreeMap<u64, CallRecord>,
        mut free: Vec<u64>,
    ) -> Result<(), Halt> {
        let all = || changed.values();
        let time = |at: Option<Wall>| at.map(Wall::unix_micros);
        let found = |call: &CallRecord| call.resolution.clone();
        let values = Values::default()
            .numbers(changed.keys().copied())
            .texts(all().map(|call| call.state.as_str().to_owned()))
            .maybe_numbers(all().map(|call| time(call.sent_at)))
            .maybe_numbers(all().map(|call| time(call.sending_until)))
            .maybe_numbers(all().map(|call| time(call.ended_at)))
            .maybe_texts(all().map(|it| found(it).map(|it| it.finding.as_str().to_owned())))
            .maybe_texts(all().map(|call| found(call).map(|it| it.reason)))
            .maybe_texts(all().map(|call| found(call).and_then(|it| it.by)));
        if !changed.is_empty() {
            self.query(statements::CHANGE, &values).await?;
        }
        let is_free =
            |call: &&CallRecord| matches!(call.state, CallState::Refused | CallState::NotSent);
        free.extend(all().filter(is_free).map(|call| call.id));
        if !free.is_empty() {
            let values = Values::default().numbers(free.into_iter());
            self.query(statements::STAND_AGAIN, &values).await?;
        }
        Ok(())
    }

    async fn query(&self, sql: &str, values: &Values) -> Rows {
        self.client.query_typed(sql, &values.all()).await.map_err(|error| halt(&error))
    }
}

fn keys<'a>(values: Values, keys: impl Iterator<Item = &'a IntentKey> + Clone) -> Values {
    values
        .texts(keys.clone().map(|key| parts(key).0))
        .texts(keys.clone().map(|key| parts(key).1))
        .texts(keys.map(|key| parts(key).2))
}

/// What stood in the way of a sending has ended by now.
fn gone() -> StatementError {
    StatementError::Unanswered("another call was in the way".to_owned())
}

fn micros(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn number(row: &Row) -> Option<u64> {
    row.try_get(0).ok().map(super::rows::unsigned)
}

/// The calls of these rows, each by the number that recognizes it.
fn by_number(rows: &[Row]) -> Result<BTreeMap<u64, Stored>, Halt> {
    let all = rows.iter().map(|row| Stored::read(row).map(|stored| (stored.number, stored)));
    all.collect::<Option<_>>().ok_or(Halt::Refused(JournalPostgresError::Damaged))
}

/// What an error of the database means for a transaction.
fn halt(error: &tokio_postgres::Error) -> Halt {
    let failed = StatementError::of(error);
    let StatementError::Refused { code, .. } = &failed else { return Halt::Unanswered(failed) };
    match code.as_bytes() {
        // A conflict, a deadlock, a lock that was not free in time, two inserts at once.
        b"40001" | b"40P01" | b"55P03" | b"23505" => Halt::Again(failed),
        // The server ends this session, has no room for it, or ended the transaction.
        [b'0', b'8', ..] | [b'5', b'7', ..] | [b'5', b'3', ..] | [b'2', b'5', b'P', ..] => {
            Halt::Unanswered(failed)
        }
        [b'2', b'2', ..] => Halt::Values(JournalPostgresError::Database(failed.into_error())),
        _ => {
            let code = code.clone();
            Halt::Refused(JournalPostgresError::of_code(&code, failed.into_error()))
        }
    }
}
