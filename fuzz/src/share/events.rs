//! What may happen, and how often.

use std::time::Duration;

use super::world::World;

type Event = (u64, (&'static str, fn(&mut World)));

pub(super) const EVENTS: [Event; 15] = [
    (
        400,
        ("a host is asked", |world| {
            let at = world.any();
            let _said = world.ask(at, Duration::ZERO);
        }),
    ),
    (
        12,
        ("a host is asked for more", |world| {
            let at = world.any();
            let _said = world.ask(at, Duration::from_secs(1));
        }),
    ),
    (
        90,
        ("a moment passes", |world| {
            let time = world.choices.pick(&[1, 25, 100, 500, 1_000]);
            world.pass(Duration::from_millis(time));
        }),
    ),
    (
        90,
        ("time passes", |world| {
            let time = world.choices.pick(&[1, 2, 3, 16, 16, 60, 200, 700, 900]);
            world.pass(Duration::from_secs(time));
        }),
    ),
    (
        80,
        ("something late arrives", |world| {
            if !world.late.is_empty() {
                let which = world.choices.index(world.late.len());
                let late = world.late.swap_remove(which);
                world.arrives(late);
            }
        }),
    ),
    (
        25,
        ("a host crashes", |world| {
            let at = world.any();
            let (offset, credentials) = (world.hosts[at].offset, world.hosts[at].has_credentials);
            let kept = world.hosts[at].kept.take();
            let mut host = world.host(offset, credentials);
            if let Some(kept) = kept {
                let now = host.now(world.truth);
                host.session.adopt(kept, now).expect("its own state");
                world.tally.note("restored from a file of its own");
            }
            world.hosts[at] = host;
            world.tally.note("a host crashes");
        }),
    ),
    (
        8,
        ("a host keeps a file", |world| {
            let at = world.any();
            let now = world.hosts[at].now(world.truth);
            world.hosts[at].kept = world.hosts[at].session.saved(now);
        }),
    ),
    (
        10,
        ("a token is rejected", |world| {
            let at = world.any();
            let now = world.hosts[at].now(world.truth);
            if let Some(bearer) = world.hosts[at].bearers.last() {
                let epoch = bearer.epoch();
                world.hosts[at].session.reject(epoch, now);
                world.tally.note("a token is rejected");
            }
        }),
    ),
    (
        20,
        ("the service changes", |world| {
            let status = world.choices.pick(&[200, 200, 503, 404, 401]);
            world.service.fails(status);
        }),
    ),
    (
        12,
        ("the store forgets", |world| {
            let restarts = world.choices.percent(50);
            world.store.forget(restarts);
            world.tally.note("the store forgets");
        }),
    ),
    (
        20,
        ("the store goes back", |world| {
            if world.store.history() > 0 {
                let recent = world.store.history().min(6);
                let back = 1 + world.choices.index(recent);
                world.store.go_back(world.store.history() - back);
                world.tally.note("the store goes back");
            }
        }),
    ),
    (5, ("the store restarts", |world| world.store.restart())),
    (
        6,
        ("the store stands still", |world| {
            world.store.stands_still = !world.store.stands_still;
            world.tally.note("the store stands still");
        }),
    ),
    (
        3,
        ("the store's clock jumps", |world| {
            let by = world.choices.pick(&[-60, -5, 5, 60, 3_600]);
            world.store.jump(by * 1_000_000);
        }),
    ),
    (
        4,
        ("a host signs out everywhere", |world| {
            if world.choices.one_in(4) {
                let at = world.any();
                let (offset, credentials) =
                    (world.hosts[at].offset, world.hosts[at].has_credentials);
                world.hosts[at].session.sign_out_everywhere();
                world.hosts[at].has_credentials = false;
                let _said = world.ask(at, Duration::ZERO);
                world.hosts[at] = world.host(offset, credentials);
                world.tally.note("rule 27: a host signs out everywhere");
            }
        }),
    ),
];
