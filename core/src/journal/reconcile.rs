//! What to ask about each call in doubt, when, and what to record of the answers.
//!
//! Owns the order and the pace. Never sends a call: the integrator's callback asks the service.
//! Does not decide whether a finding may be recorded: the journal does.

use std::collections::VecDeque;
use std::fmt::Display;
use std::time::Duration;

use super::{CallRecord, Finding, RecordError, Resolution};
use crate::time::{Mono, Now, Wall};
use crate::transport_error::Source;

/// What a callback found out about a call in doubt, with the reason to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The service did it: the same intent is never sent again.
    Done(String),
    /// The service did not do it, and will not: the same intent may be sent again. If the service
    /// did it after all, it is then done twice.
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

/// The settings for asking about calls in doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Reconcile {
    interval: Duration,
    within: Option<Duration>,
    by: Option<String>,
}

impl Reconcile {
    /// Sets the pause after one question and before the next. Default: 2 s, the pace that the
    /// service asks for between payment calls.
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Sets how long the whole reconciliation may take. Default: the patience of the client.
    pub fn within(self, within: Duration) -> Self {
        Self { within: Some(within), ..self }
    }

    /// Sets who asks. This is recorded with each finding.
    pub fn by(self, by: impl Into<String>) -> Self {
        Self { by: Some(by.into()), ..self }
    }

    /// Returns how long the whole reconciliation may take, if that was set.
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

/// The result of asking about calls in doubt. Each call is in one of the two lists, except calls
/// whose outcome meanwhile became known by other means.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Reconciled {
    /// The calls about which something was found out and recorded, in this order.
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
    /// The callback was stopped, or failed without an answer.
    NoAnswer(Source),
    /// The call may still be under way. It was not asked about, or the answer came too early.
    UnderWay {
        /// When its sender has given up at the latest, by this machine's clock.
        until: Option<Wall>,
    },
    /// The journal could not be read or written. Nothing more was asked after that.
    Journal(RecordError),
    /// The time was over, or the journal failed, before this call was reached.
    NotAsked,
}

/// What a reconciliation asks its driver to do.
#[derive(Debug)]
#[must_use]
pub enum ReconcileStep {
    /// Ask the callback about this call if it is still in doubt and not under way. Then report
    /// [`Reconciling::on_answer`] or [`Reconciling::on_unresolved`]. Otherwise report
    /// [`Reconciling::skip`].
    Ask(Box<CallRecord>),
    /// Record this, then report [`Reconciling::on_recorded`].
    Record {
        /// The number of the call.
        id: u64,
        /// What was found out.
        resolution: Resolution,
    },
    /// Nothing has to be done before this time.
    Wait {
        /// When to poll again.
        until: Mono,
    },
    /// The reconciliation has ended. Yielded once.
    Over(Reconciled),
}

/// One pass over the calls in doubt, oldest first.
///
/// [`poll`](Reconciling::poll) is the only output. A pass may be dropped at any point without a
/// loss. What was found out so far is recorded, and the other calls are in doubt as before.
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
    /// The callback is being asked about this call.
    Asked(u64),
    /// This must be recorded. After that, the next call is due at this time.
    Found(u64, Resolution, Mono),
    /// This is being recorded.
    Recording(u64, Finding, Mono),
}

impl Reconciling {
    /// Makes a pass over these calls. After the deadline it asks about no further call.
    #[must_use]
    pub fn new(calls: Vec<CallRecord>, settings: Reconcile, deadline: Mono) -> Self {
        let (stage, report) = (Stage::Due(Mono::default()), Reconciled::default());
        Self { calls: calls.into(), settings, deadline, stage, report }
    }

    /// Returns what to do next.
    pub fn poll(&mut self, now: Now) -> ReconcileStep {
        match std::mem::replace(&mut self.stage, Stage::Due(Mono::default())) {
            Stage::Due(at) => {
                // If a wait would last until the deadline, it would be useless.
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

    /// Reports the callback's answer.
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

    /// Reports that the callback was asked, and that the call stays in doubt.
    pub fn on_unresolved(&mut self, why: Unresolved, now: Now) {
        if let Stage::Asked(id) = self.stage {
            self.report.in_doubt.push((id, why));
            self.stage = Stage::Due(self.next(now));
        }
    }

    /// Reports that the outcome of the call became known by other means, perhaps through the
    /// callback itself.
    pub fn on_known(&mut self, now: Now) {
        if let Stage::Asked(_) = self.stage {
            self.stage = Stage::Due(self.next(now));
        }
    }

    /// Reports that the callback was not asked. The outcome is already known, or the call stays in
    /// doubt for this reason. The next call is due at once.
    pub fn skip(&mut self, why: Option<Unresolved>) {
        if let Stage::Asked(id) = self.stage {
            self.report.in_doubt.extend(why.map(|why| (id, why)));
            self.stage = Stage::Due(Mono::default());
        }
    }

    /// Reports that the journal can no longer be read. Nothing more is asked.
    pub fn on_broken(&mut self, error: RecordError) {
        let (Stage::Asked(id) | Stage::Found(id, ..) | Stage::Recording(id, ..)) = self.stage
        else {
            return;
        };
        self.stage = Stage::Due(Mono::default());
        self.report.in_doubt.push((id, Unresolved::Journal(error)));
        self.give_up();
    }

    /// Reports the result of [`ReconcileStep::Record`].
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

/// How many characters of a reason are recorded.
const LONGEST_REASON: usize = 1_024;
