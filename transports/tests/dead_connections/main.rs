//! Connections that die while nobody looks: no call is lost on one, but for the race that TCP cannot
//! exclude, over both transports, on each kind of runtime.
#![cfg(all(target_os = "linux", feature = "ureq", feature = "hyper-util"))]

mod backlog;
mod callers;
mod child;
mod drive;
mod idle;
mod race;
mod runtimes;
mod schedule;
mod service;
mod unpolled;
mod wire;

use std::time::Duration;

use imts::endpoint::ServicePath;
use imts::operation::Custom;
use imts::services::transfer::Confirm;
use imts::{Builder, Credentials, Endpoint, Evidence, Policy, services};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

/// What the call is made to.
pub(crate) const PATH: &str = "/v5/partner/transfer/example";

/// Nanoseconds of `CLOCK_MONOTONIC`, which all processes of a machine share.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap()
}

/// Random numbers from a seed (SplitMix64).
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// A client whose calls end in time, unless something hangs.
pub(crate) fn builder(endpoint: Endpoint) -> Builder {
    let mut operations = services::transfer::catalogue();
    let path = ServicePath::new(PATH).unwrap();
    operations.set_path("confirm", path, Evidence::Assumed).unwrap();
    Builder::new(endpoint)
        .credentials(Credentials::new("agent", "secret").unwrap())
        .service(services::transfer().with_operations(operations))
        .policy(policy())
}

pub(crate) fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.time_limit = LIMIT;
    // What was not sent is sent again without a wait to speak of.
    policy.backoff_first = Duration::from_millis(1);
    policy
}

/// How long a call may take: only a hang takes longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A call that moves money.
pub(crate) fn confirm(reference: &str) -> Custom<Confirm, serde_json::Value> {
    Custom::new(json!({ "client_uuid": reference })).with_reference(reference)
}
