//! What can happen to a session from the outside: asks, replies, clocks, credentials, stores.

use std::time::Duration;

use imts_core::{Keep, NotSent, RenewalCause, Saved, TransportError, Wall};
use imts_sandbox::Delivery;

use crate::driving;
use crate::node::{Node, Open};
use crate::service::{AGENTS, Answer};
use crate::weather;
use crate::world::{Said, World};

type Event = (u64, (&'static str, fn(&mut World)));

/// Each with its weight.
pub(crate) const EVENTS: [Event; 16] = [
    (40, ("ask", ask)),
    (16, ("time passes", tick)),
    (4, ("the wall clock jumps", jump)),
    (3, ("the machine sleeps", suspend)),
    (10, ("a reply comes in", reply)),
    (3, ("nobody drove a request", driving::undriven)),
    (3, ("a request is withdrawn", driving::withdraw)),
    (8, ("a token is used", call)),
    (2, ("a token is rejected out of the blue", reject)),
    (6, ("a save is over", save)),
    (3, ("credentials are given", sign_in)),
    (
        1,
        ("signed out", |world| {
            let at = world.dice.index(world.nodes.len());
            world.nodes[at].sign_out();
        }),
    ),
    (3, ("restarted", restart)),
    (10, ("the weather changes", weather::change)),
    (4, ("the weather clears", |world| weather::clear(&mut world.service))),
    (2, ("tokens are revoked", weather::revoke)),
];

/// A node does as a driver does: it takes over what a sibling has saved, and leaves the store to a
/// sibling that is at work.
fn ask(world: &mut World) {
    let at = world.dice.index(world.nodes.len());
    let is_busy = |(other, node): (usize, &Node)| other != at && node.is_busy(world.now);
    if world.nodes.iter().enumerate().any(is_busy) {
        return;
    }
    take_over(world, at);
    if let Said::Send(request) = world.ask(at) {
        let mut open = world.nodes[at].open.pop().unwrap();
        let luck = world.dice.below(100);
        let reached = !(65..75).contains(&luck) && !(85..92).contains(&luck);
        if reached {
            let purpose = open.ticket.purpose();
            let answer = world.service.renew(world.truth, world.event, purpose, &request);
            weather::note(&mut world.tally, &world.service, &answer);
            open.answer = Some(answer);
        }
        match luck {
            0..50 => match open.answer.take() {
                Some(answer) if !is_lost(&answer) => world.deliver(at, open, &answer),
                _ => fails(world, at, open, TransportError::unknown()),
            },
            65..70 => fails(world, at, open, TransportError::not_sent(NotSent::vouch())),
            75..92 => fails(world, at, open, TransportError::unknown()),
            _ => world.nodes[at].open.push(open),
        }
    }
}

fn is_lost(answer: &Answer) -> bool {
    answer.response.extensions().get::<Delivery>().is_some()
}

fn fails(world: &mut World, at: usize, open: Open, failure: TransportError) {
    let node = &mut world.nodes[at];
    let not_sent = failure.is_not_sent();
    world.tally.note(if not_sent { "fault: not sent" } else { "fault: unknown" });
    let trouble = node.session.on_failure(open.ticket, failure, world.now);
    assert!(matches!(trouble.why(), RenewalCause::Failed(_)));
    if node.live.take_if(|(ticket, _)| *ticket == open.ticket).is_some() {
        node.failed(world.now, None);
    }
    if let (true, Some((token, before))) = (not_sent, &open.presented) {
        world.service.refresh.insert(token.clone(), *before);
        node.replayed.remove(token);
    }
    node.open.push(open);
}

fn reply(world: &mut World) {
    let at = world.dice.index(world.nodes.len());
    let node = &mut world.nodes[at];
    if node.open.is_empty() {
        return;
    }
    let mut open = node.open.remove(world.dice.index(node.open.len()));
    match open.answer.take() {
        Some(answer) if !is_lost(&answer) => world.deliver(at, open, &answer),
        _ => fails(world, at, open, TransportError::unknown().timed_out()),
    }
}

fn tick(world: &mut World) {
    const SECONDS: [u64; 14] =
        [0, 0, 1, 1, 5, 20, 31, 60, 400, 785, 895, 1_000, 3_600, 31 * 86_400];
    let part = world.dice.pick(&[1_000_000, 1_000_000, 100_000]);
    let micros = world.dice.pick(&SECONDS) * 1_000_000 + world.dice.below(part);
    pass(world, Duration::from_micros(micros));
}

pub(crate) fn pass(world: &mut World, time: Duration) {
    world.truth += i64::try_from(time.as_micros()).unwrap();
    world.now = world.now.advanced_by(time);
    moved(world);
}

/// After a clock has moved, a renewal may be due again, or a token usable that was not.
fn moved(world: &mut World) {
    for node in &mut world.nodes {
        (node.burst, node.falls_back) = (0, None);
    }
}

const JUMPS: [i64; 6] = [1, 60, 900, 3_600, 86_400, 10 * 365 * 86_400];

fn jump(world: &mut World) {
    let by = world.dice.pick(&JUMPS) * 1_000_000;
    let by = if world.dice.percent(50) { by } else { -by };
    world.now.wall = Wall::from_unix_micros(world.now.wall.unix_micros() + by);
    world.jumped = world.event;
    moved(world);
    // A token that was to be renewed may be good for long again.
    for node in &mut world.nodes {
        node.disturbed = true;
    }
}

fn suspend(world: &mut World) {
    let by = world.dice.pick(&JUMPS[..5]) * 1_000_000;
    world.truth += by;
    world.now.wall = Wall::from_unix_micros(world.now.wall.unix_micros() + by);
    world.suspended = world.event;
    moved(world);
}

/// A call with a token that was handed out, the latest or an older one; a 401 is reported.
fn call(world: &mut World) {
    let at = world.dice.index(world.nodes.len());
    let bearers = &world.nodes[at].bearers;
    if bearers.is_empty() {
        return;
    }
    let latest = bearers.len() - 1;
    let which = if world.dice.percent(70) { latest } else { world.dice.index(latest + 1) };
    let bearer = bearers[which].clone();
    if !world.service.takes(world.truth, &bearer) {
        rejects(world, at, &bearer);
    }
}

fn reject(world: &mut World) {
    let at = world.dice.index(world.nodes.len());
    if let Some(bearer) = world.nodes[at].bearers.last().cloned() {
        rejects(world, at, &bearer);
    }
}

pub(crate) fn rejects(world: &mut World, at: usize, bearer: &imts_core::Bearer) {
    let node = &mut world.nodes[at];
    let usable = node.session.phase(world.now).usable();
    let is_current = usable.is_some_and(|usable| usable.bearer().epoch() == bearer.epoch());
    let was_usable = usable.is_some();
    let all_was_well = node.session.last_error().is_none() && node.live.is_none();
    (node.disturbed, node.falls_back) = (true, None);
    node.session.reject(bearer.epoch(), world.now);
    if !is_current {
        let still = node.session.phase(world.now).usable().is_some();
        assert_eq!(still, was_usable, "an old rejection kills a newer token");
        return world.tally.note("rule 4: an old token is rejected");
    }
    world.tally.note("rule 4: the current token is rejected");
    let still = node.session.phase(world.now).usable().is_some();
    assert!(!still, "a rejected token stays usable");
    match node.rejected(world.now, all_was_well) {
        Some(true) => world.tally.note("rule 9: a first young token is rejected"),
        Some(false) => world.tally.note("rule 9: its young successor is rejected"),
        None => {}
    }
    node.rejected.insert(bearer.expose_token().to_owned());
    node.burst = 0;
}

fn save(world: &mut World) {
    let at = world.dice.index(world.nodes.len());
    let works = world.dice.percent(80);
    saves(world, at, works);
}

pub(crate) fn saves(world: &mut World, at: usize, works: bool) {
    let node = &mut world.nodes[at];
    let Some((ticket, saved, _)) = node.save.take() else { return };
    node.session.on_saved(ticket, world.now);
    let newest = world.store.as_ref().is_none_or(|it| it.generation() < saved.generation());
    let is_saved = works && newest;
    world.tell(|_| format!("    node {at}: {saved:?}, saved: {is_saved}"));
    if is_saved {
        world.store = Some(saved);
    } else {
        world.tally.note("rule 10: a save fails");
        world.not_saved(at, &saved);
    }
}

fn sign_in(world: &mut World) {
    let at = world.dice.index(world.nodes.len());
    let agent = AGENTS[usize::from(world.dice.percent(15))];
    let keep = if world.dice.percent(60) { Keep::Always } else { Keep::Once };
    let right = world.dice.percent(85);
    world.tell(|_| format!("    node {at}: {agent}, {keep:?}, right: {right}"));
    world.tally.note(match keep {
        Keep::Always => "credentials: held",
        Keep::Once => "credentials: once",
    });
    let node = &mut world.nodes[at];
    if node.said().is_dead && world.dice.percent(50) {
        node.sign_out();
    }
    node.sign_in(agent, right, keep, world.now);
}

pub(crate) fn take_over(world: &mut World, at: usize) {
    if world.nodes.len() > 1
        && let Some(saved) = world.store.clone()
    {
        adopts(world, at, &saved);
    }
}

fn adopts(world: &mut World, at: usize, saved: &Saved) {
    let saved = Saved::from_json(&saved.to_json()).unwrap();
    let node = &mut world.nodes[at];
    let generation = |node: &Node| node.session.saved(world.now).map(|it| it.generation());
    let (before, new) = (generation(node), saved.generation());
    if node.session.adopt(saved.clone(), world.now).is_err() {
        assert_ne!(node.session.agent_id(), saved.agent_id());
        return world.tally.note("rule 11: a state of another agent is refused");
    }
    if before == Some(new) || generation(node) != Some(new) {
        return world.tally.note("rule 11: an older state changes nothing");
    }
    world.tally.note("rule 11: a sibling's state is adopted");
    world.tell(|_| format!("    node {at} adopts {saved:?}"));
    let node = &mut world.nodes[at];
    node.granted();
    node.takes_over();
    (node.generation, node.adopted) = (new, world.event);
    node.replayed.clear();
    node.refused.clear();
    node.unmarked |= world.is_unmarked;
}

fn restart(world: &mut World) {
    let at = world.dice.index(world.nodes.len());
    world.tell(|_| format!("    node {at}"));
    let fresh = Node::new(world.nodes[at].stores, world.policy.clone());
    let old = std::mem::replace(&mut world.nodes[at], fresh);
    world.nodes[at].phase = old.phase;
    let agent = old.session.agent_id().filter(|_| old.keep == Some(Keep::Always));
    let saved = match old.stores {
        true => {
            if let Some((_, saved, _)) = &old.save {
                world.not_saved(at, saved);
            }
            world.tally.note("restart: from what was saved last");
            world.store.clone()
        }
        false if world.dice.percent(50) => {
            world.tally.note("restart: from what was saved on leaving");
            old.session.saved(world.now)
        }
        false => {
            world.tally.note("restart: from nothing");
            None
        }
    };
    let first = world.dice.percent(50);
    if first && let Some(saved) = &saved {
        adopts(world, at, saved);
    }
    if let Some(agent) = agent {
        world.nodes[at].sign_in(agent, old.secret_is_right, Keep::Always, world.now);
    }
    if !first && let Some(saved) = &saved {
        adopts(world, at, saved);
    }
}
