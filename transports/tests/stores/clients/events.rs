//! What is told to `tracing` about a store: the events of the page "Share a session", and no secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use imts::clock::{Clock, ManualClock};
use imts::secret::Body;
use imts::swap::{Stamp, Swap, Swapped};
use imts::transport::Bounds;
use imts::{
    AsyncClient, Builder, Credentials, Endpoint, MemoryStore, Saved, Store, StoreError,
    TransportError,
};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Sandbox, Time};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::{reports, run};

const PAGE: &str = include_str!("../../../docs/share-a-session.md");
const ENDPOINT: &str = "https://sandbox.example";

/// The names of the events, each with the names of its fields.
type Told = BTreeMap<String, BTreeSet<String>>;

#[derive(Clone, Default)]
struct Ear {
    told: Arc<Mutex<Told>>,
    lines: Arc<Mutex<String>>,
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "imts"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.lines.lock().unwrap().push_str(&format!("{:?}\n", fields.0));
        let name = fields.0.remove("message").unwrap();
        self.told.lock().unwrap().insert(name, fields.0.into_keys().collect());
    }
}

/// What a store does to the next swaps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Answers,
    Fails,
    Moved,
    /// A sibling puts its grant before the next hand-over.
    Superseded,
}

/// A client over a store that can be made to misbehave, in virtual time.
struct World {
    clock: ManualClock,
    store: Arc<Mutex<(MemoryStore, Mood)>>,
    client: AsyncClient,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::default();
        let fresh = MemoryStore::with_clock(clock.clone());
        let store = Arc::new(Mutex::new((fresh, Mood::Answers)));
        let (asked, time, shown) = (Arc::clone(&store), clock.clone(), clock.clone());
        let sandbox = Mutex::new(Sandbox::default());
        let send = move |request: Request<Body>, _: Bounds| {
            let request = request.map(|body| body.as_ref().to_vec());
            let now = Time::from_micros(time.now().wall.unix_micros());
            ready(Ok::<_, TransportError>(sandbox.lock().unwrap().handle(now, &request)))
        };
        let client = Builder::new(Endpoint::https(ENDPOINT).unwrap())
            .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
            .clock(clock.clone())
            .async_store(move |swap: &Swap| ready(answer(&asked, &shown, swap)))
            .nonblocking((send, |_: Duration| std::future::pending()))
            .unwrap();
        Self { clock, store, client }
    }

    fn is(&self, mood: Mood) {
        self.store.lock().unwrap().1 = mood;
    }

    fn ask_after(&self, seconds: u64) -> bool {
        self.clock.advance(Duration::from_secs(seconds));
        run(self.client.token()).is_ok()
    }

    /// A sibling puts a state with this access token, if it is another one, under this lease.
    fn sibling(&self, access: Option<&str>, lease: u64, resting: bool) {
        put(&self.store.lock().unwrap().0, &self.clock, access, lease, resting);
    }
}

fn answer(
    store: &Mutex<(MemoryStore, Mood)>,
    clock: &ManualClock,
    swap: &Swap,
) -> Result<Swapped, StoreError> {
    let (store, mood) = &mut *store.lock().unwrap();
    match *mood {
        Mood::Fails => return Err(StoreError::TimedOut),
        Mood::Superseded if reports(swap) => {
            *mood = Mood::Answers;
            // The claim's lease is over.
            clock.advance(Duration::from_secs(16));
            put(store, clock, Some("theirs-in-time"), 0, false);
        }
        _ => {}
    }
    let answer = store.swap(swap)?;
    Ok(match answer {
        Swapped::Done { at, .. } if *mood == Mood::Moved => Swapped::Done { moved: true, at },
        answer => answer,
    })
}

/// Puts a sibling's state in place of what is there.
fn put(store: &MemoryStore, clock: &ManualClock, access: Option<&str>, lease: u64, resting: bool) {
    let look = || Swap::look(ENDPOINT, DEFAULT_AGENT, Duration::from_secs(60));
    let Swapped::Other(found) = store.swap(&look()).unwrap() else { panic!("a look puts nothing") };
    let mut state: serde_json::Value =
        serde_json::from_slice(&found.saved().unwrap().to_json()).unwrap();
    let stamp = found.stamp();
    state["generation"] = (stamp.generation + 1).into();
    (state["holder"], state["serial"]) = (7.into(), (stamp.serial + 1).into());
    let now = clock.now().wall.unix_micros();
    state["saved_at_us"] = now.into();
    if let Some(access) = access {
        state["access"] = serde_json::json!({
            "token": access, "ends_at_us": now + 900_000_000, "lifetime_us": 900_000_000,
            "expire_at_us": now + 900_000_000,
        });
    }
    let state = Saved::from_json(state.to_string().as_bytes()).unwrap();
    let Stamp { generation, .. } = state.stamp();
    let swap = look().putting(stamp, state).with_lease(Duration::from_secs(lease), resting);
    assert!(matches!(store.swap(&swap).unwrap(), Swapped::Done { .. }), "{generation}");
}

/// The events of the table, each with its fields.
fn listed() -> Told {
    let table = PAGE.split("| event | fields | when |").nth(1).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let words = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    rows.map(|row| {
        let mut cells = row.split('|').skip(1);
        let name = words(cells.next().unwrap()).pop_first().unwrap();
        (name, words(cells.next().unwrap()))
    })
    .collect()
}

#[test]
fn the_events_of_a_store_are_those_of_the_page_and_hold_no_secret() {
    let ear = Ear::default();
    // With one subscriber alone, tracing takes an event's first thread for all: another test's,
    // which has none, would silence it here.
    let _another = tracing::Dispatch::new(Ear::default());
    let _listening = tracing::subscriber::set_default(ear.clone());
    let world = World::new();
    assert!(world.ask_after(0), "claimed, handed over");
    let first = run(world.client.token()).unwrap().expose_token().to_owned();
    world.clock.advance(Duration::from_secs(820));
    world.sibling(None, 60, false);
    assert!(world.ask_after(0), "left to a sibling");
    world.clock.advance(Duration::from_secs(60));
    world.sibling(Some("theirs"), 0, false);
    assert!(world.ask_after(1), "found");
    assert_eq!(run(world.client.token()).unwrap().expose_token(), "theirs");
    world.clock.advance(Duration::from_secs(901));
    world.sibling(None, 60, true);
    assert!(!world.ask_after(0), "a sibling rests");
    world.is(Mood::Fails);
    assert!(world.ask_after(61), "alone");
    world.is(Mood::Moved);
    assert!(world.ask_after(890), "it answers again, and has moved");
    assert!(world.ask_after(0));
    world.store.lock().unwrap().0 = MemoryStore::with_clock(world.clock.clone());
    world.is(Mood::Answers);
    assert!(world.ask_after(890), "it forgot");
    world.is(Mood::Superseded);
    assert!(world.ask_after(890), "superseded");
    assert!(world.ask_after(0));

    let mut told = ear.told.lock().unwrap().clone();
    for of_renewals in ["renewal started", "renewal ended", "backing off"] {
        assert!(told.remove(of_renewals).is_some(), "{of_renewals}: {told:?}");
    }
    told.retain(|name, _| name != "refresh of no use, signing in");
    assert_eq!(told, listed());
    let lines = ear.lines.lock().unwrap().clone();
    let saved = world.client.saved().unwrap().to_json();
    let saved: serde_json::Value = serde_json::from_slice(&saved).unwrap();
    let last = [&saved["access"]["token"], &saved["refresh"]["token"]].map(|it| it.as_str());
    for secret in [DEFAULT_SECRET, &first, "theirs", last[0].unwrap(), last[1].unwrap()] {
        assert!(!lines.contains(secret), "{secret} in {lines}");
    }
}
