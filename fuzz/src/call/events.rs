//! What can happen, and how often.

use std::time::Duration;

use imts_core::journal::Finding;

use super::asks::Ask;
use super::findings::From;
use super::known::{self, State};
use super::world::World;

type Event = (u64, fn(&mut World));

/// The events, each with its weight. The first ones let nothing go wrong.
pub(super) const EVENTS: [Event; 18] = [
    (18, ask),
    (6, ask_alone),
    (60, step),
    (24, run_to_its_end),
    (6, a_moment_passes),
    (6, time_passes_unpolled),
    (2, a_wall_clock_is_set),
    (2, a_caller_leaves),
    (3, a_process_dies),
    (10, a_process_starts),
    (2, a_journal_is_copied),
    (1, a_copy_is_put_back),
    (3, a_journal_is_compacted),
    (8, someone_resolves),
    (8, override_),
    (4, World::settle),
    (4, a_driver_is_careless),
    (3, a_callers_time_passes),
];

/// How many of them let nothing go wrong.
pub(super) const SOUND: usize = 5;

/// A journal whose process lives.
fn desk(world: &mut World) -> Option<usize> {
    let at = world.choices.pick(&[0, 0, 0, 0, 0, 0, 1, 2]);
    world.desks[at].process.is_some().then_some(at)
}

fn ask_of(world: &mut World) -> Ask {
    let key = world.choices.pick(&world.keys);
    Ask::by(key, &mut *world.choices)
}

fn ask(world: &mut World) {
    let ask = ask_of(world);
    if let Some(at) = desk(world) {
        world.ask(at, ask);
    }
}

fn ask_alone(world: &mut World) {
    if let Some(at) = desk(world) {
        world.ask_alone(at);
    }
}

/// One step of a caller; one that waits is seldom polled before its time.
fn step(world: &mut World) {
    if let Some((at, index)) = caller(world) {
        world.step(at, index);
    }
}

/// One caller goes on while the others stay where they are.
fn run_to_its_end(world: &mut World) {
    let Some((at, _)) = caller(world) else { return };
    let callers =
        |world: &World| world.desks[at].process.as_ref().map_or(0, |process| process.callers.len());
    for _ in 0..16 {
        let before = callers(world);
        if before == 0 {
            return;
        }
        world.step(at, before - 1);
        if callers(world) < before {
            return;
        }
    }
}

fn caller(world: &mut World) -> Option<(usize, usize)> {
    let at = desk(world)?;
    let callers = world.desks[at].process.as_ref()?.callers.len();
    (callers > 0).then(|| (at, world.choices.index(callers)))
}

fn a_moment_passes(world: &mut World) {
    let millis = world.choices.pick(&[0, 1, 400, 1_000, 2_000]);
    world.pass(Duration::from_millis(millis));
}

fn time_passes_unpolled(world: &mut World) {
    let seconds = world.choices.pick(&[7, 31, 100, 901, 86_400]);
    let callers = world.desks.iter().filter_map(|desk| desk.process.as_ref());
    if callers.map(|process| process.callers.len()).sum::<usize>() > 0 {
        world.tally.note("unpolled time");
    }
    world.pass(Duration::from_secs(seconds));
}

/// Nothing happens until a caller wants to be polled.
fn a_callers_time_passes(world: &mut World) {
    let Some((at, index)) = caller(world) else { return };
    let caller = world.desks[at].process.as_ref().map(|process| &process.callers[index]);
    if let Some(until) = caller.and_then(|caller| caller.until) {
        world.pass_until(until);
    }
}

fn a_wall_clock_is_set(world: &mut World) {
    let seconds = world.choices.pick(&[-86_400, -3_600, 3_600, 86_400]);
    world.tally.note("a wall clock is set");
    world.tell(|_| format!("the wall clock is set by {seconds} s"));
    world.set_wall(seconds * 1_000_000);
}

fn a_caller_leaves(world: &mut World) {
    if let Some((at, index)) = caller(world) {
        world.leave(at, index);
    }
}

fn a_driver_is_careless(world: &mut World) {
    if let Some((at, index)) = caller(world) {
        world.talks_out_of_turn(at, index);
    }
}

fn a_process_dies(world: &mut World) {
    if let Some(at) = desk(world) {
        world.tally.note("crash: between two steps");
        world.kill(at);
        if !world.choices.one_in(4) {
            world.restart(at);
        }
    }
}

fn a_process_starts(world: &mut World) {
    for at in 0..world.desks.len() {
        world.restart(at);
    }
}

fn a_journal_is_copied(world: &mut World) {
    let at = world.choices.index(2);
    world.copy(at);
}

fn a_journal_is_compacted(world: &mut World) {
    let at = world.choices.index(2);
    world.compact(at);
}

fn a_copy_is_put_back(world: &mut World) {
    let at = world.choices.index(2);
    world.put_back(at);
}

/// Records a finding, mostly about a call in doubt, and mostly a true one.
fn someone_resolves(world: &mut World) {
    let Some(at) = desk(world) else { return };
    let known = &world.desks[at].known;
    let doubt: Vec<_> = known.iter().filter(|call| call.state == State::Doubt).collect();
    let call = match world.choices.below(4) {
        3 => known.get(world.choices.index(known.len().max(1))),
        _ => doubt.get(world.choices.index(doubt.len().max(1))).copied(),
    };
    let Some(call) = call else {
        if !world.choices.one_in(8) {
            return;
        }
        let missing = known.len() as u64 + 7;
        let ask = Ask::plain(world.keys[0]);
        return world.resolve(at, (missing, Finding::Refused, From::Here), &ask);
    };
    let (id, ask) = (call.id, call.ask.clone());
    let is_done = world.ledger.count(ask.key) > 0;
    let finding = match is_done ^ (world.choices.below(8) == 7) {
        true => Finding::Done,
        false => Finding::Refused,
    };
    let from = if world.choices.one_in(3) { From::Elsewhere } else { From::Here };
    world.resolve(at, (id, finding, from), &ask);
}

/// Asks in spite of a record: mostly of the one that stands, else of any or none.
fn override_(world: &mut World) {
    let mut ask = ask_of(world);
    let Some(at) = desk(world) else { return };
    let known = &world.desks[at].known;
    let is_usual = world.choices.below(4) != 3;
    let id = match known::standing(known, &ask) {
        Some(call) if is_usual => call.id,
        None if is_usual => return,
        _ => 1 + world.choices.below(known.len() as u64 + 2),
    };
    ask.despite = Some(known::despite(id));
    world.ask(at, ask);
}
