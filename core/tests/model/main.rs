//! The session and the sandbox in one virtual time: random schedules of what can happen to the two,
//! and what must hold at every step of each.
#![cfg(feature = "persist")]

mod dice;
mod driving;
mod events;
mod heal;
mod node;
mod refusals;
mod seeds;
mod service;
mod tally;
mod weather;
mod world;

use crate::events::EVENTS;
use crate::seeds::Played;
use crate::tally::Tally;
use crate::world::World;

/// How many schedules run, unless the long form is asked for.
const SCHEDULES: u64 = 20_000;

#[test]
fn whatever_happens_in_whatever_order_every_promise_holds() {
    if let Some(tally) = seeds::play_all::<World>(SCHEDULES) {
        tally.check();
    }
}

impl Played for World {
    type Tally = Tally;

    fn new(seed: u64, tally: Tally) -> Self {
        Self::new(seed, tally)
    }

    fn play(&mut self) {
        for _ in 0..10 + self.dice.below(40) {
            self.event += 1;
            let (_, (name, happen)) = EVENTS[self.dice.weighed(&EVENTS)];
            self.tell(|_| name.to_owned());
            happen(self);
            self.note_phases();
        }
        self.tell(|_| "all is well again".to_owned());
        heal::heal(self);
    }

    fn trace(&mut self) -> &mut Option<Vec<String>> {
        &mut self.trace
    }

    fn into_tally(self) -> Tally {
        self.tally
    }
}
