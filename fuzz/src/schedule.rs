//! A schedule of events: two processes that share a store, the sandbox as their service, and clocks
//! that jump.
//!
//! An input is bytes. The first sets the scene: who keeps credentials, who has a store, how refresh
//! tokens rotate. Each two after it are an event and its argument. A model of a few sets and numbers
//! watches each step, and at the end the service heals: then each process has a token again, or says
//! that only credentials help, within few steps.

mod model;
mod process;
mod world;

use self::world::World;
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
    let (scene, events) = data.split_first().unwrap_or((&0, &[]));
    let mut world = World::new(*scene);
    for event in events.chunks_exact(2).take(MOST) {
        world.event(event[0], event[1]);
    }
    world.heal();
    Ran { structured: true, deepest: world.has_refreshed() }
}
