//! The simulated world of calls: callers, processes, journals and the sandbox in one virtual time, and what
//! must hold at every step of each.
//!
//! Seeded dice feed it in a test, and an input's bytes in a fuzz target. Each choice takes as many bytes as
//! its numbers need, nearly always one; a header's value and a body take all bytes up to a line feed. The
//! first few set the scene: what the policy and the service file say, and the intents of the schedule. Then come
//! `events`: which one by its weight, and its own choices. Callers start, or move by one step; time passes
//! without a poll; a process dies in the middle of a record, and starts from what is durable; an older copy
//! of a journal is put back; someone resolves or overrides; a driver reports what nobody asked for. Each
//! request meets one of the `faults`; one of them is a reply of any form.
//!
//! Two second opinions know nothing of the machine: `course` says how a call must end, by what its
//! attempts have proved (`sign`), and `known` what a journal must permit. `ledger` judges each
//! application by what the journal could know of the earlier ones. At the end nothing goes wrong any more:
//! everything is found out, and what is still wanted is done once.

mod asks;
mod caller;
mod callers;
mod careless;
mod course;
mod events;
mod faults;
mod findings;
mod heal;
mod journals;
mod known;
mod ledger;
mod operations;
mod outcomes;
mod processes;
mod records;
mod replies;
mod requests;
mod service;
mod sign;
mod tally;
mod texts;
mod world;

use self::events::EVENTS;
use self::tally::Tally;
use self::world::World;
use crate::choices::Bytes;
use crate::{Ran, Target};

/// This target.
pub const TARGET: Target = Target { name: "call", goal: "a call that is done", run };

/// The most events of one input.
const MOST: usize = 160;

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    let mut world = World::new(Box::new(Bytes::of(data, MOST)), Tally::default());
    Ran { structured: true, deepest: play(&mut world) }
}

/// Plays one schedule; whether a call was done before everything was made good.
fn play(world: &mut World) -> bool {
    world.tally.note("schedules");
    let events = if world.is_sound { &EVENTS[..events::SOUND] } else { &EVENTS };
    while world.choices.goes_on() {
        let (_, happen) = events[world.choices.weighed(events)];
        world.tally.note("events");
        happen(world);
    }
    let has_done = world.has_done;
    world.tell(|_| "no more faults".to_owned());
    heal::heal(world);
    has_done
}

#[cfg(test)]
mod tests {
    use super::{MOST, Tally, World, play};
    use crate::choices::{Choices, Dice};
    use crate::seeds::{self, Played};

    /// How many schedules run, unless the long form is asked for.
    const SCHEDULES: u64 = 10_000;

    #[test]
    fn an_intent_is_applied_once_and_every_call_ends_as_its_attempts_have_proved() {
        let Some(tally) = seeds::play_all::<World>(SCHEDULES) else { return };
        if seeds::long_form().is_some() {
            println!("{tally}");
        }
        tally.check();
    }

    #[test]
    fn an_input_plays_the_schedule_whose_choices_it_has() {
        seeds::inputs_play_the_same::<World>(MOST);
    }

    impl Played for World {
        type Tally = Tally;

        fn dice(seed: u64) -> Dice {
            Dice::of(seed ^ 0x5ca1_ab1e_0ddb_a115, 30..120)
        }

        fn new(choices: Box<dyn Choices>, tally: Tally) -> Self {
            Self::new(choices, tally)
        }

        fn play(&mut self) {
            play(self);
        }

        fn trace(&mut self) -> &mut Option<Vec<String>> {
            &mut self.trace
        }

        fn into_tally(self) -> Tally {
            self.tally
        }
    }
}
