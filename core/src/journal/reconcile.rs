//! What to ask about each call in doubt, when, and what to write down of the answers.
//!
//! Owns the order and the pace. It never sends a call: who asks the service, and how, is the
//! integrator's callback. Whether a finding may be written down is the journal's rule.

use std::collections::VecDeque;
use std::fmt::Display;
use std::time::Duration;

use super::{CallRecord, Finding, RecordError, Resolution};
use crate::time::{Mono, Now, Wall};
use crate::trouble::Source;

/// What a callback found out of a call in doubt, with the reason that is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The service did it: the same intent is never sent again.
    Done(String),
    /// The service did not do it, and will not: the same intent may be sent again. If the service did
    /// it after all, it is then done twice.
    Refused(String),
    /// Nothing is known: the call stays in doubt.
    Unknown(String),
}

impl<E: Display> From<Result<Self, E>> for Answer {
    /// A callback that failed has found out nothing.
    fn from(answer: Result<Self, E>) -> Self {
        answer.unwrap_or_else(|error| Self::Unknown(error.to_string()))
    }
}

/// How calls in doubt are asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Reconcile {
    interval: Duration,
    within: Option<Duration>,
    by: Option<String>,
}

impl Reconcile {
    /// The pause after one question and before the next. Default: 2 s, the pace that the service
    /// asks for between payment calls.
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// How long all of it may take. Default: the patience of the client.
    pub fn within(self, within: Duration) -> Self {
        Self { within: Some(within), ..self }
    }

    /// Who asks: it is written down with each finding.
    pub fn by(self, by: impl Into<String>) -> Self {
        Self { by: Some(by.into()), ..self }
    }

    /// How long all of it may take, if that was said.
    #[must_use]
    pub fn time_limit(&self) -> Option<Duration> {
        self.within
    }
}

impl Default for Reconcile {
    fn default() -> Self {
        Self { interval: Duration::from_secs(2), within: None, by: None }
    }
}

/// What became of calls in doubt that were asked about. Each is in one of the two lists, but for those
/// of which the outcome became known meanwhile by other means.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Reconciled {
    /// The calls of which something was found out and written down, in this order.
    pub resolved: Vec<(u64, Finding)>,
    /// The calls that stay in doubt, and why.
    pub in_doubt: Vec<(u64, Unresolved)>,
}

/// Why a call stays in doubt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Unresolved {
    /// The callback found out nothing, for this reason.
    Unknown(String),
    /// The callback was ended, or it failed without an answer.
    NoAnswer(Source),
    /// The call may still be under way. It was not asked about, or the answer was too early.
    UnderWay {
        /// When its sender has given it up at the latest, by this machine's clock.
        until: Option<Wall>,
    },
    /// The journal could not be read or written. Nothing more was asked after that.
    Journal(RecordError),
    /// The time was over, or the journal broke, before it was its turn.
    NotAsked,
}

/// What a reconciliation wants of whoever polls it.
#[derive(Debug)]
#[must_use]
pub enum ReconcileStep {
    /// Ask the callback about this call if it is still in doubt and not under way, then report
    /// [`Reconciling::on_answer`] or [`Reconciling::on_unresolved`]; else [`Reconciling::skip`].
    Ask(Box<CallRecord>),
    /// Write this down, then report [`Reconciling::on_recorded`].
    Record {
        /// The number of the call.
        id: u64,
        /// What was found out.
        resolution: Resolution,
    },
    /// Nothing is to be done before this time.
    Wait {
        /// When to poll again.
        until: Mono,
    },
    /// It has ended. Said once.
    Over(Reconciled),
}

/// One pass over the calls in doubt, oldest first.
///
/// [`poll`](Reconciling::poll) is the one output. Dropping it at any point loses nothing: what was
/// found out so far is written down, and the others are in doubt as before.
#[derive(Debug)]
pub struct Reconciling {
    calls: VecDeque<CallRecord>,
    settings: Reconcile,
    deadline: Mono,
    stage: Stage,
    report: Reconciled,
}

#[derive(Debug)]
enum Stage {
    /// The next call is due at this time.
    Due(Mono),
    /// The callback is asked about this call.
    Asked(u64),
    /// This is to be written down, and then the next call is due at this time.
    Found(u64, Resolution, Mono),
    /// It is being written down.
    Recording(u64, Finding, Mono),
}

impl Reconciling {
    /// Asks about these calls, and begins with none after the deadline.
    #[must_use]
    pub fn new(calls: Vec<CallRecord>, settings: Reconcile, deadline: Mono) -> Self {
        let (stage, report) = (Stage::Due(Mono::default()), Reconciled::default());
        Self { calls: calls.into(), settings, deadline, stage, report }
    }

    /// What to do next.
    pub fn poll(&mut self, now: Now) -> ReconcileStep {
        match std::mem::replace(&mut self.stage, Stage::Due(Mono::default())) {
            Stage::Due(at) => {
                // A wait that would last until the deadline is of no use.
                if now.mono.max(at) >= self.deadline {
                    self.give_up();
                }
                match self.calls.pop_front() {
                    None => ReconcileStep::Over(std::mem::take(&mut self.report)),
                    Some(call) if now.mono < at => {
                        self.calls.push_front(call);
                        self.stage = Stage::Due(at);
                        ReconcileStep::Wait { until: at }
                    }
                    Some(call) => {
                        self.stage = Stage::Asked(call.id);
                        ReconcileStep::Ask(Box::new(call))
                    }
                }
            }
            Stage::Found(id, resolution, due) => {
                self.stage = Stage::Recording(id, resolution.finding, due);
                ReconcileStep::Record { id, resolution }
            }
            stage @ (Stage::Asked(_) | Stage::Recording(..)) => {
                self.stage = stage;
                ReconcileStep::Wait { until: Mono::from_micros(u64::MAX) }
            }
        }
    }

    /// The callback has answered.
    pub fn on_answer(&mut self, answer: Answer, now: Now) {
        let (finding, reason) = match answer {
            Answer::Done(reason) => (Finding::Done, reason),
            Answer::Refused(reason) => (Finding::Refused, reason),
            Answer::Unknown(reason) => return self.on_unresolved(Unresolved::Unknown(reason), now),
        };
        if let Stage::Asked(id) = self.stage {
            let reason = reason.chars().take(LONGEST_REASON).collect();
            let resolution = Resolution { finding, reason, by: self.settings.by.clone() };
            self.stage = Stage::Found(id, resolution, self.next(now));
        }
    }

    /// The callback was asked, and the call stays in doubt.
    pub fn on_unresolved(&mut self, why: Unresolved, now: Now) {
        if let Stage::Asked(id) = self.stage {
            self.report.in_doubt.push((id, why));
            self.stage = Stage::Due(self.next(now));
        }
    }

    /// The outcome of the call became known by other means, perhaps by the callback's own.
    pub fn on_known(&mut self, now: Now) {
        if let Stage::Asked(_) = self.stage {
            self.stage = Stage::Due(self.next(now));
        }
    }

    /// The callback was not asked: the outcome is known by now, or the call stays in doubt for this
    /// reason. The next one is due at once.
    pub fn skip(&mut self, why: Option<Unresolved>) {
        if let Stage::Asked(id) = self.stage {
            self.report.in_doubt.extend(why.map(|why| (id, why)));
            self.stage = Stage::Due(Mono::default());
        }
    }

    /// The journal cannot be read any more, so nothing more is asked.
    pub fn on_broken(&mut self, error: RecordError) {
        let (Stage::Asked(id) | Stage::Found(id, ..) | Stage::Recording(id, ..)) = self.stage
        else {
            return;
        };
        self.stage = Stage::Due(Mono::default());
        self.report.in_doubt.push((id, Unresolved::Journal(error)));
        self.give_up();
    }

    /// What came of [`ReconcileStep::Record`].
    pub fn on_recorded(&mut self, outcome: Result<(), RecordError>) {
        let Stage::Recording(id, finding, due) = self.stage else { return };
        match outcome {
            Ok(()) => self.report.resolved.push((id, finding)),
            Err(RecordError::UnderWay { until, .. }) => {
                self.report.in_doubt.push((id, Unresolved::UnderWay { until }));
            }
            Err(error) => return self.on_broken(error),
        }
        self.stage = Stage::Due(due);
    }

    fn next(&self, now: Now) -> Mono {
        now.mono.after(self.settings.interval)
    }

    fn give_up(&mut self) {
        let left = self.calls.drain(..).map(|call| (call.id, Unresolved::NotAsked));
        self.report.in_doubt.extend(left);
    }
}

/// How many characters of a reason are written down.
const LONGEST_REASON: usize = 1_024;
