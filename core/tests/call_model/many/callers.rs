//! Callers, each with one call, moved one step at a time.

use std::time::Duration;

use http::Response;
use imts_core::call::Ending;
use imts_core::journal::{Entry, RecordError};
use imts_core::operation::Json;
use imts_core::time::{Mono, Wall};
use imts_core::transport_error::Source;
use imts_core::{Call, CallStep, Exchange, Outcome, Recovery, Reply, TransportError};

use super::asks::{AGENTS, Ask};
use super::known::{self, Answer};
use super::ledger::Admitted;
use super::world::World;
use crate::oracle;
use crate::schedule::{ATTEMPTS, Fault};
use crate::service::Heard;

/// How long a reply may take, by the default policy.
const REPLY_WITHIN: Duration = Duration::from_secs(30);

/// How long a sending may be under way once its journal was asked to record it.
const SENT_WITHIN: Duration = Duration::from_secs(60);

pub(crate) struct Caller {
    call: Call<Json>,
    /// Which client of its journal it calls.
    pub(crate) client: usize,
    pub(crate) ask: Ask,
    /// The number of its record, once it was admitted.
    pub(crate) id: Option<u64>,
    pub(crate) admitted: Option<Admitted>,
    /// Why it was not admitted.
    pub(crate) refused: Option<Answer>,
    pub(crate) course: Course,
    /// What has happened and was not reported to the call yet.
    inbox: Option<Inbox>,
    /// Until when it waits for a reply, and to which fault.
    awaits: Option<(Mono, Fault)>,
    deadline: Mono,
    /// Until when its journal takes it for being under way, by both clocks.
    lease: Option<(Mono, Wall)>,
    /// Its number from its sending on, as long as its end is not recorded.
    pub(crate) sending: Option<u64>,
    faults: Vec<Fault>,
    /// Whether its token was refused, and the session has not heard of it.
    is_rejected: bool,
    /// When it wants to be polled.
    until: Option<Mono>,
}

/// How it must end, from the faults that it has met.
pub(crate) struct Course {
    pub(crate) ending: Ending,
    /// Whether it may still be sent.
    goes_on: bool,
    rejected: usize,
}

enum Inbox {
    Recorded(Result<u64, RecordError>),
    Reply(Response<Vec<u8>>),
    TransportError(TransportError),
}

impl Course {
    const NEW: Self = Self { ending: Ending::NotSent, goes_on: true, rejected: 0 };

    fn meet(&mut self, fault: Fault, trusts_401: bool) {
        (self.ending, self.goes_on) = oracle::of_write(fault, trusts_401, self.rejected);
        self.rejected += usize::from(fault == Fault::Revoked);
    }
}

impl World {
    /// A new caller asks.
    pub(crate) fn ask(&mut self, at: usize, ask: Ask) {
        let within = match self.dice.below(4) {
            0 if !self.is_calm => 40,
            1 if !self.is_calm => 300,
            _ => 10_000_000,
        };
        let deadline = self.now.mono.after(Duration::from_secs(within));
        let session = &self.sessions[ask.key.agent];
        let json = Json::parse(&ask.body).unwrap();
        let call = session.call_named(ask.name, &json, deadline).unwrap();
        let call = call.with_reference(ask.key.reference());
        let call = if self.desks[at].forgets { call.with_memory() } else { call.with_journal() };
        let call = match &ask.despite {
            Some(despite) => call.despite(despite.clone()),
            None => call,
        };
        self.asked.insert((at, ask.key));
        self.join(at, call, ask, deadline);
    }

    fn join(&mut self, at: usize, call: Call<Json>, ask: Ask, deadline: Mono) {
        self.tell(|_| format!("journal {at}: a caller comes with {}", ask.body));
        let client = usize::from(!self.is_calm && self.dice.one_in(4));
        let caller = Caller {
            call,
            client,
            ask,
            id: None,
            admitted: None,
            refused: None,
            course: Course::NEW,
            inbox: None,
            awaits: None,
            deadline,
            lease: None,
            sending: None,
            faults: Vec::new(),
            is_rejected: false,
            until: None,
        };
        let process = self.desks[at].process.as_mut().expect("it lives");
        process.callers.push(caller);
    }

    /// A caller leaves, and its call is dropped.
    pub(crate) fn leave(&mut self, at: usize, index: usize) {
        let process = self.desks[at].process.as_mut().expect("it lives");
        let caller = process.callers.remove(index);
        process.let_go(&caller);
        let what = match (caller.id, caller.faults.is_empty()) {
            (None, _) => "cancelled: before its intent",
            (_, true) => "cancelled: unsent",
            (_, false) => "cancelled: sent",
        };
        self.tally.note(what);
        self.tell(|_| format!("journal {at}: {what}: {}", caller.ask.body));
    }

    /// One step of one caller.
    pub(crate) fn step(&mut self, at: usize, index: usize) {
        let process = self.desks[at].process.as_mut().expect("it lives");
        let mut caller = process.callers.remove(index);
        if let Some(over) = self.moves(at, &mut caller) {
            self.finish(at, &caller, over);
        } else if let Some(process) = &mut self.desks[at].process {
            process.callers.push(caller);
        }
    }

    /// Reports to the call, or polls it; yields its outcome, or nothing where it was not admitted.
    fn moves(&mut self, at: usize, caller: &mut Caller) -> Option<Option<Outcome<Json>>> {
        let is_recorded = matches!(caller.inbox, Some(Inbox::Recorded(_)));
        caller.until = None;
        let reports = is_recorded || self.is_calm || !self.dice.one_in(4);
        if let Some(inbox) = caller.inbox.take_if(|_| reports) {
            self.report(caller, inbox);
            return None;
        }
        if let Some((_, fault)) = caller.awaits.take_if(|(until, _)| *until <= self.now.mono) {
            let is_heard = caller.inbox.is_some();
            self.tally.note(if is_heard { "a reply is not polled in time" } else { "silence" });
            self.tell(|_| format!("journal {at}: no reply in time ({fault:?})"));
            caller.course.meet(Fault::LostReply, self.trusts_401);
        }
        if self.now.mono >= caller.deadline && caller.awaits.is_none() {
            self.tally.note("polled after its deadline");
        }
        let step = caller.call.poll(self.now);
        let is_rejected = std::mem::take(&mut caller.is_rejected);
        assert_eq!(matches!(step, CallStep::Reject(_)), is_rejected, "{step:?}");
        match step {
            CallStep::Token => self.hand_token(caller),
            CallStep::Record(entry) => {
                self.inspect(caller, &entry);
                let recorded = self.record(at, caller, &entry)?;
                self.tell(|_| format!("journal {at}: {entry:?}: {recorded:?}"));
                caller.inbox = Some(Inbox::Recorded(recorded));
            }
            CallStep::Send(exchange) => self.send(at, caller, exchange),
            CallStep::Reject(epoch) => self.sessions[caller.ask.key.agent].reject(epoch, self.now),
            CallStep::Wait { until } => {
                assert!(until > self.now.mono, "it is not asked to wait for what was");
                caller.until = Some(until);
            }
            CallStep::NotAdmitted(error) => {
                assert_eq!(Some(known::told(&error, &caller.ask)), caller.refused);
                return Some(None);
            }
            CallStep::Over(outcome) => return Some(Some(outcome)),
        }
        None
    }

    fn report(&mut self, caller: &mut Caller, inbox: Inbox) {
        match &inbox {
            Inbox::Recorded(_) => {}
            Inbox::Reply(_) | Inbox::TransportError(_) => match caller.awaits.take() {
                Some((until, fault)) => {
                    let is_late = until <= self.now.mono;
                    self.tally.note(if is_late {
                        "a reply to an unpolled call"
                    } else {
                        "a reply"
                    });
                    // Here, whether a reply comes too late is for the schedule to say.
                    let fault = if fault == Fault::Late { Fault::Sound } else { fault };
                    caller.course.meet(fault, self.trusts_401);
                    caller.is_rejected = fault == Fault::Revoked;
                }
                None => self.tally.note("a reply after the end"),
            },
        }
        match inbox {
            Inbox::Recorded(recorded) => caller.call.on_recorded(recorded),
            Inbox::Reply(reply) => caller.call.on_reply(Reply::from(&reply), self.now),
            Inbox::TransportError(failure) => caller.call.on_failure(failure, self.now),
        }
    }

    fn hand_token(&mut self, caller: &mut Caller) {
        match self.dice.below(32) {
            0 | 1 if !self.is_calm => {}
            2 if !self.is_calm => {
                self.tally.note("no token");
                let why = Source::from(Box::<dyn std::error::Error + Send + Sync>::from("none"));
                caller.call.on_no_bearer(why, Recovery::Fix);
            }
            _ => {
                let bearer = self.bearer(caller.ask.key.agent);
                caller.call.on_bearer(bearer);
            }
        }
    }

    /// Holds an entry to what was asked for, and to how the call must end.
    fn inspect(&self, caller: &mut Caller, entry: &Entry) {
        assert_eq!(entry.id(), caller.id, "{entry:?}");
        match entry {
            Entry::Intent(intent) => {
                let scope = intent.scope.as_ref().expect("it has one");
                assert!(scope.url.ends_with(caller.ask.key.place().path));
                assert_eq!(scope.agent, AGENTS[caller.ask.key.agent]);
                assert_eq!(intent.despite, caller.ask.despite);
                assert_eq!(intent.at, self.now.wall);
            }
            Entry::Sending { at, until, .. } => {
                assert!(caller.course.goes_on && caller.faults.len() < ATTEMPTS);
                let within = SENT_WITHIN.min(caller.deadline.since(self.now.mono));
                let lease = (self.now.mono.after(within), self.now.wall.after(within));
                assert_eq!((*at, *until), (self.now.wall, Some(lease.1)));
                caller.lease = Some(lease);
            }
            Entry::Ended { at, ending, .. } => {
                assert_eq!((*ending, *at), (caller.course.ending, self.now.wall));
            }
            Entry::Resolved { .. } => panic!("no call resolves"),
        }
    }

    fn send(&mut self, at: usize, caller: &mut Caller, exchange: Exchange) {
        let admitted = caller.admitted.clone().expect("it was admitted");
        let marks = self.desks[at].marks(caller.id.expect("it is recorded"));
        assert!(marks > caller.faults.len(), "it is sent before that is durable");
        assert!(caller.course.goes_on && caller.faults.len() < ATTEMPTS, "{:?}", caller.faults);
        let request = exchange.request();
        assert_eq!(request.body().as_ref(), caller.ask.body.as_bytes());
        let token = request.headers()["authorization"].to_str().unwrap();
        let fault = self.fault(token.trim_start_matches("Bearer "));
        let (mono, wall) = caller.lease.expect("it was marked");
        let lease = mono.since(self.now.mono).min(wall.since(self.now.wall));
        assert!(!lease.is_zero(), "its journal may take it for gone");
        let within = REPLY_WITHIN.min(caller.deadline.since(self.now.mono)).min(lease);
        assert_eq!(exchange.time_limit(), within);
        self.tell(|_| format!("journal {at}: call {} is sent: {fault:?}", admitted.number));
        self.tally.met(fault);
        if ask_is_again(caller) {
            self.tally.note("sent again after a refusal or an unsent call");
        }
        let (is_first, expired) = (caller.faults.is_empty(), self.expired());
        self.tally.note(if is_first { "sent" } else { "sent again by proof" });
        if fault == Fault::Revoked && caller.faults.contains(&Fault::Revoked) {
            self.tally.note("rejected twice");
        }
        caller.faults.push(fault);
        let heard = self.at_service(&admitted, |it| it.exchange(exchange.into_request(), fault));
        assert_eq!(self.expired(), expired, "it was sent with a token that had expired");
        if fault == Fault::Delayed {
            self.delayed = Some(admitted);
        }
        caller.awaits = Some((self.now.mono.after(within), fault));
        caller.inbox = match heard {
            Heard::Reply(reply) | Heard::Late(reply) => Some(Inbox::Reply(reply)),
            Heard::TransportError(failure) => Some(Inbox::TransportError(failure)),
            Heard::Nothing => None,
        };
    }

    fn expired(&self) -> u64 {
        self.service.sandbox.counters().expired_bearers
    }

    /// Holds an end to what the faults say of it.
    fn finish(&mut self, at: usize, caller: &Caller, outcome: Option<Outcome<Json>>) {
        self.desks[at].process.as_mut().expect("it lives").let_go(caller);
        let Some(outcome) = outcome else {
            assert!(caller.faults.is_empty(), "it was not admitted, and sent");
            return;
        };
        let ending = outcome.ending();
        self.tell(|_| format!("journal {at}: {} ends as {ending:?}", caller.ask.body));
        assert_eq!(ending, caller.course.ending, "after {:?}", caller.faults);
        self.tally.ended(ending);
        let is_unsent = |fault: &Fault| match fault {
            Fault::NotSent => true,
            // The policy says that a 401 comes before any processing.
            fault => *fault == Fault::Revoked && self.trusts_401,
        };
        if ending == Ending::NotSent {
            assert!(caller.faults.iter().all(is_unsent), "it arrived: {:?}", caller.faults);
        }
        let permit = match outcome {
            Outcome::Failed(failed) => failed.into_permit(),
            _ => None,
        };
        if let Some(permit) = permit.filter(|_| !self.is_calm && self.dice.one_in(2)) {
            self.tally.note("asked again by permit");
            let deadline = self.now.mono.after(Duration::from_secs(10_000_000));
            self.join(at, permit.retry(deadline), caller.ask.clone(), deadline);
        }
    }
}

impl Caller {
    /// How long it has nothing to do.
    pub(crate) fn idle_until(&self) -> Option<Mono> {
        self.until.filter(|_| self.inbox.is_none())
    }

    /// The key under which it is under way.
    pub(crate) fn key(&self) -> imts_core::journal::IntentKey {
        let place = self.ask.key.place();
        imts_core::journal::IntentKey::Of {
            url: format!("https://sandbox.example{}", place.path),
            agent: AGENTS[self.ask.key.agent].to_owned(),
            reference: self.ask.key.reference().to_owned(),
        }
    }
}

/// Whether its journal holds an earlier call of the same that was refused or not sent.
fn ask_is_again(caller: &Caller) -> bool {
    use super::known::State::{NotSent, Refused};
    let known = caller.admitted.iter().flat_map(|admitted| &admitted.known);
    caller.faults.is_empty() && known.into_iter().any(|it| matches!(it.state, NotSent | Refused))
}
