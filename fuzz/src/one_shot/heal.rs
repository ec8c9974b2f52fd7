//! Once all is well again, the session has a good token, or asks for a code, which then helps.

use std::time::Duration;

use super::steps::{Fate, Said};
use super::world::World;

/// How many steps a session may take to recover, waits included.
const STEPS: usize = 30;

pub(super) fn heal(world: &mut World) {
    let mut helped = false;
    for _ in 0..STEPS {
        match world.ask(Fate::Answered) {
            Said::Ready(bearer) if world.service.takes(bearer.expose_token()) => {
                return world.tally.note(if helped { "healed by a code" } else { "healed" });
            }
            Said::Ready(bearer) => world.session.reject(bearer.epoch(), world.now),
            Said::Sent => {}
            Said::Save => world.saves(true, true),
            Said::Later(until) => {
                let wait = until.since(world.now.mono);
                assert!(wait <= Duration::from_secs(3_600), "{wait:?}");
                world.saves(true, true);
                world.pass(wait);
            }
            Said::NeedsCode => {
                assert!(!helped, "a new code does not help");
                stays_asking(world);
                helped = true;
                world.signs_in();
            }
        }
    }
    panic!("no usable token {STEPS} steps after all was well again");
}

/// It makes no request by itself, however long nobody brings a code.
fn stays_asking(world: &mut World) {
    for hours in [0, 1, 24, 24 * 30] {
        world.pass(Duration::from_secs(hours * 3_600));
        assert!(matches!(world.ask(Fate::Answered), Said::NeedsCode), "after {hours} h");
    }
}
