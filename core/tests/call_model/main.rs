//! Calls against a ledger: random schedules of fault, retry, cancel, crash and 401, each held to
//! what its faults alone say of its end.
//!
//! In [`many`], callers, processes and journals meet. Elsewhere each schedule is one intent: a seed says what happens to it ([`schedule`]); [`world`] acts it out
//! over `Call`, a session, a journal and the sandbox; [`oracle`] knows neither of these, and must come
//! to the same end.

mod journal;
mod many;
mod oracle;
mod schedule;
#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;
mod service;
mod world;

use std::collections::BTreeMap;

use imts_core::Class;
use imts_core::call::Ending;

use crate::schedule::{Fault, Schedule};
use crate::world::{Told, World};

/// How many schedules each test plays, unless the long form is asked for.
const SCHEDULES: u64 = 10_000;

/// How many of them a world outlives.
const IN_A_WORLD: u64 = 1_000;

/// What was met, and how often.
#[derive(Default)]
struct Census(BTreeMap<String, u64>);

impl Census {
    fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    /// A model that never meets something proves nothing about it.
    fn has_met(&self, all: impl IntoIterator<Item = String>) {
        let missing: Vec<_> = all.into_iter().filter(|it| !self.0.contains_key(it)).collect();
        assert!(missing.is_empty(), "never met: {missing:?}; met: {:?}", self.0);
    }
}

fn play(class: Class, trusts_401: bool, seeds: u64) {
    let mut census = Census::default();
    let mut world = World::new(class, trusts_401);
    for number in 0..seeds::long_form().unwrap_or(SCHEDULES) {
        if number % IN_A_WORLD == 0 {
            world = World::new(class, trusts_401);
        }
        let schedule = Schedule::of(seeds + number, class);
        check(&schedule, &mut world, &mut census);
    }
    census.has_met(Fault::ALL.iter().map(|fault| format!("fault {}", fault.label())));
    let cuts = ["cancelled", "crashed before", "crashed after", "sound", "retried by permit"];
    census.has_met(cuts.map(str::to_owned));
    let unknown = (class != Class::Read).then_some(Ending::Unknown);
    let endings = [Ending::Done, Ending::Refused, Ending::NotSent].into_iter().chain(unknown);
    census.has_met(endings.map(|ending| format!("end {}", ending.as_str())));
    if class == Class::Money {
        let states = ["intended", "in_doubt", "done", "refused", "not_sent", "nothing"];
        census.has_met(states.map(|state| format!("journal {state}")));
        census.has_met(["journal broke", "sent after a restart"].map(str::to_owned));
    }
    if class != Class::Read {
        census.has_met(["applied 0", "applied 1"].map(str::to_owned));
        assert!(!census.0.contains_key("applied 2"));
    }
}

fn check(schedule: &Schedule, world: &mut World, census: &mut Census) {
    let run = world.play(schedule);
    let tell = || format!("{schedule:?}\n{run:?}");
    for fault in &run.met {
        census.count(format!("fault {}", fault.label()));
    }
    for (round, told) in run.told.iter().enumerate() {
        match told {
            Told::Ended(ending) => {
                let expected = oracle::ending(schedule, world.trusts_401, round);
                assert_eq!(*ending, expected, "round {round} of {}", tell());
                census.count(format!("end {}", ending.as_str()));
            }
            Told::Cancelled => census.count("cancelled"),
            Told::Crashed { late: false } => census.count("crashed before"),
            Told::Crashed { late: true } => census.count("crashed after"),
        }
    }
    if run.told.len() > 1 {
        census.count("retried by permit");
    }
    if schedule.is_sound() {
        census.count("sound");
        assert!(matches!(run.told[..], [Told::Ended(Ending::Done)]), "{}", tell());
    }
    if run.journal_broke {
        census.count("journal broke");
    }
    assert!(run.bodies.windows(2).all(|pair| pair[0] == pair[1]), "other bytes: {}", tell());
    assert!(!run.sent_a_dead_bearer, "{}", tell());
    if schedule.class == Class::Read {
        return;
    }
    census.count(format!("applied {}", run.applied));
    assert!(run.applied <= 1, "applied {} times: {}", run.applied, tell());
    match run.told.last() {
        Some(Told::Ended(Ending::Done)) => assert_eq!(run.applied, 1, "{}", tell()),
        Some(Told::Ended(Ending::Refused | Ending::NotSent)) => {
            assert_eq!(run.applied, 0, "{}", tell());
        }
        _ => {}
    }
    if schedule.class != Class::Money {
        return;
    }
    for state in &run.states {
        census.count(format!("journal {state}"));
    }
    if run.applied > 0 {
        let known = run.states.iter().any(|state| matches!(*state, "in_doubt" | "done"));
        assert!(known, "applied, and the journal does not know: {}", tell());
    }
    if world.send_after_restart(schedule, &run) {
        census.count("sent after a restart");
        assert_eq!(world.applied(schedule), 1, "sent twice over a restart: {}", tell());
    }
}

#[test]
fn money_is_never_applied_twice_and_its_end_is_what_its_faults_say() {
    play(Class::Money, false, 0);
}

#[test]
fn money_is_never_applied_twice_where_a_401_is_known_to_come_first() {
    play(Class::Money, true, 1 << 32);
}

#[test]
fn nothing_is_created_twice_and_its_end_is_what_its_faults_say() {
    play(Class::Create, false, 2 << 32);
}

#[test]
fn a_question_is_asked_again_as_often_as_its_faults_say_and_no_oftener() {
    play(Class::Read, false, 3 << 32);
}
