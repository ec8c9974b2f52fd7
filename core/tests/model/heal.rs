//! Once all is well again, each session soon has a token that the service takes.

use imts_core::Keep;

use crate::events::{pass, rejects, saves, take_over};
use crate::service::AGENTS;
use crate::weather;
use crate::world::{Said, World};

/// How many steps a session may take to recover, waits included.
const STEPS: usize = 24;

pub(crate) fn heal(world: &mut World) {
    weather::clear(&mut world.service);
    for at in 0..world.nodes.len() {
        world.event += 1;
        recovers(world, at);
    }
}

fn recovers(world: &mut World, at: usize) {
    let (mut helped, mut rejected) = (false, 0);
    for _ in 0..STEPS {
        take_over(world, at);
        match world.ask(at) {
            Said::Ready(bearer) if world.service.takes(world.truth, &bearer) => {
                return world.tally.note(match (helped, rejected) {
                    (true, _) => "healed: by new credentials",
                    (_, 0) => "healed: at once",
                    _ => "healed: after a rejection",
                });
            }
            Said::Ready(bearer) => {
                rejected += 1;
                rejects(world, at, &bearer);
            }
            Said::Send(request) => {
                let open = world.nodes[at].open.pop().unwrap();
                let purpose = open.ticket.purpose();
                let answer = world.service.renew(world.truth, world.event, purpose, &request);
                world.deliver(at, open, &answer);
            }
            Said::Save => saves(world, at, true),
            Said::Later(until) => pass(world, until.since(world.now.mono)),
            Said::SignIn => {
                assert!(!helped, "new and right credentials do not help");
                helped = true;
                // A secret that was refused is tried again only after that.
                world.nodes[at].sign_out();
                world.nodes[at].sign_in(AGENTS[0], true, Keep::Always, world.now);
            }
        }
    }
    panic!("no usable token {STEPS} steps after all was well again");
}
