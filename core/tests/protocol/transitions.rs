//! Every state by every event, equal to `docs/transitions.md`.

use std::collections::{BTreeMap, BTreeSet};

use http::Response;
use imts_core::exchange::Purpose;
use imts_core::time::{Mono, Wall};
use imts_core::transport_error::NotSent;
use imts_core::{Epoch, Keep, Saved, Step, TransportError};
use serde_json::json;

use crate::sharing::{SHARED_EVENTS, SHARED_STATES};
use crate::support::{
    AGENT, World, answer, credentials, other_secret, policy, seconds, session_with,
    with_retry_after,
};

const TABLES: &str = include_str!("../../docs/transitions.md");

pub(crate) type State = (&'static str, fn() -> World);

pub(crate) const STATES: [State; 25] = [
    ("none", World::empty),
    ("held", || World::with_credentials(Keep::Always)),
    ("once", || World::with_credentials(Keep::Once)),
    ("signing", || {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        world
    }),
    ("valid", || aged(Keep::Always, 60)),
    ("expiring", || aged(Keep::Always, 800)),
    ("refreshing", || refreshing(Keep::Always, 800)),
    ("expired", || aged(Keep::Always, 1_000)),
    ("renewing", || refreshing(Keep::Always, 1_000)),
    ("valid, used up", || aged(Keep::Once, 60)),
    ("expired, used up", || aged(Keep::Once, 1_000)),
    ("renewing, used up", || refreshing(Keep::Once, 1_000)),
    ("in doubt", || doubtful(refreshing(Keep::Always, 800))),
    ("in doubt, used up", || doubtful(refreshing(Keep::Once, 1_000))),
    ("back-off", || {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        world.fails(TransportError::not_sent(NotSent::vouch()));
        world
    }),
    ("back-off, usable", || {
        let mut world = refreshing(Keep::Always, 800);
        world.reply(&with_retry_after(answer(503, &json!({})), "60")).unwrap_err();
        world
    }),
    ("refused", || {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        world.refused();
        world
    }),
    ("forbidden", || {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        world.forbidden(false);
        world
    }),
    ("forbidden, used up", || {
        let mut world = refreshing(Keep::Once, 1_000);
        world.forbidden(false);
        world
    }),
    ("missing", || {
        let mut world = refreshing(Keep::Always, 1_000);
        world.reply(&answer(404, &json!({}))).unwrap_err();
        world
    }),
    ("young", || aged(Keep::Always, 1)),
    ("young, replaced", || {
        let mut world = aged(Keep::Always, 1);
        world.rejects();
        world.sends(Purpose::Refresh);
        world.granted();
        world.ready();
        world
    }),
    ("marking", marking),
    ("saving", saving),
    ("saving, usable", || {
        let mut world = marking();
        world.saved();
        world.sends(Purpose::Refresh);
        world.granted();
        assert_eq!(world.ask(), 'K');
        world
    }),
];

fn aged(keep: Keep, age: u64) -> World {
    let mut world = World::signed_in(keep);
    world.pass(seconds(age));
    world
}

fn refreshing(keep: Keep, age: u64) -> World {
    let mut world = aged(keep, age);
    world.sends(Purpose::Refresh);
    world
}

fn doubtful(mut world: World) -> World {
    world.fails(TransportError::unknown());
    world.pass(seconds(10));
    world
}

fn saving() -> World {
    let mut world = World::of(session_with(policy()).with_store());
    world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
    world.sends(Purpose::SignIn);
    world.granted();
    assert_eq!(world.ask(), 'K');
    world
}

fn marking() -> World {
    let mut world = saving();
    world.saved();
    world.save = None;
    world.ready();
    world.pass(seconds(800));
    assert_eq!(world.ask(), 'K');
    world
}

/// What happens; `None` if it cannot happen in this state.
pub(crate) type Event = fn(&mut World) -> Option<()>;

pub(crate) const EVENTS: [(&str, Event); 29] = [
    ("ask", |_| Some(())),
    ("6 s pass", |world| passes(world, 6)),
    ("31 s pass", |world| passes(world, 31)),
    ("900 s pass", |world| passes(world, 900)),
    ("31 days pass", |world| passes(world, 31 * 86_400)),
    ("wall clock +1 h", |world| jumps(world, 3_600_000_000)),
    ("wall clock -1 h", |world| jumps(world, -3_600_000_000)),
    ("grant", |world| {
        let grant = world.next_grant(true);
        replies(world, &grant)
    }),
    ("grant without refresh token", |world| {
        let grant = world.next_grant(false);
        replies(world, &grant)
    }),
    ("401 in JSON", |world| replies(world, &answer(401, &json!({ "error": {} })))),
    ("403 in JSON", |world| replies(world, &answer(403, &json!({ "error": {} })))),
    ("404", |world| replies(world, &answer(404, &json!({ "error": {} })))),
    ("503, Retry-After 120", |world| {
        replies(world, &with_retry_after(answer(503, &json!({})), "120"))
    }),
    ("500", |world| replies(world, &answer(500, &json!({})))),
    ("200, not understood", |world| replies(world, &answer(200, &json!({ "ok": 1 })))),
    ("302", |world| replies(world, &answer(302, &json!({})))),
    ("not sent", |world| fails(world, TransportError::not_sent(NotSent::vouch()))),
    ("lost", |world| fails(world, TransportError::unknown())),
    ("withdrawn", |world| {
        world.session.withdraw(world.ticket?);
        Some(())
    }),
    ("31 s pass, undriven", |world| {
        world.pass(seconds(31));
        world.session.postpone(world.ticket?, world.now);
        Some(())
    }),
    ("current token rejected", |world| {
        let epoch = world.bearer.as_ref().map(imts_core::Bearer::epoch).unwrap_or_default();
        world.session.reject(epoch, world.now);
        Some(())
    }),
    ("old token rejected", |world| {
        world.session.reject(Epoch::default(), world.now);
        Some(())
    }),
    ("the same credentials", |world| {
        world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
        Some(())
    }),
    ("another secret, same agent", |world| {
        world.session.sign_in(other_secret(1), Keep::Always, world.now);
        Some(())
    }),
    ("credentials of another agent", |world| {
        world.session.sign_in(credentials("agent-2"), Keep::Always, world.now);
        Some(())
    }),
    ("signed out", |world| {
        world.session.sign_out();
        Some(())
    }),
    ("sibling's state, generation 9", |world| adopts(world, 9)),
    ("sibling's state, generation 1", |world| adopts(world, 1)),
    ("save reported", |world| {
        world.save.as_ref()?;
        world.saved();
        Some(())
    }),
];

pub(crate) fn passes(world: &mut World, time: u64) -> Option<()> {
    world.pass(seconds(time));
    Some(())
}

fn jumps(world: &mut World, micros: i64) -> Option<()> {
    world.now.wall = Wall::from_unix_micros(world.now.wall.unix_micros() + micros);
    Some(())
}

pub(crate) fn replies(world: &mut World, response: &Response<Vec<u8>>) -> Option<()> {
    let _there_is_one = world.ticket?;
    let _what_the_one_who_waits_is_told = world.reply(response);
    Some(())
}

pub(crate) fn fails(world: &mut World, failure: TransportError) -> Option<()> {
    let _there_is_one = world.ticket?;
    world.fails(failure);
    Some(())
}

/// What a sibling has saved just now: tokens that live 900 s and 30 days. It cannot be adopted where
/// another agent has signed in.
pub(crate) fn adopts(world: &mut World, generation: u64) -> Option<()> {
    let now = world.now.wall.unix_micros();
    let (access_end, refresh_end) = (now + 900_000_000, now + 30 * 86_400_000_000);
    let form = json!({
        "version": 1, "generation": generation, "endpoint": "https://service.example",
        "agent_id": AGENT, "saved_at_us": now,
        "access": { "token": "sibling-a", "ends_at_us": access_end, "lifetime_us": 900_000_000,
                    "expire_at_us": access_end },
        "refresh": { "token": "sibling-r", "ends_at_us": refresh_end, "expire_at_us": refresh_end,
                     "in_doubt": false },
    });
    let saved = Saved::from_json(form.to_string().as_bytes()).unwrap();
    world.session.adopt(saved, world.now).ok()
}

/// A state after an event, in three signs.
fn cell(mut world: World, event: Event) -> String {
    if event(&mut world).is_none() {
        return ".".to_owned();
    }
    let refresh = match world.session.saved(world.now) {
        Some(saved) if saved.is_in_doubt() => '?',
        Some(saved) if !saved.to_json().ends_with(br#""refresh":null}"#) => '+',
        _ => '-',
    };
    let step = world.ask();
    let phase = match world.phase().as_str() {
        "unauthenticated" => 'U',
        "valid" => 'V',
        "expiring" => 'E',
        "expired" => 'X',
        other => panic!("{other}"),
    };
    [phase, step, refresh].iter().collect()
}

/// The document's cells by state and event.
fn document() -> BTreeMap<(String, String), String> {
    let mut cells = BTreeMap::new();
    let mut states: Vec<String> = Vec::new();
    for line in TABLES.lines().filter(|line| !line.starts_with("|-")) {
        let Some(row) = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) else {
            states.clear();
            continue;
        };
        let mut row = row.split(" | ").map(str::to_owned);
        let first = row.next().unwrap();
        if first == "event" {
            states = row.collect();
        } else if !states.is_empty() {
            let values: Vec<_> = row.collect();
            assert_eq!(values.len(), states.len(), "{line}");
            for (state, value) in states.iter().zip(values) {
                let before = cells.insert((state.clone(), first.clone()), value);
                assert!(before.is_none(), "{state} × {first} stands twice");
            }
        }
    }
    cells
}

#[test]
fn every_state_by_every_event_is_as_the_document_says() {
    let documented = document();
    let mut wrong = Vec::new();
    let mut expected = BTreeSet::new();
    let plain = STATES.iter().flat_map(|state| EVENTS.iter().map(move |event| (state, event)));
    let shared = SHARED_STATES.iter();
    let shared = shared.flat_map(|state| SHARED_EVENTS.iter().map(move |event| (state, event)));
    for ((state, build), (event, happen)) in plain.chain(shared) {
        {
            let key = ((*state).to_owned(), (*event).to_owned());
            let got = cell(build(), *happen);
            match documented.get(&key) {
                Some(said) if *said == got => {}
                said => wrong.push(format!("{state} × {event}: documented {said:?}, got {got:?}")),
            }
            expected.insert(key);
        }
    }
    let extra: Vec<_> = documented.keys().filter(|key| !expected.contains(*key)).collect();
    assert!(extra.is_empty(), "documented, and neither state nor event of the test: {extra:?}");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// While an outlook holds, a caller that has it need not poll: a poll would only return its token.
#[test]
fn an_outlook_foretells_what_polls_yield_in_every_state_after_any_two_events() {
    let later: [Event; 5] = [
        |_| Some(()),
        |world| passes(world, 6),
        |world| passes(world, 31),
        |world| passes(world, 700),
        |world| jumps(world, 700_000_000),
    ];
    let held = outlooks_hold(&STATES, &EVENTS, &later);
    assert!(held > 5_000, "an outlook held {held} times only");
    let held = outlooks_hold(&SHARED_STATES, &SHARED_EVENTS, &later);
    assert!(held > 1_000, "an outlook of a shared session held {held} times only");
}

/// How often one held.
fn outlooks_hold(states: &[State], events: &[(&str, Event)], later: &[Event]) -> u32 {
    let mut held = 0;
    for (state, build) in states {
        for (first, happens) in events {
            for (second, follows) in events {
                for pass in later {
                    let mut world = build();
                    let _both = (happens(&mut world), follows(&mut world));
                    let Some((bearer, due)) = world.session.outlook() else { continue };
                    let epoch = bearer.epoch();
                    pass(&mut world);
                    let now = world.now;
                    if due.is_some_and(|due| now.mono < due.mono && now.wall < due.wall) {
                        held += 1;
                        let asked = (world.ask(), world.bearer.map(|bearer| bearer.epoch()));
                        assert_eq!(asked, ('R', Some(epoch)), "{state}, {first}, {second}");
                    }
                }
            }
        }
    }
    held
}

#[test]
fn a_token_that_is_neither_due_nor_being_renewed_has_an_outlook_until_its_margin() {
    let world = aged(Keep::Always, 60);
    let due = world.session.outlook().unwrap().1.unwrap();
    assert_eq!(due.mono.since(world.now.mono), seconds(900 - 120 - 60));
    assert_eq!(due.wall.since(world.now.wall), seconds(900 - 120 - 60));
    let mut world = aged(Keep::Always, 60);
    world.session.reject(world.bearer.clone().unwrap().epoch(), world.now);
    assert!(world.session.outlook().is_none(), "a rejected token has none");
}

#[test]
fn an_outlook_has_no_term_while_a_poll_may_do_more() {
    let has_term = |world: &World| world.session.outlook().unwrap().1.is_some();
    let asks_for_more = |world: &mut World| match world.session.poll_for(world.now, seconds(501)) {
        Step::Send(ticket, _) => world.ticket = Some(ticket),
        Step::Save(ticket, saved) => world.save = Some((ticket, saved)),
        step => panic!("{step:?}"),
    };
    let mut world = marking();
    world.saved();
    world.sends(Purpose::Refresh);
    world.granted();
    assert!(!has_term(&world), "the new token is to be saved");
    assert_eq!(world.ask(), 'K');
    world.saved();
    world.pass(seconds(400));
    asks_for_more(&mut world);
    assert!(!has_term(&world), "a mark is being saved, long before the margin");
    world.saved();
    assert!(has_term(&world));
    asks_for_more(&mut world);
    assert!(has_term(&world), "a renewal is under way");
    world.granted();
    assert!(!has_term(&world), "the next one is to be saved");

    let mut world = aged(Keep::Always, 60);
    let due = world.session.outlook().unwrap().1.unwrap();
    for (now, before) in [(due.mono.as_micros() - 1, true), (due.mono.as_micros(), false)] {
        world.now.mono = Mono::from_micros(now);
        world.session.reject(Epoch::default(), world.now);
        assert_eq!(has_term(&world), before, "seen at {now}");
    }
}
