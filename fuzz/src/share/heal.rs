//! Once all is well again, each host soon has a token that the service takes.

use std::time::Duration;

use super::swaps::Said;
use super::world::World;

/// The time limit of a sign-in alone, which is longer than a lease, the longest back-off of the
/// service and of the store, and a second.
const WITHIN: Duration = Duration::from_secs(30 + 60 + 5 + 1);

pub(super) fn heal(world: &mut World) {
    world.service.heals();
    world.is_calm = true;
    world.store.stands_still = false;
    while let Some(late) = world.late.pop() {
        world.arrives(late);
    }
    assert_eq!(world.service.sandbox.counters().refresh_reuse, 0, "a refresh token is reused");
    let begin = world.truth;
    let within = i64::try_from(WITHIN.as_micros()).unwrap();
    let deadline = begin + within + world.store.set_back;
    loop {
        let mut wait = Duration::from_secs(1);
        let mut missing = None;
        for at in 0..world.hosts.len() {
            match recovers(world, at) {
                None => {}
                Some(later) => {
                    wait = wait.min(later);
                    missing = Some(at);
                }
            }
        }
        let Some(at) = missing else { break };
        assert!(world.truth < deadline, "host {at} has no token {WITHIN:?} after all is well");
        world.pass(wait.max(Duration::from_millis(1)));
    }
    world.tally.note("healed");
}

/// How long until this host is to be asked again. `None` if it has a token, or needs credentials.
fn recovers(world: &mut World, at: usize) -> Option<Duration> {
    for _ in 0..8 {
        match world.ask(at, Duration::ZERO) {
            Said::Ready(bearer) => {
                if world.service.takes(world.truth, &bearer) {
                    return None;
                }
                let now = world.hosts[at].now(world.truth);
                world.hosts[at].session.reject(bearer.epoch(), now);
            }
            Said::SignIn => return None,
            Said::Later(until) => return Some(until.since(world.hosts[at].now(world.truth).mono)),
            Said::Waiting => unreachable!("nothing is on its way"),
        }
    }
    Some(Duration::from_millis(1))
}
