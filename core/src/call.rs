//! One operation from request to outcome: first the token, then the exchange, then what the reply
//! or its absence proves.
//!
//! Owns the order of the steps and the one rule of money. A call that creates something or moves
//! money needs proof that the service did not process it before it is sent again. `judge` decides
//! what a reply means. This module does not know how a token is obtained: it asks its driver for
//! one.

mod extras;
mod hearing;
mod judge;
mod keys;
mod meaning;
mod not_callable;
mod outcome;
mod question;
mod recording;
mod repeats;
mod reporting;
mod setup;
mod sign_error;
mod signatory;
mod step;
mod target;
mod unsuccessful;

use std::time::Duration;

use http::header::AUTHORIZATION;

pub use self::keys::Keys;
use self::meaning::{Meaning, Pause, Proof};
pub use self::not_callable::NotCallable;
pub use self::outcome::{CallError, Ending, Failed, Outcome, Permit, Unknown};
pub use self::question::Question;
use self::setup::{Frozen, WrittenTo};
pub use self::sign_error::SignError;
pub use self::signatory::Signatory;
pub use self::step::CallStep;
pub use self::unsuccessful::Unsuccessful;
use crate::error::Malformed;
use crate::exchange::Exchange;
use crate::journal::IntentError;
use crate::operation::Auth;
use crate::recovery::Recovery;
use crate::secret::{Bearer, Epoch};
use crate::time::{End, Mono, Now};
use crate::transport_error::{Source, TransportError};
use crate::wire::{self, Success};

type Decode<R> = fn(Success<'_>) -> Result<R, Malformed>;

/// One call of one operation.
///
/// [`poll`](Call::poll) is the only output. Each kind of event has one input. The bytes of the
/// request are fixed when the call is made: each attempt sends the same bytes. If a call is dropped
/// while its request is in flight, its outcome is unknown.
///
/// ```
/// use std::time::Duration;
/// use imts_core::operation::Custom;
/// use imts_core::services::transfer::Confirm;
/// use imts_core::endpoint::ServicePath;
/// use imts_core::time::{Mono, Wall};
/// use imts_core::{Call, CallStep, Credentials, Endpoint, Evidence, Keep, Now, Outcome, Policy, Reply, Session, Step, services};
/// # fn send(exchange: imts_core::Exchange) -> http::Response<Vec<u8>> {
/// #     let body: &[u8] = match exchange.request().uri().path() {
/// #         "/confirm" => br#"{"state":true,"payload":{"done":1}}"#,
/// #         _ => include_bytes!("../tests/fixtures/get-token.reply.json"),
/// #     };
/// #     http::Response::builder().header("content-type", "application/json").body(body.to_vec()).unwrap()
/// # }
///
/// let mut operations = services::transfer::catalogue();
/// operations.set_path("confirm", ServicePath::new("/confirm")?, Evidence::Assumed)?;
/// let service = services::transfer().with_operations(operations);
/// let endpoint = Endpoint::https("https://service.example")?;
/// let mut session = Session::new(endpoint, service, Policy::default())?;
/// let now = Now { mono: Mono::default(), wall: Wall::from_unix_micros(1_753_269_451_577_745) };
/// session.sign_in(Credentials::new("agent", "secret")?, Keep::Always, now);
///
/// let request = std::collections::BTreeMap::from([("transfer_id", "17")]);
/// let confirm = Custom::<Confirm, _>::new(request).with_reference("17");
/// let mut call = session.call(&confirm, now.mono.after(Duration::from_secs(60)))?;
/// let outcome = loop {
///     match call.poll(now) {
///         CallStep::Token => match session.poll(now) {
///             Step::Ready(bearer) => call.on_bearer(bearer),
///             Step::Send(ticket, exchange) => {
///                 session.on_reply(ticket, Reply::from(&send(exchange)), now)?;
///             }
///             other => panic!("{other:?}"),
///         },
///         CallStep::Send(exchange) => call.on_reply(Reply::from(&send(exchange)), now),
///         CallStep::Reject(epoch) => session.reject(epoch, now),
///         CallStep::Wait { until } => panic!("sleep until {until:?}"),
///         CallStep::Record(_) | CallStep::NotAdmitted(_) => panic!("no journal is declared"),
///         CallStep::Over(outcome) => break outcome,
///     }
/// };
/// assert!(matches!(outcome, Outcome::Done(reply) if reply.as_str() == r#"{"done":1}"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Call<R> {
    frozen: Option<Box<Frozen>>,
    decode: Decode<R>,
    deadline: Mono,
    stage: Stage<R>,
    bearer: Option<Bearer>,
    /// The tokens of earlier attempts. A late refusal may quote any of them.
    presented: Vec<Bearer>,
    /// A token that the service refused. The session must be informed.
    refused: Option<Epoch>,
    /// The number that the journal gave the call.
    recorded: Option<u64>,
    /// Whether the journal was asked to record, and has not reported yet.
    recording: bool,
    /// Until when a request may be under way, as the journal recorded it.
    lease: Option<End>,
    /// When a request first left, as far as is known.
    sent: Option<Now>,
    attempts: u32,
    /// Whether it was sent again because of a 401.
    retried_after_401: bool,
    /// Whether an attempt may have arrived whose reply did not come. The call is then never over
    /// unsent.
    may_have_arrived: bool,
    /// Before this time nothing is sent.
    not_before: Mono,
    /// Why the last attempt failed.
    last: Option<CallError>,
}

enum Stage<R> {
    /// The intent must be recorded.
    Intent,
    /// A token is needed.
    Token,
    /// The journal must record that the request is about to leave.
    Mark,
    /// The request must be sent.
    Send,
    /// The request was handed out. After `until`, its reply counts as lost.
    Sent {
        now: Now,
        until: Mono,
    },
    /// The next attempt is due at this time.
    BackOff {
        until: Mono,
    },
    /// The end must be recorded.
    End(Outcome<R>),
    /// The driver must receive the outcome.
    Report(Outcome<R>),
    /// The driver must be informed that the journal does not admit the call.
    NotAdmitted(IntentError),
    Over,
}

impl<R> Call<R> {
    fn thawed(frozen: Box<Frozen>, decode: Decode<R>, deadline: Mono) -> Self {
        Self {
            stage: if frozen.written_to == WrittenTo::Nothing {
                Stage::Token
            } else {
                Stage::Intent
            },
            frozen: Some(frozen),
            decode,
            deadline,
            bearer: None,
            presented: Vec::new(),
            refused: None,
            recorded: None,
            recording: false,
            lease: None,
            sent: None,
            attempts: 0,
            retried_after_401: false,
            may_have_arrived: false,
            not_before: Mono::default(),
            last: None,
        }
    }

    /// Returns what to do next.
    pub fn poll(&mut self, now: Now) -> CallStep<R> {
        if let Some(epoch) = self.refused.take() {
            return CallStep::Reject(epoch);
        }
        self.check_id();
        self.pass_deadlines(now);
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Intent => self.record_intent(now),
            Stage::Token => self.need_token(now),
            Stage::Mark => self.mark(now),
            Stage::Send => self.send(now),
            Stage::Sent { now, until } => self.stay(Stage::Sent { now, until }, until),
            Stage::BackOff { until } => self.stay(Stage::BackOff { until }, until),
            Stage::End(outcome) => self.record_end(outcome, now),
            Stage::Report(outcome) => CallStep::Over(outcome),
            Stage::NotAdmitted(error) => CallStep::NotAdmitted(error),
            Stage::Over => CallStep::Wait { until: Mono::from_micros(u64::MAX) },
        }
    }

    /// Takes the token that was asked for. If the call needs no token, this does nothing.
    pub fn on_bearer(&mut self, bearer: Bearer) {
        if matches!(self.stage, Stage::Token) && self.takes_token() {
            self.bearer = Some(bearer);
        }
    }

    /// Reports that no token came, why, and what to do about it. The call ends unsent.
    pub fn on_no_bearer(&mut self, why: Source, recovery: Recovery) {
        if matches!(self.stage, Stage::Token) {
            self.fail(CallError::NoToken(why, recovery));
        }
    }

    /// Keeps the token of an attempt, if another attempt may follow.
    fn has_presented(&mut self, bearer: Option<Bearer>) {
        if self.frozen.is_some() {
            self.presented.extend(bearer);
        }
    }

    /// Gives up a call that the service could not recognize if it came twice.
    fn check_id(&mut self) {
        let is_new = matches!(self.stage, Stage::Intent | Stage::Token) && self.attempts == 0;
        let lacking = self.frozen.as_ref().filter(|frozen| is_new && frozen.lacks_id());
        if let Some(operation) = lacking.map(|frozen| frozen.name.clone().into_owned()) {
            self.frozen = None;
            self.stage = Stage::NotAdmitted(IntentError::NoId { operation });
        }
    }

    /// Applies the deadlines that have passed.
    fn pass_deadlines(&mut self, now: Now) {
        match self.stage {
            Stage::Sent { until, .. } if now.mono >= until => {
                self.on_failure(TransportError::unknown().timed_out(), now);
            }
            Stage::BackOff { until } if now.mono >= until => self.stage = Stage::Token,
            _ => {}
        }
        let unsent = matches!(
            self.stage,
            Stage::Intent | Stage::Token | Stage::Mark | Stage::Send | Stage::BackOff { .. }
        );
        if unsent && now.mono >= self.deadline {
            let why = self.last.take().unwrap_or(CallError::OutOfTime);
            self.fail(why);
        }
    }

    fn need_token(&mut self, now: Now) -> CallStep<R> {
        if now.mono < self.not_before {
            return self.stay(Stage::Token, self.not_before);
        }
        if self.takes_token() && self.bearer.as_ref().is_none_or(|it| it.remaining(now).is_zero()) {
            self.bearer = None;
            self.stage = Stage::Token;
            return CallStep::Token;
        }
        if self.recorded.is_some() { self.mark(now) } else { self.send(now) }
    }

    fn takes_token(&self) -> bool {
        self.frozen.as_ref().is_some_and(|frozen| frozen.auth == Auth::Bearer)
    }

    fn send(&mut self, now: Now) -> CallStep<R> {
        let Some(frozen) = &self.frozen else {
            return CallStep::Wait { until: self.deadline };
        };
        if self.bearer.as_ref().is_some_and(|bearer| bearer.remaining(now).is_zero()) {
            // The token expired while the journal was written.
            return self.need_token(now);
        }
        let lease = self.lease.filter(|_| self.recorded.is_some());
        if lease.is_some_and(|lease| lease.is_past(now)) {
            // Other clients assume by now that this sender has stopped, and may have resolved the
            // call.
            return self.mark(now);
        }
        let mut request = wire::request(frozen.method.clone(), &frozen.uri, frozen.body.clone());
        if let Some(bearer) = &self.bearer {
            request.headers_mut().insert(AUTHORIZATION, bearer.header().clone());
        }
        if let Some(extras) = &frozen.extras {
            extras.put_into(request.headers_mut(), frozen.reference.as_deref());
        }
        let time_limit = frozen.policy.time_limit.min(self.deadline.since(now.mono));
        let time_limit = time_limit.min(lease.map_or(time_limit, |lease| lease.remaining(now)));
        let reply_limit = frozen.reply_limit;
        self.attempts = self.attempts.saturating_add(1);
        self.sent.get_or_insert(now);
        self.stage = Stage::Sent { now, until: now.mono.after(time_limit) };
        CallStep::Send(Exchange { request, reply_limit, time_limit })
    }

    fn stay(&mut self, stage: Stage<R>, until: Mono) -> CallStep<R> {
        self.stage = stage;
        CallStep::Wait { until: until.min(self.deadline) }
    }

    fn follow(&mut self, meaning: Meaning<R>, now: Now) {
        match meaning {
            Meaning::Over(reply) => self.end(Outcome::Done(reply)),
            Meaning::Refused(refusal) => self.end(Outcome::Refused(refusal)),
            Meaning::Failed(why) => self.fail(why),
            Meaning::Unknown(why) => self.lose(why, now),
            Meaning::Again { proof, why, pause } => self.again(proof, why, pause, now),
        }
    }

    /// Sends it again, if there is a proof and if time and attempts are left.
    fn again(&mut self, proof: Proof, why: CallError, pause: Pause, now: Now) {
        let Some(frozen) = &self.frozen else { return };
        let wait = match pause {
            Pause::None => Duration::ZERO,
            Pause::BackOff(retry_after) => frozen
                .policy
                .backoff(self.attempts, now.mono.as_micros())
                .max(frozen.policy.obeyed(retry_after))
                .max(frozen.pace().unwrap_or_default()),
        };
        self.may_have_arrived |= proof.leaves_doubt();
        let until = now.mono.after(wait);
        if self.attempts >= frozen.policy.call_attempts || until >= self.deadline {
            return match proof.into_refusal() {
                Some(refusal) => self.end(Outcome::Refused(refusal)),
                None => self.fail(why),
            };
        }
        self.retried_after_401 |= matches!(pause, Pause::None);
        self.sent = self.sent.filter(|_| self.may_have_arrived);
        self.last = Some(why);
        self.stage = Stage::BackOff { until };
    }

    fn end(&mut self, outcome: Outcome<R>) {
        self.frozen = None;
        self.stage = Stage::End(outcome);
    }
}
