//! The end of each schedule: no more faults, everything is found out, and what is still wanted is
//! done once.

use imts_core::journal::Finding;

use super::asks::Ask;
use super::findings::From;
use super::known::State;
use super::world::World;

pub(super) fn heal(world: &mut World) {
    let (is_sound, asked) = (world.is_sound, world.asked.clone());
    world.is_calm = true;
    world.settle();
    for at in 0..world.desks.len() {
        run_out(world, at);
    }
    if is_sound {
        let mut journals = std::collections::BTreeMap::<_, usize>::new();
        for (_, key) in &asked {
            *journals.entry(*key).or_default() += 1;
        }
        for (key, journals) in journals {
            assert_eq!(world.ledger.count(key), journals, "once for each journal: {key:?}");
            world.tally.note("without faults: applied exactly once");
        }
    }
    for at in 0..world.desks.len() {
        world.kill(at);
        world.restart(at);
        find_out(world, at);
        world.kill(at);
        world.restart(at);
    }
    take_leave_of_dead_tokens(world);
    for key in world.keys.clone() {
        do_it(world, &Ask::plain(key));
    }
    for key in &world.keys {
        let applied = world.service.applied(key.place(), &key.id());
        assert_eq!(applied, world.ledger.count(*key) as u64);
    }
}

/// All callers of a process come to their end.
fn run_out(world: &mut World, at: usize) {
    for _ in 0..10_000 {
        let callers = world.desks[at].process.as_ref().map(|process| &process.callers);
        let Some(caller) = callers.and_then(|callers| callers.first()) else { return };
        if let Some(until) = caller.idle_until() {
            world.pass_until(until);
        }
        world.step(at, 0);
    }
    panic!("a call never ends");
}

/// The service is asked what became of each call in doubt.
fn find_out(world: &mut World, at: usize) {
    // Until the last sender counts as dead, by a clock that may have been set back.
    let ends = world.desks[at].known.iter().filter_map(|call| call.alive_until(world.now.wall));
    if let Some(end) = ends.max() {
        let wait = end.since(world.now.wall);
        world.pass_until(world.now.mono.after(wait));
    }
    let doubt = world.desks[at].known.iter().filter(|call| call.state == State::Doubt);
    let doubt: Vec<_> = doubt.map(|call| (call.id, call.ask.clone())).collect();
    for (id, ask) in doubt {
        let is_done = world.ledger.count(ask.key) > 0;
        let finding = if is_done { Finding::Done } else { Finding::Refused };
        world.resolve(at, (id, finding, From::Elsewhere), &ask);
    }
}

/// No session goes on with a token that was taken back and nobody has reported.
fn take_leave_of_dead_tokens(world: &mut World) {
    for session in &mut world.sessions {
        let bearer = session.phase(world.now).usable().map(|it| it.bearer().clone());
        if let Some(bearer) = bearer.filter(|it| world.revoked.contains(it.expose_token())) {
            session.reject(bearer.epoch(), world.now);
        }
    }
}

/// The intent is asked for once more: it is done now, unless the journal says that it was done.
fn do_it(world: &mut World, ask: &Ask) {
    let is_done = |world: &World| {
        let known = &world.desks[0].known;
        known.iter().any(|call| call.is_of(ask) && call.state == State::Done)
    };
    let (was_done, before) = (is_done(world), world.ledger.count(ask.key));
    world.ask(0, ask.clone());
    run_out(world, 0);
    let applied = world.ledger.count(ask.key) - before;
    match super::known::standing(&world.desks[0].known, ask) {
        Some(call) => assert_eq!(call.state, State::Done),
        None => panic!("it is not done: {ask:?}"),
    }
    let is_stopped = was_done && applied == 0;
    assert!(is_stopped || applied == 1, "{applied} applied, {was_done}");
    world.tally.note(if is_stopped { "healed: was done" } else { "healed: done now" });
}
