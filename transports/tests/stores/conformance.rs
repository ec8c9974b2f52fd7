//! The rules that every store keeps, each tested over every kind.

mod kinds;
mod leases;
mod looks;
mod puts;
mod together;

use std::time::Duration;

use imts::swap::{Found, Stamp, Swap, Swapped};
use imts::{Saved, Store};

use self::kinds::kinds;
pub(crate) use self::kinds::{Kind, Place};

pub(crate) const ENDPOINT: &str = "https://sandbox.example";
pub(crate) const AGENT: &str = "agent/1 %ю";

/// How long each swap may take: no test waits that long.
const WITHIN: Duration = Duration::from_secs(60);

/// Runs a rule over a fresh place of every kind.
pub(crate) fn over_all(rule: impl Fn(&Kind, &dyn Place)) {
    for kind in kinds() {
        println!("over the kind `{}`", kind.name);
        rule(&kind, &*(kind.place)());
    }
}

pub(crate) fn stamp(generation: u64, holder: u64, serial: u64) -> Stamp {
    Stamp { generation, holder, serial }
}

/// A state with this stamp and these two tokens.
pub(crate) fn state(stamp: Stamp, access: &str, refresh: &str) -> Saved {
    state_of(AGENT, stamp, access, refresh)
}

pub(crate) fn state_of(agent: &str, stamp: Stamp, access: &str, refresh: &str) -> Saved {
    let Stamp { generation, holder, serial } = stamp;
    let json = serde_json::json!({
        "version": 2, "generation": generation, "holder": holder, "serial": serial,
        "endpoint": ENDPOINT, "agent_id": agent, "saved_at_us": 1_767_225_600_000_000_i64,
        "access": {
            "token": access, "ends_at_us": 1_767_226_500_000_000_i64,
            "lifetime_us": 900_000_000, "expire_at_us": 1_767_226_500_000_000_i64,
        },
        "refresh": {
            "token": refresh, "ends_at_us": 1_769_817_600_000_000_i64,
            "expire_at_us": 1_769_817_600_000_000_i64, "use": "unspent",
        },
    });
    Saved::from_json(json.to_string().as_bytes()).unwrap()
}

/// A state with this stamp.
pub(crate) fn plain(of: Stamp) -> Saved {
    state(of, "access", "refresh")
}

/// A swap that only looks.
pub(crate) fn look() -> Swap {
    Swap::look(ENDPOINT, AGENT, WITHIN)
}

/// A swap without a lease.
pub(crate) fn put(expects: Stamp, of: Stamp) -> Swap {
    look().putting(expects, plain(of))
}

#[track_caller]
pub(crate) fn found(store: &dyn Store) -> Found {
    other(store, &look())
}

/// The answer to a swap that is not done.
#[track_caller]
pub(crate) fn other(store: &dyn Store, swap: &Swap) -> Found {
    match store.swap(swap).unwrap() {
        Swapped::Other(found) => found,
        Swapped::Done { .. } => panic!("it was done: {swap:?}"),
    }
}

/// Does a swap.
#[track_caller]
pub(crate) fn done(store: &dyn Store, swap: &Swap) {
    match store.swap(swap).unwrap() {
        Swapped::Done { moved, .. } => assert!(!moved, "nothing has moved"),
        Swapped::Other(found) => panic!("it was not done: {found:?}"),
    }
}
