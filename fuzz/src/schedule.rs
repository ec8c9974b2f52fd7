//! The simulated world of the session: the session and the sandbox in one virtual time, and one
//! process or two that share a store. Checks what must hold at each step.
//!
//! Seeded dice feed it in a test, and an input's bytes in a fuzz target. Each choice takes as many
//! bytes as its numbers need, nearly always one. The first few set the scene: policy, store,
//! siblings, who has credentials. Then come `events`: which one by its weight, and its own choices.
//! At the end the service heals. Each process must then soon have a token that the service accepts,
//! or report that only credentials help; and they do help.

mod driving;
mod events;
mod heal;
mod known;
mod node;
mod polls;
mod refusals;
mod rejections;
mod replies;
mod service;
mod stores;
mod tally;
mod weather;
mod world;

use self::events::EVENTS;
use self::tally::Tally;
use self::world::World;
use crate::choices::Bytes;
use crate::{Ran, Target};

/// This target.
pub const TARGET: Target = Target { name: "schedule", goal: "a refreshed token in use", run };

/// The most events of one input.
const MOST: usize = 160;

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    let mut world = World::new(Box::new(Bytes::of(data, MOST)), Tally::default());
    play(&mut world);
    Ran { structured: true, deepest: world.has_refreshed }
}

fn play(world: &mut World) {
    while world.choices.goes_on() {
        world.event += 1;
        let (_, (name, happen)) = EVENTS[world.choices.weighed(&EVENTS)];
        world.tell(|_| name.to_owned());
        happen(world);
        world.note_phases();
    }
    world.tell(|_| "all is well again".to_owned());
    heal::heal(world);
}

#[cfg(test)]
mod tests {
    use super::{MOST, Tally, World, play};
    use crate::choices::{Choices, Dice};
    use crate::seeds::{self, Played};

    /// How many schedules run, unless the long form is asked for.
    const SCHEDULES: u64 = 10_000;

    #[test]
    fn whatever_happens_in_whatever_order_every_promise_holds() {
        if let Some(tally) = seeds::play_all::<World>(SCHEDULES) {
            tally.check();
        }
    }

    #[test]
    fn an_input_plays_the_schedule_whose_choices_it_has() {
        seeds::inputs_play_the_same::<World>(MOST);
    }

    impl Played for World {
        type Tally = Tally;

        fn dice(seed: u64) -> Dice {
            Dice::of(seed, 10..50)
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
