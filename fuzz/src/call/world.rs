//! The world of one schedule: a clock, the service, a session for each agent, and journals with
//! their processes.

use std::collections::BTreeSet;
use std::time::Duration;

use imts_core::time::{Mono, Wall};
use imts_core::{Bearer, Credentials, Endpoint, Keep, Now, Policy, Reply, Session, Step};
use imts_sandbox::DEFAULT_SECRET;

use super::asks::{AGENTS, Key};
use super::faults::Fault;
use super::journals::Desk;
use super::ledger::{Admitted, Excuse, Ledger};
use super::operations;
use super::service::{START, Service};
use super::tally::Tally;
use crate::choices::Choices;

pub(super) struct World {
    pub(super) choices: Box<dyn Choices>,
    pub(super) tally: Tally,
    pub(super) trace: Option<Vec<String>>,
    pub(super) now: Now,
    pub(super) service: Service,
    pub(super) sessions: Vec<Session>,
    /// Whether a 401 is known to come before any processing.
    pub(super) trusts_401: bool,
    /// Whether some refusals are.
    pub(super) decides: bool,
    /// How often a call is sent at most.
    pub(super) attempts: u32,
    /// Whether nothing goes wrong from the beginning.
    pub(super) is_sound: bool,
    /// Whether nothing goes wrong from now on.
    pub(super) is_calm: bool,
    pub(super) desks: Vec<Desk>,
    /// The intents of this schedule.
    pub(super) keys: Vec<Key>,
    /// Which intents were asked for, by journal.
    pub(super) asked: BTreeSet<(usize, Key)>,
    pub(super) ledger: Ledger,
    /// What is on its way to the service still.
    pub(super) delayed: Option<Admitted>,
    /// The tokens that the service has taken back.
    pub(super) revoked: BTreeSet<String>,
    /// How many calls were made so far.
    pub(super) made: u64,
    /// How often it was recorded that a request is about to leave.
    pub(super) left: u64,
    pub(super) has_done: bool,
}

impl World {
    pub(super) fn new(mut choices: Box<dyn Choices>, tally: Tally) -> Self {
        let now =
            Now { mono: Mono::from_micros(1_000_000), wall: Wall::from_unix_micros(START - HOUR) };
        let is_sound = choices.below(8) == 7;
        let (trusts_401, decides) = (choices.below(2) == 1, choices.below(2) == 1);
        let attempts = choices.pick(&[3, 3, 3, 1]);
        let lifetime = choices.pick(&[900, 900, 900, 100]);
        let keys = (0..1 + choices.below(3)).map(|_| Key::by(&mut *choices)).collect();
        let inherits = !is_sound && choices.below(4) == 3;
        let mut service = Service::new(decides);
        service.sandbox.settings_mut().access_lifetime = Duration::from_secs(lifetime);
        let mut policy = Policy::default();
        (policy.jitter_percent, policy.settle) = (0, Duration::ZERO);
        (policy.unauthorized_is_unprocessed, policy.call_attempts) = (trusts_401, attempts);
        let mut world = Self {
            sessions: AGENTS.map(|agent| session(agent, &policy, decides, now)).into(),
            desks: vec![Desk::in_files(), Desk::in_files(), Desk::in_memory()],
            choices,
            tally,
            trace: None,
            now,
            service,
            trusts_401,
            decides,
            attempts,
            is_sound,
            is_calm: is_sound,
            keys,
            asked: BTreeSet::new(),
            ledger: Ledger::default(),
            delayed: None,
            revoked: BTreeSet::new(),
            made: 0,
            left: 0,
            has_done: false,
        };
        if inherits {
            world.inherit(0);
        }
        for desk in 0..world.desks.len() {
            world.restart(desk);
        }
        world
    }

    /// Whether something goes wrong, once in so many times.
    pub(super) fn fails_one_in(&mut self, n: u64) -> bool {
        !self.is_calm && self.choices.below(n) == n - 1
    }

    /// Adds a line to the trace, if there is one.
    pub(super) fn tell(&mut self, line: impl FnOnce(&Self) -> String) {
        if let Some(mut trace) = self.trace.take() {
            trace.push(format!("{:>9} s  {}", self.now.mono.as_micros() / 1_000_000, line(self)));
            self.trace = Some(trace);
        }
    }

    /// The token of an agent's session, renewed if needed, however long that takes.
    pub(super) fn bearer(&mut self, agent: usize) -> Bearer {
        for _ in 0..100 {
            match self.sessions[agent].poll(self.now) {
                Step::Ready(bearer) => return bearer,
                Step::Send(ticket, exchange) => {
                    let reply = self.service.answer(exchange.into_request());
                    let reply = Reply::from(&reply);
                    drop(self.sessions[agent].on_reply(ticket, reply, self.now));
                }
                Step::Wait { until, .. } | Step::Busy { until } => self.pass_until(until),
                other => panic!("{other:?}"),
            }
        }
        panic!("no token comes");
    }

    pub(super) fn pass_until(&mut self, until: Mono) {
        self.pass(until.since(self.now.mono));
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now = self.now.advanced_by(time);
        self.service.now += i64::try_from(time.as_micros()).expect("a time of less than ages");
    }

    /// Sets the clients' wall clocks, forward or back. The service's stays.
    pub(super) fn set_wall(&mut self, by_micros: i64) {
        self.now.wall = Wall::from_unix_micros(self.now.wall.unix_micros() + by_micros);
    }

    /// Lets something happen at the service to a call's request, and holds what was applied by it
    /// to the rules.
    pub(super) fn at_service<T>(
        &mut self,
        call: &Admitted,
        happen: impl FnOnce(&mut Service) -> T,
    ) -> T {
        let place = call.key.place();
        let before = self.service.applied(place, &call.id);
        let result = happen(&mut self.service);
        let after = self.service.applied(place, &call.id);
        assert!(after - before <= 1, "{} at once", after - before);
        if after > before {
            self.tally.note("applied");
            for excuse in self.ledger.apply(call) {
                self.tally.note(match excuse {
                    Excuse::Override => "applied again: by an override",
                    Excuse::WrongFinding => "applied again: a wrong finding",
                    Excuse::AnotherJournal => "applied again: another journal",
                    Excuse::LostRecords => "applied again: lost records",
                });
            }
        }
        result
    }

    /// What was delayed on its way arrives after all.
    pub(super) fn settle(&mut self) {
        if let Some(call) = self.delayed.take() {
            self.tell(|_| format!("call {} arrives late", call.number));
            self.tally.note("a request arrives late");
            self.at_service(&call, |service| service.settle(call.key.place()));
        }
    }

    /// What happens to the next request, which carries this token or none.
    pub(super) fn fault(&mut self, token: Option<&str>) -> Fault {
        let fault = match self.is_calm {
            true => Fault::Sound,
            false => match self.choices.below(12) {
                0 | 1 => Fault::Sound,
                2 | 3 => Fault::NotSent,
                4 => Fault::Revoked,
                5 | 6 => Fault::Reply,
                _ => self.choices.pick(&Fault::ALL),
            },
        };
        let Some(token) = token else {
            return match fault {
                Fault::NotSent | Fault::LostRequest | Fault::LostReply | Fault::Late => fault,
                // The sandbox has no token exchange of the caller's own.
                _ => Fault::Reply,
            };
        };
        if fault == Fault::Revoked {
            self.revoked.insert(token.to_owned());
        }
        if fault.arrives() && self.revoked.contains(token) { Fault::Revoked } else { fault }
    }
}

const HOUR: i64 = 3_600_000_000;

fn session(agent: &str, policy: &Policy, decides: bool, now: Now) -> Session {
    let endpoint = Endpoint::https("https://sandbox.example").expect("a good URL");
    let service = operations::service(decides);
    let mut session = Session::new(endpoint, service, policy.clone()).expect("a good service");
    let credentials = Credentials::new(agent, DEFAULT_SECRET).expect("good credentials");
    session.sign_in(credentials, Keep::Always, now);
    session
}
