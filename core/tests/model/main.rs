//! The session and the sandbox in one virtual time: random schedules of what can happen to the two,
//! and what must hold at every step of each.
#![cfg(feature = "persist")]

mod dice;
mod driving;
mod events;
mod heal;
mod node;
mod refusals;
mod service;
mod tally;
mod weather;
mod world;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::events::EVENTS;
use crate::tally::Tally;
use crate::world::World;

/// How many schedules run, unless [`COUNT`] says otherwise.
const SCHEDULES: u64 = 20_000;

/// Runs so many schedules: the long form.
const COUNT: &str = "IMTS_MODEL_SCHEDULES";

/// Runs the schedule of this seed alone.
const SEED: &str = "IMTS_MODEL_SEED";

#[test]
fn whatever_happens_in_whatever_order_every_promise_holds() {
    let mut tally = Tally::default();
    if let Some(seed) = number(SEED) {
        run(seed, &mut tally);
        return;
    }
    for seed in 0..number(COUNT).unwrap_or(SCHEDULES) {
        run(seed, &mut tally);
    }
    tally.check();
}

#[expect(
    clippy::disallowed_methods,
    reason = "which schedules run is for whoever runs them to say"
)]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().expect("a number"))
}

fn run(seed: u64, tally: &mut Tally) {
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
    for _ in 0..10 + world.dice.below(40) {
        world.event += 1;
        let (_, (name, happen)) = EVENTS[world.dice.weighed(&EVENTS)];
        world.tell(|_| name.to_owned());
        happen(world);
        world.note_phases();
    }
    world.tell(|_| "all is well again".to_owned());
    heal::heal(world);
}

fn message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text.clone(),
        (_, Some(text)) => (*text).to_owned(),
        _ => "a panic without a message".to_owned(),
    }
}
