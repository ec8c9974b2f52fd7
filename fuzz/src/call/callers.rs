//! Callers, each with one call, moved one step at a time.

use std::time::Duration;

use http::StatusCode;
use imts_core::operation::{Auth, Json};
use imts_core::transport_error::Source;
use imts_core::{Call, CallStep, Class, Outcome, Recovery, Reply};

use super::asks::Ask;
use super::caller::{Awaited, Caller, Inbox};
use super::course::Rules;
use super::faults::Fault;
use super::known;
use super::sign::{LIMIT, Reading, Sign};
use super::texts;
use super::world::World;

/// Longer than any schedule.
pub(super) const AGES: Duration = Duration::from_secs(10_000_000);

impl World {
    /// A new caller asks for an intent that its journal knows.
    pub(super) fn ask(&mut self, at: usize, ask: Ask) {
        self.asked.insert((at, ask.key));
        self.calls(at, ask, true);
    }

    /// A new caller asks for something that no journal knows.
    pub(super) fn ask_alone(&mut self, at: usize) {
        let ask = Ask::alone(self.made, &mut *self.choices);
        self.calls(at, ask, false);
    }

    fn calls(&mut self, at: usize, ask: Ask, is_recorded: bool) {
        let seconds = [AGES.as_secs(), AGES.as_secs(), 300, 40];
        let within =
            if self.is_calm { AGES } else { Duration::from_secs(self.choices.pick(&seconds)) };
        let (deadline, key) = (self.now.mono.after(within), ask.key);
        let (session, place) = (&self.sessions[key.agent], key.place());
        let call = place.call(session, (ask.name, ask.is_typed), (&ask.id, &ask.body), deadline);
        let call = call.with_reference(key.reference()).with_reply_limit(LIMIT);
        // A call that only reads is never recorded.
        let call = match (is_recorded || place.class == Class::Read, self.desks[at].forgets) {
            (false, _) => call,
            (true, true) => call.with_memory(),
            (true, false) => call.with_journal(),
        };
        let call = match &ask.despite {
            Some(despite) => call.despite(despite.clone()),
            None => call,
        };
        let rules = Rules {
            class: place.class,
            auth: place.auth,
            trusts_401: self.trusts_401,
            attempts: self.attempts as usize,
            deadline,
        };
        self.join(at, call, ask, is_recorded, rules);
    }

    pub(super) fn join(
        &mut self,
        at: usize,
        call: Call<Json>,
        ask: Ask,
        is_recorded: bool,
        rules: Rules,
    ) {
        self.tell(|_| format!("journal {at}: a caller comes with {}: {}", ask.name, ask.body));
        self.tally.note(match (rules.class, rules.auth, is_recorded) {
            (_, Auth::None, _) => "asked: without a token",
            (Class::Read, ..) => "asked: a question",
            (_, _, false) => "asked: alone",
            (_, _, true) => "asked",
        });
        let client = usize::from(self.fails_one_in(4));
        self.made += 1;
        let caller = Caller::new(call, ask, (is_recorded, client), self.made, rules);
        let process = self.desks[at].process.as_mut().expect("it lives");
        process.callers.push(caller);
    }

    /// A caller leaves, and its call is dropped.
    pub(super) fn leave(&mut self, at: usize, index: usize) {
        let process = self.desks[at].process.as_mut().expect("it lives");
        let caller = process.callers.remove(index);
        process.let_go(&caller);
        let what = match (caller.id, caller.faults.is_empty()) {
            (None, true) => "cancelled: before its intent",
            (_, true) => "cancelled: unsent",
            (_, false) => "cancelled: sent",
        };
        self.tally.note(what);
        self.tell(|_| format!("journal {at}: {what}: {}", caller.ask.body));
    }

    /// One step of one caller.
    pub(super) fn step(&mut self, at: usize, index: usize) {
        let process = self.desks[at].process.as_mut().expect("it lives");
        let mut caller = process.callers.remove(index);
        if let Some(over) = self.moves(at, &mut caller) {
            self.finish(at, &mut caller, over);
        } else if let Some(process) = &mut self.desks[at].process {
            process.callers.push(caller);
        }
    }

    /// Reports to the call, or polls it; yields its outcome, or nothing if it was not admitted.
    fn moves(&mut self, at: usize, caller: &mut Caller) -> Option<Option<Outcome<Json>>> {
        caller.until = None;
        let is_late = caller.awaits.is_some_and(|it| it.fault == Fault::Late) && !self.is_calm;
        let reports = caller.is_recording() || !(is_late || self.fails_one_in(4));
        if let Some(inbox) = caller.inbox.take_if(|_| reports) {
            self.report(caller, inbox);
            return None;
        }
        if let Some(awaited) = caller.awaits.take_if(|it| it.until <= self.now.mono) {
            let is_heard = caller.inbox.is_some();
            self.tally.note(if is_heard { "a reply is not polled in time" } else { "silence" });
            self.tell(|_| format!("journal {at}: no reply in time ({:?})", awaited.fault));
            let silence = Reading::without_reply(Sign::Silence);
            caller.course.meet(&silence, self.now.mono, false);
        }
        if self.now.mono >= caller.rules.deadline && caller.awaits.is_none() {
            self.tally.note("polled after its deadline");
        }
        let step = caller.call.poll(self.now);
        texts::is_silent(caller, &format!("{step:?}{:?}", caller.call));
        let is_rejected = std::mem::take(&mut caller.is_rejected);
        assert_eq!(matches!(step, CallStep::Reject(_)), is_rejected, "{step:?}");
        match step {
            CallStep::Token => {
                assert_eq!(caller.rules.auth, Auth::Bearer, "a token that it does not take");
                self.hand_token(caller);
            }
            CallStep::Record(entry) => {
                self.inspect(caller, &entry);
                if self.fails_one_in(16) {
                    self.polls_while_it_records(caller, &entry);
                }
                let recorded = self.record(at, caller, &entry)?;
                self.tell(|_| format!("journal {at}: {entry:?}: {recorded:?}"));
                caller.inbox = Some(Inbox::Recorded(recorded));
            }
            CallStep::Send(exchange) => self.send(at, caller, exchange),
            CallStep::Reject(epoch) => self.sessions[caller.ask.key.agent].reject(epoch, self.now),
            CallStep::Wait { until } => {
                assert!(until > self.now.mono, "it is not asked to wait for what was");
                let deadline = caller.rules.deadline;
                assert!(until <= deadline, "longer than there is time");
                assert!(caller.awaits.is_some() || until < deadline, "for an attempt without time");
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
            Inbox::Recorded(recorded) => {
                let is_before = caller.ended.is_none();
                if recorded.is_err() && is_before {
                    caller.course.stops();
                }
            }
            Inbox::Reply(_) | Inbox::TransportError(_) => match caller.awaits.take() {
                Some(awaited) => self.hear(caller, awaited, &inbox),
                None => self.tally.note("a reply after the end"),
            },
        }
        match inbox {
            Inbox::Recorded(recorded) => caller.call.on_recorded(recorded),
            Inbox::Reply(reply) => caller.call.on_reply(Reply::from(&reply), self.now),
            Inbox::TransportError(failure) => caller.call.on_failure(failure, self.now),
        }
        texts::is_silent(caller, &format!("{:?}", caller.call));
    }

    /// What a reply, or a failure, means that comes before its call knows that it is late.
    fn hear(&mut self, caller: &mut Caller, awaited: Awaited, inbox: &Inbox) {
        let Awaited { sent, until, fault } = awaited;
        let is_late = until <= self.now.mono;
        self.tally.note(if is_late { "a reply to an unpolled call" } else { "a reply" });
        // Here, the schedule decides whether a reply comes too late.
        let fault = if fault == Fault::Late { Fault::Sound } else { fault };
        let (reading, waits) = match inbox {
            Inbox::Reply(reply) => {
                let reading = match caller.rules.auth {
                    Auth::Bearer => Reading::of(reply, self.decides).after(fault, self.decides),
                    _ => Reading::of_exchange(reply, sent.wall),
                };
                let is_401 = reply.status() == StatusCode::UNAUTHORIZED;
                caller.is_rejected = is_401 && caller.rules.auth == Auth::Bearer;
                (reading, reply.headers().contains_key(http::header::RETRY_AFTER))
            }
            _ => {
                let sign = Sign::of_fault(fault, self.decides).expect("no reply was given");
                (Reading::without_reply(sign), false)
            }
        };
        self.tally.read(&reading, caller.rules.class);
        caller.course.meet(&reading, self.now.mono, waits);
    }

    fn hand_token(&mut self, caller: &mut Caller) {
        if self.fails_one_in(16) {
            return;
        }
        if self.fails_one_in(32) {
            self.tally.note("no token");
            let why = Source::from(Box::<dyn std::error::Error + Send + Sync>::from("none"));
            let recovery = self.choices.pick(&[Recovery::Fix, Recovery::SignIn]);
            caller.no_token = Some(recovery);
            caller.course.stops();
            return caller.call.on_no_bearer(why, recovery);
        }
        let bearer = self.bearer(caller.ask.key.agent);
        caller.bearers.push(bearer.clone());
        caller.call.on_bearer(bearer);
    }
}
