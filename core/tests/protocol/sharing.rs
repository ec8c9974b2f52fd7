//! Sessions that share a store: the states and events of their table, and what tests of them need.

use std::sync::Arc;
use std::time::Duration;

use imts_core::exchange::Purpose;
use imts_core::swap::{Found, Held, StoreTime, SwapError, Swapped};
use imts_core::{Keep, Policy, Saved, Swap, TransportError};
use serde_json::{Value, json};

use crate::support::{AGENT, World, answer, credentials, policy, seconds, session_with};
use crate::transitions::{Event, State, fails, passes, replies};

/// The number of the session under test, and that of a sibling.
pub(crate) const HOLDER: u64 = 7;
pub(crate) const SIBLING: u64 = 9;

pub(crate) const SHARED_STATES: [State; 12] = [
    ("cold", || sharing(policy())),
    ("claim-0", || asking(sharing(policy()))),
    ("claim", || asking(granted_ago(800))),
    ("claim-x", || asking(granted_ago(1_000))),
    ("leased", || leased(800)),
    ("leased-x", || leased(1_000)),
    ("handing", || {
        let mut world = leased(800);
        world.granted();
        assert_eq!(world.ask(), 'G');
        world.ready();
        world.ticket = None;
        world
    }),
    ("telling", || {
        let mut world = leased(1_000);
        world.reply(&answer(503, &json!({}))).unwrap_err();
        assert_eq!(world.ask(), 'N');
        world.ticket = None;
        world
    }),
    ("sibling", || {
        let mut world = asking(granted_ago(800));
        world.finds(|world| claim_of_sibling(world, seconds(15)));
        world.ready();
        world
    }),
    ("sibling-x", || {
        let mut world = asking(granted_ago(1_000));
        world.finds(|world| {
            Found::state(as_sibling(world, "in_doubt", false), Duration::ZERO, world.store_time())
                .with_held(Held::new(seconds(15), false))
        });
        world
    }),
    ("out", || {
        let mut world = asking(granted_ago(800));
        world.store_fails();
        world
    }),
    ("out-x", || {
        let mut world = asking(granted_ago(1_000));
        world.store_fails();
        world
    }),
];

pub(crate) const SHARED_EVENTS: [(&str, Event); 20] = [
    ("ask", |_| Some(())),
    ("0.1 s pass", |world| {
        world.pass(Duration::from_millis(100));
        Some(())
    }),
    ("3 s pass", |world| passes(world, 3)),
    ("16 s pass", |world| passes(world, 16)),
    ("900 s pass", |world| passes(world, 900)),
    ("swapped", |world| swapped(world, false)),
    ("swapped, moved", |world| swapped(world, true)),
    ("other: a sibling's grant", |world| found(world, grant_of_sibling)),
    ("other: a sibling's claim", |world| {
        found(world, |world| claim_of_sibling(world, seconds(15)))
    }),
    ("other: a claim that is over", |world| {
        found(world, |world| claim_of_sibling(world, Duration::ZERO))
    }),
    ("other: a rest of 60 s", |world| {
        found(world, |world| {
            Found::state(as_sibling(world, "unspent", true), Duration::ZERO, world.store_time())
                .with_held(Held::new(seconds(60), true))
        })
    }),
    ("other: nothing there", |world| found(world, |world| Found::nothing(world.store_time()))),
    ("the store does not answer", |world| {
        world.swap.as_ref()?;
        world.store_fails();
        Some(())
    }),
    ("grant", |world| {
        let grant = world.next_grant(true);
        replies(world, &grant)
    }),
    ("401 in JSON", |world| replies(world, &answer(401, &json!({ "error": {} })))),
    ("503", |world| replies(world, &answer(503, &json!({})))),
    ("lost", |world| fails(world, TransportError::unknown())),
    ("current token rejected", |world| {
        let epoch = world.bearer.as_ref().map(imts_core::Bearer::epoch).unwrap_or_default();
        world.session.reject(epoch, world.now);
        Some(())
    }),
    ("signed out", |world| {
        world.session.sign_out();
        Some(())
    }),
    ("signed out everywhere", |world| {
        world.session.sign_out_everywhere();
        Some(())
    }),
];

fn swapped(world: &mut World, moved: bool) -> Option<()> {
    world.swap.as_ref()?;
    world.swapped(moved);
    Some(())
}

fn found(world: &mut World, found: impl FnOnce(&World) -> Found) -> Option<()> {
    world.swap.as_ref()?;
    world.finds(found);
    Some(())
}

impl World {
    /// What the store's clock shows: another origin than this machine's.
    pub(crate) fn store_time(&self) -> StoreTime {
        let micros = i64::try_from(self.now.mono.as_micros()).unwrap();
        StoreTime::from_micros(micros + 5_000_000_000)
    }

    /// The last swap was done.
    pub(crate) fn swapped(&mut self, moved: bool) {
        let (ticket, _) = self.swap.take().expect("a swap was asked for");
        let done = Swapped::Done { moved, at: self.store_time() };
        self.session.on_swap(ticket, Ok(done), self.now);
    }

    /// The last swap was not done: this is there.
    pub(crate) fn finds(&mut self, found: impl FnOnce(&Self) -> Found) {
        let found = found(self);
        let (ticket, _) = self.swap.take().expect("a swap was asked for");
        self.session.on_swap(ticket, Ok(Swapped::Other(found)), self.now);
    }

    pub(crate) fn store_fails(&mut self) {
        let (ticket, _) = self.swap.take().expect("a swap was asked for");
        self.session.on_swap(ticket, Err(Arc::new(SwapError::TimedOut)), self.now);
    }

    /// Asks, and returns the swap that is due.
    pub(crate) fn asks_for(&mut self, sign: char) -> &Swap {
        assert_eq!(self.ask(), sign, "{:?}", self.session);
        &self.swap.as_ref().expect("a swap").1
    }

    /// The state that the last swap puts, as JSON.
    pub(crate) fn puts(&self) -> Value {
        let put = self.swap.as_ref().and_then(|(_, swap)| swap.put()).expect("a state");
        serde_json::from_slice(&put.to_json()).unwrap()
    }
}

/// A session with credentials that shares a store and knows nothing of it. It has no spread.
pub(crate) fn sharing(policy: Policy) -> World {
    let session = session_with(policy.with_spread_percent(0)).with_shared_store(HOLDER);
    let mut world = World::of(session);
    world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
    world
}

pub(crate) fn asking(mut world: World) -> World {
    world.asks_for('H');
    world
}

/// Signed in so many seconds ago, and handed over.
pub(crate) fn granted_ago(age: u64) -> World {
    let mut world = granted(sharing(policy()));
    world.pass(seconds(age));
    world
}

/// Claims, signs in and hands over.
pub(crate) fn granted(world: World) -> World {
    let mut world = asking(world);
    world.swapped(false);
    world.sends(Purpose::SignIn);
    world.granted();
    world.asks_for('G');
    world.swapped(false);
    world.ready();
    world.ticket = None;
    world
}

/// Granted so long ago; a refresh is out under a claim.
pub(crate) fn leased(age: u64) -> World {
    let mut world = asking(granted_ago(age));
    world.swapped(false);
    world.sends(Purpose::Refresh);
    world
}

/// A state of a sibling's, of the generation after that which the last swap puts.
pub(crate) fn of_sibling(world: &World, left: u64, usage: &str) -> Value {
    let now = world.now.wall.unix_micros();
    let access_end = now + i64::try_from(left).unwrap() * 1_000_000;
    let refresh_end = now + 30 * 86_400_000_000;
    let generation =
        world.swap.as_ref().and_then(|(_, swap)| swap.put()).map_or(1, Saved::generation);
    json!({
        "version": 2, "generation": generation + 1, "holder": SIBLING, "serial": 3,
        "endpoint": "https://service.example", "agent_id": AGENT, "saved_at_us": now,
        "access": { "token": "sibling-a", "ends_at_us": access_end, "lifetime_us": 900_000_000,
                    "expire_at_us": access_end },
        "refresh": { "token": "sibling-r", "ends_at_us": refresh_end, "expire_at_us": refresh_end,
                     "use": usage },
    })
}

pub(crate) fn saved(form: &Value) -> Saved {
    Saved::from_json(form.to_string().as_bytes()).unwrap()
}

pub(crate) fn grant_of_sibling(world: &World) -> Found {
    Found::state(saved(&of_sibling(world, 900, "unspent")), Duration::ZERO, world.store_time())
}

/// A claim of a sibling's over a token that has 100 s left.
pub(crate) fn claim_of_sibling(world: &World, left: Duration) -> Found {
    let state = saved(&of_sibling(world, 100, "in_doubt"));
    let held = Some(Held::new(left, false)).filter(|_| !left.is_zero());
    Found::state(state, Duration::ZERO, world.store_time()).with_held(held)
}

/// What the session puts, as a sibling would put it after it.
pub(crate) fn as_sibling(world: &World, usage: &str, failed: bool) -> Saved {
    let mut form = world.puts();
    form["generation"] = (form["generation"].as_u64().unwrap() + 1).into();
    form["holder"] = SIBLING.into();
    if form["refresh"].is_object() {
        form["refresh"]["use"] = usage.into();
    }
    if failed {
        form["failures"] = 1.into();
    }
    saved(&form)
}
