//! What can happen to a session from the outside: asks, replies, clocks, credentials, stores.

use std::time::Duration;

use imts_core::transport_error::NotSent;
use imts_core::{Keep, TransportError};

use super::driving;
use super::polls::Said;
use super::service::AGENTS;
use super::weather;
use super::world::World;

type Event = (u64, (&'static str, fn(&mut World)));

/// Each with its weight.
pub(super) const EVENTS: [Event; 21] = [
    (40, ("ask", ask)),
    (6, ("ask, and do at once what the step says", work)),
    (16, ("time passes", tick)),
    (4, ("the wall clock jumps", jump)),
    (3, ("the machine sleeps", sleep)),
    (4, ("a request reaches the service", arrive)),
    (10, ("a reply comes in", reply)),
    (3, ("a request fails", fail)),
    (3, ("nobody drove a request", driving::undriven)),
    (3, ("a request is withdrawn", driving::withdraw)),
    (8, ("a token is used", call)),
    (2, ("a token is rejected out of the blue", reject)),
    (6, ("a save is over", save)),
    (2, ("a save is over too late", save_late)),
    (3, ("credentials are given", sign_in)),
    (1, ("signed out", sign_out)),
    (3, ("restarted", restart)),
    (3, ("a driver looks into the store", adopt)),
    (10, ("the weather changes", weather::change)),
    (4, ("the weather clears", |world| weather::clear(&mut world.service))),
    (2, ("tokens are revoked", weather::revoke)),
];

/// How much time a caller may want, in seconds: mostly none.
const AT_LEAST: [u64; 10] = [0, 0, 0, 0, 0, 0, 10, 60, 600, 1_000];

/// Whether a node may ask: it takes over what a sibling has saved, and leaves the store to a sibling that is
/// at work. A careless driver does neither.
fn may_ask(world: &mut World, at: usize) -> bool {
    if !world.is_careful {
        return true;
    }
    let mut nodes = world.nodes.iter().enumerate();
    if nodes.any(|(other, node)| other != at && node.is_busy(world.now)) {
        return false;
    }
    world.take_over(at);
    true
}

fn ask(world: &mut World) {
    let at = world.any();
    if !may_ask(world, at) {
        return;
    }
    let at_least = Duration::from_secs(world.choices.pick(&AT_LEAST));
    let Said::Send = world.ask(at, at_least) else { return };
    let mut open = world.nodes[at].open.pop().expect("the request");
    let luck = world.choices.below(100);
    let reached = !(65..75).contains(&luck) && !(85..92).contains(&luck);
    if reached {
        world.arrives(&mut open);
    }
    match luck {
        0..50 => world.replies(at, open, TransportError::unknown()),
        65..70 => world.fails(at, open, TransportError::not_sent(NotSent::vouch())),
        75..92 => world.fails(at, open, TransportError::unknown()),
        _ => world.nodes[at].open.push(open),
    }
}

/// A driver without bad luck.
fn work(world: &mut World) {
    let at = world.any();
    for _ in 0..6 {
        if !may_ask(world, at) {
            return;
        }
        match world.ask(at, Duration::ZERO) {
            Said::Send => {
                let mut open = world.nodes[at].open.pop().expect("the request");
                world.arrives(&mut open);
                world.replies(at, open, TransportError::unknown());
            }
            Said::Save => world.saves(at, true),
            Said::Ready(_) | Said::Later(_) | Said::SignIn => return,
        }
    }
}

/// One of a node's open requests.
fn open(world: &mut World) -> Option<(usize, usize)> {
    let at = world.any();
    let count = world.nodes[at].open.len();
    (count > 0).then(|| (at, world.choices.index(count)))
}

fn arrive(world: &mut World) {
    let Some((at, which)) = open(world) else { return };
    let mut open = world.nodes[at].open.remove(which);
    world.arrives(&mut open);
    world.nodes[at].open.insert(which, open);
}

fn reply(world: &mut World) {
    let Some((at, which)) = open(world) else { return };
    let open = world.nodes[at].open.remove(which);
    world.replies(at, open, TransportError::unknown().timed_out());
}

fn fail(world: &mut World) {
    let Some((at, which)) = open(world) else { return };
    let open = world.nodes[at].open.remove(which);
    let unsent = open.request.is_some() && world.choices.percent(50);
    let not_sent = || TransportError::not_sent(NotSent::vouch());
    let why = if unsent { not_sent() } else { TransportError::unknown() };
    world.fails(at, open, why);
}

fn tick(world: &mut World) {
    const SECONDS: [u64; 14] =
        [0, 0, 1, 1, 5, 20, 31, 60, 400, 785, 895, 1_000, 3_600, 31 * 86_400];
    let part = world.choices.below(256) * world.choices.pick(&[3_906, 3_906, 390]);
    let micros = world.choices.pick(&SECONDS) * 1_000_000 + part;
    world.pass(Duration::from_micros(micros));
}

const JUMPS: [i64; 6] = [1, 60, 900, 3_600, 86_400, 10 * 365 * 86_400];

fn jump(world: &mut World) {
    let by = world.choices.pick(&JUMPS) * 1_000_000;
    let forward = world.choices.percent(50);
    world.jump(if forward { by } else { -by });
}

fn sleep(world: &mut World) {
    let by = world.choices.pick(&JUMPS[..5]);
    world.suspend(by * 1_000_000);
}

/// A call with a token that was handed out, the latest or an older one; a 401 is reported.
fn call(world: &mut World) {
    let at = world.any();
    let bearers = &world.nodes[at].bearers;
    let Some(latest) = bearers.len().checked_sub(1) else { return };
    let which = if world.choices.percent(70) { latest } else { world.choices.index(latest + 1) };
    let bearer = bearers[which].clone();
    if !world.service.takes(world.truth, &bearer) {
        world.rejects(at, &bearer);
    }
}

fn reject(world: &mut World) {
    let at = world.any();
    if let Some(bearer) = world.nodes[at].bearers.last().cloned() {
        world.rejects(at, &bearer);
    }
}

fn save(world: &mut World) {
    let at = world.any();
    let works = world.choices.percent(80);
    world.saves(at, works);
}

fn save_late(world: &mut World) {
    let at = world.any();
    world.saves_late(at);
}

fn sign_in(world: &mut World) {
    let at = world.any();
    let agent = AGENTS[usize::from(world.choices.percent(15))];
    let keep = if world.choices.percent(60) { Keep::Always } else { Keep::Once };
    let right = world.choices.percent(85);
    world.tell(|_| format!("    node {at}: {agent}, {keep:?}, right: {right}"));
    world.tally.note(match keep {
        Keep::Always => "credentials: held",
        Keep::Once => "credentials: once",
    });
    if world.nodes[at].said().is_dead && world.choices.percent(50) {
        world.signs_out(at);
    }
    world.signs_in(at, agent, right, keep);
}

fn sign_out(world: &mut World) {
    let at = world.any();
    world.signs_out(at);
}

fn restart(world: &mut World) {
    let at = world.any();
    world.restarts(at);
}

/// A careful driver does so before it asks, and at no other time.
fn adopt(world: &mut World) {
    let at = world.any();
    if let (false, Some(saved)) = (world.is_careful, world.store.clone()) {
        world.adopts(at, &saved);
    }
}
