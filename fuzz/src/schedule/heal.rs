//! Once all is well again, each session soon has a token that the service takes.

use std::time::Duration;

use imts_core::{Keep, TransportError};

use super::polls::Said;
use super::service::AGENTS;
use super::weather;
use super::world::World;

/// How many steps a session may take to recover, waits included.
const STEPS: usize = 24;

pub(super) fn heal(world: &mut World) {
    if world.is_alone {
        let reused = world.service.sandbox.counters().refresh_reuse;
        assert_eq!(reused, 0, "a refresh token is presented twice, with credentials held");
    }
    weather::clear(&mut world.service);
    for at in 0..world.nodes.len() {
        world.event += 1;
        recovers(world, at);
    }
}

fn recovers(world: &mut World, at: usize) {
    let (mut helped, mut rejected) = (false, 0);
    for _ in 0..STEPS {
        world.take_over(at);
        match world.ask(at, Duration::ZERO) {
            Said::Ready(bearer) if world.service.takes(world.truth, &bearer) => {
                return world.tally.note(match (helped, rejected) {
                    (true, _) => "healed: by new credentials",
                    (_, 0) => "healed: at once",
                    _ => "healed: after a rejection",
                });
            }
            Said::Ready(bearer) => {
                rejected += 1;
                world.rejects(at, &bearer);
            }
            Said::Send => {
                let mut open = world.nodes[at].open.pop().expect("the request");
                world.arrives(&mut open);
                world.replies(at, open, TransportError::unknown());
            }
            Said::Save => world.saves(at, true),
            Said::Later(until) => world.pass(until.since(world.now.mono)),
            Said::SignIn => {
                assert!(!helped, "new and right credentials do not help");
                helped = true;
                // A secret that was refused is tried again only after that.
                world.signs_out(at);
                world.signs_in(at, AGENTS[0], true, Keep::Always);
            }
        }
    }
    panic!("no usable token {STEPS} steps after all was well again");
}
