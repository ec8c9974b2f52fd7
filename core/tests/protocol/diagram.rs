//! The diagram of the phases in the session's module: each arrow is walked, and no phase changes
//! without one.

use std::collections::BTreeSet;

use imts_core::Keep;
use imts_core::exchange::Purpose;

use crate::support::{World, credentials, seconds};
use crate::transitions::{EVENTS, Event, STATES, State, adopts, passes};

const SOURCE: &str = include_str!("../../src/session.rs");

/// The phases in the order of time: a token that gets older moves to the right, and then to the
/// first one.
const PHASES: [&str; 4] = ["unauthenticated", "valid", "expiring", "expired"];

/// What only the time does.
const BY_TIME: [&str; 4] = ["margin", "expires", "expires, no refresh", "refresh expires"];

/// Waits by which a token comes to its margin and to its end.
const WAITS: [(&str, Event); 3] = [
    ("100 s pass", |world| passes(world, 100)),
    ("300 s pass", |world| passes(world, 300)),
    ("740 s pass", |world| passes(world, 740)),
];

/// From, event, to.
type Arrow = (&'static str, &'static str, &'static str);

/// The arrows of the diagram. A row has one arrow, which leads from each `+` to the `|` at its head.
fn diagram() -> BTreeSet<Arrow> {
    let rows = SOURCE.lines().map_while(|line| line.strip_prefix("//!"));
    let mut rows = rows.skip_while(|row| *row != " ```text").skip(1);
    let mut heads = rows.next().unwrap().split_whitespace();
    let bars = rows.next().unwrap().match_indices('|');
    let columns: Vec<_> = bars.map(|(place, _)| (place, heads.next().unwrap())).collect();
    let names: Vec<_> = columns.iter().map(|(_, name)| *name).collect();
    assert_eq!(names, PHASES, "the phases of the diagram");
    let phase = |place| {
        let column = columns.iter().find(|(column, _)| *column == place);
        column.unwrap_or_else(|| panic!("no phase stands above column {place}")).1
    };
    let mut arrows = BTreeSet::new();
    for row in rows.take_while(|row| *row != " ```") {
        let to = row.find("|<").or_else(|| row.find(">|").map(|place| place + 1));
        let to = phase(to.unwrap_or_else(|| panic!("no head: {row}")));
        let event = row.trim_matches(|sign: char| !sign.is_alphabetic());
        let event = event.split("  ").next().unwrap().trim_end_matches([' ', '-', '+', '|', '>']);
        for (place, _) in row.match_indices('+') {
            let arrow = (phase(place), event, to);
            assert!(arrows.insert(arrow), "{arrow:?} stands twice");
        }
    }
    arrows
}

/// A session in this phase, with or without a refresh token.
fn in_phase(phase: &str, has_refresh: bool) -> World {
    let mut world = World::with_credentials(Keep::Always);
    let age = match phase {
        "unauthenticated" => return world,
        "valid" => 60,
        "expiring" => 800,
        "expired" => 1_000,
        other => panic!("{other}"),
    };
    world.sends(Purpose::SignIn);
    let grant = world.next_grant(has_refresh);
    world.reply(&grant).unwrap();
    world.ready();
    world.pass(seconds(age));
    world
}

/// Lets the event happen, once in each way that it can.
fn ways(event: &str) -> Vec<fn(&mut World)> {
    match event {
        "grant" => vec![
            |world| {
                world.ask();
                world.granted();
            },
            |world| adopts(world, 9).unwrap(),
        ],
        "margin" => vec![|world| passes(world, 720).unwrap()],
        "expires" | "expires, no refresh" => vec![|world| passes(world, 100).unwrap()],
        "refresh expires" => vec![|world| passes(world, 2_592_000).unwrap()],
        "refresh refused" => vec![|world| {
            world.sends(Purpose::Refresh);
            world.refused();
        }],
        "rejected" | "rejected, no refresh" => {
            vec![|world| world.session.reject(world.bearer.clone().unwrap().epoch(), world.now)]
        }
        "signed out" => vec![|world| world.session.sign_out(), |world| {
            world.session.sign_in(credentials("agent-2"), Keep::Always, world.now);
        }],
        other => panic!("no such event: {other}"),
    }
}

#[test]
fn a_session_walks_each_arrow_of_the_diagram() {
    let arrows = diagram();
    for (from, event, to) in &arrows {
        for (way, happens) in ways(event).into_iter().enumerate() {
            let mut world = in_phase(from, !event.ends_with("no refresh"));
            assert_eq!(world.phase(), *from, "before {event}");
            happens(&mut world);
            assert_eq!(world.phase(), *to, "{from}: {event} ({way})");
        }
    }
    assert_eq!(arrows.len(), 15);
}

/// The events of the diagram that an event of the table can be.
fn events_of(event: &str) -> &'static [&'static str] {
    match event {
        // Asked, a session may use a grant that could not be saved in time.
        "ask" | "grant" | "grant without refresh token" | "save reported" => &["grant"],
        "sibling's state, generation 9" | "sibling's state, generation 1" => &["grant"],
        "401 in JSON" => &["refresh refused"],
        "current token rejected" => &["rejected", "rejected, no refresh"],
        "signed out" => &["signed out"],
        _ => &[],
    }
}

/// The phases that time alone leads to, this one first.
fn later(arrows: &BTreeSet<Arrow>, phase: &'static str) -> Vec<&'static str> {
    let mut phases = vec![phase];
    let mut next = 0;
    while let Some(phase) = phases.get(next).copied() {
        let by_time = arrows.iter().filter(|(from, by, _)| *from == phase && BY_TIME.contains(by));
        for (.., to) in by_time {
            if !phases.contains(to) {
                phases.push(to);
            }
        }
        next += 1;
    }
    phases
}

/// The arrows by which an event may have led from one phase to another.
fn explained(arrows: &BTreeSet<Arrow>, from: &'static str, event: &str, to: &str) -> Vec<Arrow> {
    if event == "wall clock -1 h" {
        let earlier = PHASES.iter().filter(|before| later(arrows, before).contains(&from));
        return earlier.filter(|before| **before == to).map(|to| (from, "set back", *to)).collect();
    }
    let passes = event.contains("pass") || event == "wall clock +1 h";
    if passes && later(arrows, from).contains(&to) {
        return arrows
            .iter()
            .filter(|arrow| arrow.0 == from && arrow.2 == to && BY_TIME.contains(&arrow.1))
            .copied()
            .chain([(from, "time", "later")])
            .collect();
    }
    let events = events_of(event);
    let direct = arrows.iter().filter(|arrow| arrow.0 == from && events.contains(&arrow.1));
    direct.filter(|arrow| later(arrows, arrow.2).contains(&to)).copied().collect()
}

#[test]
fn no_phase_changes_without_an_arrow_of_the_diagram() {
    let arrows = diagram();
    let phase = |world: &World| {
        let name = world.phase();
        *PHASES.iter().find(|phase| **phase == name).unwrap()
    };
    let mut taken = BTreeSet::new();
    let mut dice = 1_u64;
    let lone: [State; 2] = [
        ("valid, no refresh token", || in_phase("valid", false)),
        ("expiring, no refresh token", || in_phase("expiring", false)),
    ];
    let events: Vec<_> = EVENTS.into_iter().chain(WAITS).collect();
    for (state, build) in STATES.into_iter().chain(lone) {
        for first in &events {
            let (mut world, mut way) = (build(), vec![state]);
            // Each event comes first once, and others follow by chance.
            for step in 0..25 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let place = usize::try_from(dice >> 33).unwrap() % events.len();
                let (name, happens) = if step == 0 { *first } else { events[place] };
                let (from, agent) = (phase(&world), world.session.agent_id().map(str::to_owned));
                way.push(name);
                let _it_may_not_be_possible = happens(&mut world);
                let to = phase(&world);
                if from != to {
                    let is_anothers =
                        agent.is_some() && agent.as_deref() != world.session.agent_id();
                    let event = if is_anothers { "signed out" } else { name };
                    let by = explained(&arrows, from, event, to);
                    assert!(!by.is_empty(), "{from} to {to}: {name}, after {way:?}");
                    taken.extend(by);
                }
                // A token that is asked for is what the next rejection names.
                let from = phase(&world);
                world.ask();
                let to = phase(&world);
                assert!(from == to || !explained(&arrows, from, "ask", to).is_empty(), "{way:?}");
            }
        }
    }
    let idle: Vec<_> = arrows.difference(&taken).collect();
    assert!(idle.is_empty(), "not one walk takes {idle:?}");
    assert!(taken.iter().any(|(_, event, _)| *event == "set back"), "no clock was set back");
}
