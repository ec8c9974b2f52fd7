//! Every state of a user's session by every event, equal to `docs/transitions.md`.

use imts_core::exchange::Purpose;
use imts_core::secret::TokenId;
use imts_core::session::SaveTicket;
use imts_core::transport_error::NotSent;
use imts_core::{Step, Ticket, TransportError};

use super::REFUSED;
use super::revocation::FIRST;
use crate::support::{DAY, World, pair};

const TABLES: &str = include_str!("../../../docs/transitions.md");
const HEAD: &str = "| a user's session | ";

/// A world, the last ticket that it handed out, and the save that it waits for.
type State = (World, Option<Ticket>, Option<SaveTicket>);

/// A state's name in the table, and how it is made.
type Named = (&'static str, fn() -> State);

const STATES: [Named; 11] = [
    ("no code", || (World::new(), None, None)),
    ("code", || {
        let mut world = World::new();
        world.takes_code("code-1");
        (world, None, None)
    }),
    ("exchanging", || {
        let mut world = World::new();
        world.takes_code("code-1");
        let ticket = world.sends(Purpose::SignIn);
        (world, Some(ticket), None)
    }),
    ("usable", || (World::signed_in(), None, None)),
    ("due", || aged(7 * DAY - 100)),
    ("refreshing", || refreshing(7 * DAY - 100)),
    ("ended", || aged(7 * DAY)),
    ("refreshing, ended", || refreshing(7 * DAY)),
    ("in doubt", || doubtful(7 * DAY - 100)),
    ("in doubt, ended", || doubtful(7 * DAY)),
    ("saving", || {
        let mut world = World::new();
        world.session = world.session.with_store();
        world.takes_code("code-1");
        let ticket = world.sends(Purpose::SignIn);
        world.replied(ticket, 200, &pair(1));
        let Step::Save(save, _) = world.session.poll(world.now) else { panic!("no save") };
        (world, None, Some(save))
    }),
];

fn aged(age: u64) -> State {
    let mut world = World::signed_in();
    world.pass(age);
    (world, None, None)
}

fn refreshing(age: u64) -> State {
    let (mut world, ..) = aged(age);
    let ticket = world.sends(Purpose::Refresh);
    (world, Some(ticket), None)
}

fn doubtful(age: u64) -> State {
    let (mut world, ticket, _) = refreshing(age);
    world.session.on_failure(ticket.unwrap(), TransportError::unknown(), world.now);
    (world, None, None)
}

type Event = fn(&mut State) -> Option<()>;

const EVENTS: [(&str, Event); 18] = [
    ("ask", |_| Some(())),
    ("31 s pass", |state| passes(state, 31)),
    ("8 days pass", |state| passes(state, 8 * DAY)),
    ("29 days pass", |state| passes(state, 29 * DAY)),
    ("grant", |state| replies(state, 200, &pair(7))),
    ("refused", |state| replies(state, 200, REFUSED)),
    ("403", |state| replies(state, 403, "{}")),
    ("404", |state| replies(state, 404, "{}")),
    ("429", |state| replies(state, 429, "{}")),
    ("503", |state| replies(state, 503, "{}")),
    ("lost", |(world, ticket, _)| {
        world.session.on_failure((*ticket)?, TransportError::unknown(), world.now);
        Some(())
    }),
    ("not sent", |(world, ticket, _)| {
        let why = TransportError::not_sent(NotSent::vouch());
        world.session.on_failure((*ticket)?, why, world.now);
        Some(())
    }),
    ("withdrawn", |(world, ticket, _)| {
        world.session.withdraw((*ticket)?);
        Some(())
    }),
    ("current token rejected", |(world, ..)| {
        let usable = world.session.phase(world.now).usable();
        let epoch = usable.map(|usable| usable.bearer().epoch()).unwrap_or_default();
        world.session.reject(epoch, world.now);
        Some(())
    }),
    ("another code", |(world, ..)| {
        world.takes_code("code-2");
        Some(())
    }),
    ("revoked", |(world, ..)| {
        world.session.revoked(&TokenId::new(FIRST)?, world.now);
        Some(())
    }),
    ("another id revoked", |(world, ..)| {
        world.session.revoked(&TokenId::new("another")?, world.now);
        Some(())
    }),
    ("save reported", |(world, _, save)| {
        world.session.on_saved((*save)?, world.now);
        Some(())
    }),
];

fn passes((world, ..): &mut State, seconds: u64) -> Option<()> {
    world.pass(seconds);
    Some(())
}

fn replies((world, ticket, _): &mut State, status: u16, body: &str) -> Option<()> {
    world.replied((*ticket)?, status, body);
    Some(())
}

/// A state after an event: phase, next step, refresh token.
fn cell(mut state: State, event: Event) -> String {
    if event(&mut state).is_none() {
        return ".".to_owned();
    }
    let (world, ..) = &mut state;
    let refresh = match world.session.saved(world.now) {
        Some(saved) if saved.is_in_doubt() => '?',
        Some(saved) if !saved.to_json().ends_with(br#""refresh":null}"#) => '+',
        _ => '-',
    };
    let step = match world.session.poll(world.now) {
        Step::Ready(_) => 'R',
        Step::Send(ticket, _) if ticket.purpose() == Purpose::SignIn => 'S',
        Step::Send(..) => 'F',
        Step::Save(_, saved) if saved.is_empty() => 'Z',
        Step::Save(..) => 'K',
        Step::Busy { .. } => 'B',
        Step::Wait { .. } => 'W',
        Step::SignIn { .. } => 'C',
        step => panic!("no store is shared: {step:?}"),
    };
    let phase = world.session.phase(world.now).as_str();
    let phase = match phase {
        "unauthenticated" => 'U',
        "valid" => 'V',
        "expiring" => 'E',
        _ => 'X',
    };
    [phase, step, refresh].iter().collect()
}

#[test]
fn every_state_of_a_users_session_by_every_event_is_as_the_document_says() {
    let names: Vec<_> = STATES.iter().map(|(name, _)| *name).collect();
    let head = format!("{HEAD}{} |", names.join(" | "));
    let mut rows = vec![head, format!("|---|{}", "---|".repeat(STATES.len()))];
    for (event, happen) in EVENTS {
        let cells: Vec<_> = STATES.iter().map(|(_, state)| cell(state(), happen)).collect();
        rows.push(format!("| {event} | {} |", cells.join(" | ")));
    }
    let from = TABLES.find(HEAD).unwrap_or(TABLES.len());
    let lines = TABLES[from..].lines().take_while(|line| line.starts_with('|'));
    let documented: Vec<_> = lines.map(str::to_owned).collect();
    assert!(documented == rows, "the session does this:\n{}", rows.join("\n"));
}
