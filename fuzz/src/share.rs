//! The simulated world of a shared session: two to five hosts, each with clocks of its own, one
//! store, and the sandbox, in one virtual time. Checks what must hold at each step.
//!
//! Swaps, their answers, requests and replies are lost, late, or overtaken by others. Hosts crash.
//! The store forgets, goes back to an earlier state, stands still, and its clock jumps. The service
//! revokes a family of tokens if a refresh token is used twice: that must never happen. At the end
//! all is well again, and each host must soon have a token that the service accepts.

mod events;
mod heal;
mod host;
mod late;
mod service;
mod store;
mod swaps;
mod tally;
mod world;

use self::events::EVENTS;
use self::tally::Tally;
use self::world::World;
use crate::choices::{Choices, Dice};
use crate::seeds::{self, Played};

/// How many schedules run, unless the long form is asked for.
const SCHEDULES: u64 = 20_000;

#[test]
fn of_siblings_that_share_a_store_none_sends_a_refresh_token_that_another_has_sent() {
    if let Some(tally) = seeds::play_all::<World>(SCHEDULES) {
        tally.check();
    }
}

impl Played for World {
    type Tally = Tally;

    fn dice(seed: u64) -> Dice {
        Dice::of(seed, 40..160)
    }

    fn new(choices: Box<dyn Choices>, tally: Tally) -> Self {
        Self::new(choices, tally)
    }

    fn play(&mut self) {
        while self.choices.goes_on() {
            let (_, (name, happen)) = EVENTS[self.choices.weighed(&EVENTS)];
            self.tell(|| name.to_owned());
            happen(self);
        }
        self.tell(|| "all is well again".to_owned());
        heal::heal(self);
    }

    fn trace(&mut self) -> &mut Option<Vec<String>> {
        &mut self.trace
    }

    fn into_tally(self) -> Tally {
        self.tally
    }
}
