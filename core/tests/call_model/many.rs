//! Many callers, processes and journals against one ledger: random schedules of everything that
//! can happen to an intent, and what must hold after each step.
//!
//! A schedule is a seed. Its [`events`] start callers, move one of them one step, let time pass
//! without a poll, kill a process in the middle of a record, restart it from what is durable, put
//! back an older copy of its journal, resolve and override. [`known`] is a second opinion of what a
//! journal must permit; [`ledger`] judges each application by what the journal could know of the
//! earlier ones.

mod asks;
mod callers;
mod events;
mod findings;
mod heal;
mod journals;
mod known;
mod ledger;
mod records;
mod tally;
mod world;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use self::events::EVENTS;
use self::tally::Tally;
use self::world::World;
use crate::{COUNT, number};

/// How many schedules run, unless [`COUNT`] says otherwise.
const SCHEDULES: u64 = 2_500;

/// Runs the schedule of this seed alone.
const SEED: &str = "IMTS_MODEL_SEED";

#[test]
fn an_intent_is_applied_once_whoever_asks_crashes_or_restores_unless_an_override_says_otherwise() {
    let mut tally = Tally::default();
    if let Some(seed) = number(SEED) {
        run(seed, &mut tally);
        return;
    }
    let count = number(COUNT);
    for seed in 0..count.unwrap_or(SCHEDULES) {
        run(seed, &mut tally);
    }
    if count.is_some() {
        print(&tally);
    }
    tally.check();
}

#[expect(clippy::disallowed_macros, reason = "the long form reports what it has reached")]
fn print(tally: &Tally) {
    println!("{tally}");
}

/// Runs one schedule. If it fails, runs it again with a trace, and reports that.
fn run(seed: u64, tally: &mut Tally) {
    tally.note("schedules");
    let mut world = World::new(seed, std::mem::take(tally));
    if catch_unwind(AssertUnwindSafe(|| schedule(&mut world))).is_ok() {
        *tally = world.tally;
        return;
    }
    let mut world = World::new(seed, Tally::default());
    world.trace = Some(Vec::new());
    let panic = catch_unwind(AssertUnwindSafe(|| schedule(&mut world))).unwrap_err();
    let (what, trace) = (message(panic.as_ref()), world.trace.unwrap_or_default().join("\n"));
    panic!("{what}\n{trace}\n{what}\nthis was schedule {seed}: {SEED}={seed} runs it alone");
}

fn schedule(world: &mut World) {
    let events = if world.is_sound { &EVENTS[..events::SOUND] } else { EVENTS };
    let whole = events.iter().map(|(weight, _)| weight).sum();
    for _ in 0..30 + world.dice.below(90) {
        let mut left = world.dice.below(whole);
        let chosen = events.iter().find(|(weight, _)| match left.checked_sub(*weight) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        });
        let (_, happen) = chosen.expect("the weights sum up to the whole");
        happen(world);
    }
    world.tell(|_| "no more faults".to_owned());
    heal::heal(world);
}

fn message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text.clone(),
        (_, Some(text)) => (*text).to_owned(),
        _ => "a panic without a message".to_owned(),
    }
}
