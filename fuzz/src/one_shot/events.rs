//! What can happen to a session from the outside.

use std::time::Duration;

use imts_core::secret::TokenId;

use super::steps::{FATES, Said};
use super::world::World;

type Event = (u64, (&'static str, fn(&mut World)));

/// Each with its weight.
pub(super) const EVENTS: [Event; 9] = [
    (40, ("ask", ask)),
    (16, ("time passes", tick)),
    (20, ("a save ends", save)),
    (10, ("a late reply comes in", late)),
    (8, ("the user brings a code", World::signs_in)),
    (6, ("a token is used", used)),
    (6, ("tokens are revoked", revoke)),
    (3, ("an unknown id is revoked", unknown)),
    (5, ("a crash", crash)),
];

fn ask(world: &mut World) {
    let (_, fate) = FATES[world.choices.weighed(&FATES)];
    if let Said::NeedsCode = world.ask(fate) {
        world.tally.note("a code is asked for");
    }
}

fn tick(world: &mut World) {
    const HOURS: [u64; 9] = [0, 0, 1, 24, 5 * 24, 6 * 24, 7 * 24, 8 * 24, 29 * 24];
    let seconds = world.choices.below(60) + 3_600 * world.choices.pick(&HOURS);
    world.pass(Duration::from_secs(seconds));
}

fn save(world: &mut World) {
    let (is_durable, is_reported) = (world.choices.percent(75), world.choices.percent(90));
    world.saves(is_durable, is_reported);
}

fn late(world: &mut World) {
    if !world.late.is_empty() {
        let at = world.choices.index(world.late.len());
        let (ticket, response) = world.late.remove(at);
        world.replied(ticket, &response);
        world.tally.note("a reply is late");
    }
}

fn used(world: &mut World) {
    let usable = world.session.phase(world.now).usable();
    if let Some(bearer) = usable.map(|usable| usable.bearer().clone())
        && !world.service.takes(bearer.expose_token())
    {
        world.session.reject(bearer.epoch(), world.now);
        world.tally.note("a token is rejected");
    }
}

/// Often the latest one, sometimes one that a refresh has replaced, and sometimes twice.
fn revoke(world: &mut World) {
    let Some(latest) = world.ids.len().checked_sub(1) else { return };
    let at = if world.choices.percent(60) { latest } else { world.choices.index(latest + 1) };
    let id = world.ids[at].clone();
    let token = TokenId::new(&id).expect("an id");
    world.service.revokes(&id);
    if world.choices.percent(20) {
        return; // the callback is lost
    }
    if world.session.revoked(&token, world.now) {
        world.tally.note(if at == latest { "revoked" } else { "revoked by an earlier id" });
        world.heard.extend(world.service.family_of_id(&id));
        assert!(world.session.phase(world.now).usable().is_none(), "revoked, and still usable");
        assert!(!world.session.revoked(&token, world.now), "revoked twice");
    } else {
        world.tally.note("revoked, and not its own");
    }
}

fn unknown(world: &mut World) {
    // It sees the time, as each input does.
    world.session.reject(imts_core::Epoch::default(), world.now);
    let before = format!("{:?}", world.session);
    let id = TokenId::new("01953bd1-a6d3-739e-8aa3-83e881f09055").expect("an id");
    assert!(!world.session.revoked(&id, world.now), "an id that nobody has");
    assert_eq!(before, format!("{:?}", world.session), "it changes nothing");
}

fn crash(world: &mut World) {
    if world.choices.percent(50) {
        world.saves(true, false);
    }
    world.tally.note("a crash");
    world.crashes();
}
