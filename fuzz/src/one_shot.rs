//! The simulated world of a session without a way back in: a code that works once, a refresh token
//! that rotates, and revocations from outside, in virtual time. Checks what must hold at each step.
//!
//! The service is a small model of its own: the sandbox does not know what a client got.
//! Requests and replies are lost or late, saves fail, the process crashes and goes on from what was
//! saved. No code and no refresh token may reach the service twice, unless the request before is
//! proven unsent. With a store, no access token may be used that a crash would lose.

mod events;
mod heal;
mod service;
mod steps;
mod tally;
mod world;

use self::events::EVENTS;
use self::tally::Tally;
use self::world::World;
use crate::choices::{Choices, Dice};
use crate::seeds::{self, Played};

/// How many schedules run, unless the long form is asked for.
const SCHEDULES: u64 = 10_000;

#[test]
fn no_code_and_no_refresh_token_is_sent_twice_and_only_a_new_code_helps_a_session_without_them() {
    if let Some(tally) = seeds::play_all::<World>(SCHEDULES) {
        tally.check();
    }
}

impl Played for World {
    type Tally = Tally;

    fn dice(seed: u64) -> Dice {
        Dice::of(seed, 20..80)
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
