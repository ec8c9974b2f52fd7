//! The world of one schedule: a clock, the service, a session for each agent, and journals with
//! their processes.

use std::collections::BTreeSet;
use std::time::Duration;

use imts_core::catalogue::Decided;
use imts_core::endpoint::ServicePath;
use imts_core::time::{Mono, Wall};
use imts_core::{
    Bearer, Credentials, Endpoint, Evidence, Keep, Now, Policy, Reply, Session, Step, services,
};
use imts_sandbox::DEFAULT_SECRET;

use super::asks::{AGENTS, Key, PLACES};
use super::journals::Desk;
use super::ledger::{Admitted, Excuse, Ledger};
use super::tally::Tally;
use crate::schedule::{Dice, Fault};
use crate::service::Service;

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) tally: Tally,
    pub(crate) trace: Option<Vec<String>>,
    pub(crate) now: Now,
    pub(crate) service: Service,
    pub(crate) sessions: Vec<Session>,
    pub(crate) trusts_401: bool,
    /// Whether nothing goes wrong from the beginning.
    pub(crate) is_sound: bool,
    /// Whether nothing goes wrong from now on.
    pub(crate) is_calm: bool,
    pub(crate) desks: Vec<Desk>,
    /// The intents of this schedule.
    pub(crate) keys: Vec<Key>,
    /// Which intents were asked for, by journal.
    pub(crate) asked: BTreeSet<(usize, Key)>,
    pub(crate) ledger: Ledger,
    /// What is on its way to the service still.
    pub(crate) delayed: Option<Admitted>,
    /// The tokens that the service has taken back.
    pub(crate) revoked: BTreeSet<String>,
    /// How many calls were admitted so far.
    pub(crate) admitted: u64,
    /// How often it was recorded that a request is about to leave.
    pub(crate) left: u64,
}

impl World {
    pub(crate) fn new(seed: u64, tally: Tally) -> Self {
        let mut dice = Dice(seed ^ 0x5ca1_ab1e_0ddb_a115);
        let service =
            Service::of(&PLACES.each_ref().map(|place| (place.operation, place.path)), &AGENTS);
        let now = Now {
            mono: Mono::from_micros(1_000_000),
            wall: Wall::from_unix_micros(service.now - 3_600_000_000),
        };
        let trusts_401 = dice.one_in(2);
        let is_sound = dice.one_in(8);
        let keys = (0..1 + dice.below(3)).map(|_| Key::by(&mut dice)).collect();
        let mut world = Self {
            sessions: AGENTS.map(|agent| session(agent, trusts_401, now)).into(),
            desks: vec![Desk::in_files(), Desk::in_files(), Desk::in_memory()],
            dice,
            tally,
            trace: None,
            now,
            service,
            trusts_401,
            is_sound,
            is_calm: is_sound,
            keys,
            asked: BTreeSet::new(),
            ledger: Ledger::default(),
            delayed: None,
            revoked: BTreeSet::new(),
            admitted: 0,
            left: 0,
        };
        if !is_sound && world.dice.one_in(4) {
            world.inherit(0);
        }
        for desk in 0..world.desks.len() {
            world.restart(desk);
        }
        world
    }

    /// Adds a line to the trace, if there is one.
    pub(crate) fn tell(&mut self, line: impl FnOnce(&Self) -> String) {
        if let Some(mut trace) = self.trace.take() {
            trace.push(format!("{:>9} s  {}", self.now.mono.as_micros() / 1_000_000, line(self)));
            self.trace = Some(trace);
        }
    }

    /// The token of an agent's session, renewed if needed, however long that takes.
    pub(crate) fn bearer(&mut self, agent: usize) -> Bearer {
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

    pub(crate) fn pass_until(&mut self, until: Mono) {
        let wait = until.since(self.now.mono);
        self.now = self.now.advanced_by(wait);
        self.service.now += i64::try_from(wait.as_micros()).unwrap();
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.pass_until(self.now.mono.after(Duration::from_secs(seconds)));
    }

    /// Sets the clients' wall clocks, forward or back. The service's stays.
    pub(crate) fn set_wall(&mut self, by_seconds: i64) {
        let wall = self.now.wall.unix_micros() + by_seconds * 1_000_000;
        self.now.wall = Wall::from_unix_micros(wall);
    }

    /// Lets something happen at the service to a call's request, and holds what was applied by it
    /// to the rules.
    pub(crate) fn at_service<T>(
        &mut self,
        call: &Admitted,
        happen: impl FnOnce(&mut Service) -> T,
    ) -> T {
        self.service.operation = call.key.place().operation;
        let before = self.service.applied(&call.key.id());
        let result = happen(&mut self.service);
        let after = self.service.applied(&call.key.id());
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
    pub(crate) fn settle(&mut self) {
        if let Some(call) = self.delayed.take() {
            self.tell(|_| format!("call {} arrives late", call.number));
            self.tally.note("a request arrives late");
            self.at_service(&call, Service::settle);
        }
    }

    /// What happens to the next request.
    pub(crate) fn fault(&mut self, token: &str) -> Fault {
        let fault = match self.dice.below(8) {
            _ if self.is_calm => Fault::Sound,
            0 | 1 => Fault::Sound,
            2 | 3 => Fault::NotSent,
            4 => Fault::Revoked,
            _ => Fault::ALL[self.dice.below(Fault::ALL.len())],
        };
        let arrives = !matches!(fault, Fault::NotSent | Fault::LostRequest | Fault::Delayed);
        if fault == Fault::Revoked {
            self.revoked.insert(token.to_owned());
        }
        if arrives && self.revoked.contains(token) { Fault::Revoked } else { fault }
    }
}

fn session(agent: &str, trusts_401: bool, now: Now) -> Session {
    let mut policy = Policy::default();
    (policy.jitter_percent, policy.settle) = (0, Duration::ZERO);
    policy.unauthorized_is_unprocessed = trusts_401;
    let mut catalogue = services::transfer::catalogue();
    for place in &PLACES {
        for name in place.names {
            let path = ServicePath::new(place.path).unwrap();
            catalogue.set_path(name, path, Evidence::Assumed).unwrap();
            let decided = Decided { codes: ["LIMIT".to_owned()].into(), ..Decided::default() };
            catalogue.set_decided(name, decided).unwrap();
        }
    }
    let service = imts_core::services::transfer().with_operations(catalogue);
    let endpoint = Endpoint::https("https://sandbox.example").unwrap();
    let mut session = Session::new(endpoint, service, policy).unwrap();
    let credentials = Credentials::new(agent, DEFAULT_SECRET).unwrap();
    session.sign_in(credentials, Keep::Always, now);
    session
}
