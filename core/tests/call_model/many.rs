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

use self::events::EVENTS;
use self::tally::Tally;
use self::world::World;
use crate::seeds::{self, Played};

/// How many schedules run, unless the long form is asked for.
const SCHEDULES: u64 = 2_500;

#[test]
fn an_intent_is_applied_once_whoever_asks_crashes_or_restores_unless_an_override_says_otherwise() {
    let Some(tally) = seeds::play_all::<World>(SCHEDULES) else { return };
    if seeds::long_form().is_some() {
        print(&tally);
    }
    tally.check();
}

#[expect(clippy::disallowed_macros, reason = "the long form reports what it has reached")]
fn print(tally: &Tally) {
    println!("{tally}");
}

impl Played for World {
    type Tally = Tally;

    fn new(seed: u64, tally: Tally) -> Self {
        Self::new(seed, tally)
    }

    fn play(&mut self) {
        self.tally.note("schedules");
        let events = if self.is_sound { &EVENTS[..events::SOUND] } else { EVENTS };
        let whole = events.iter().map(|(weight, _)| weight).sum();
        for _ in 0..30 + self.dice.below(90) {
            let mut left = self.dice.below(whole);
            let chosen = events.iter().find(|(weight, _)| match left.checked_sub(*weight) {
                Some(rest) => {
                    left = rest;
                    false
                }
                None => true,
            });
            let (_, happen) = chosen.expect("the weights sum up to the whole");
            happen(self);
        }
        self.tell(|_| "no more faults".to_owned());
        heal::heal(self);
    }

    fn trace(&mut self) -> &mut Option<Vec<String>> {
        &mut self.trace
    }

    fn into_tally(self) -> Tally {
        self.tally
    }
}
