//! The tables, and what each needs to be run.

mod asking;
mod crowd;
mod exchange;
mod outage;
mod post;
mod scene;

pub use self::asking::{authorization, hot, threads};
pub use self::crowd::{cancelled, short, stale, stampede, stampede_of_threads, storm};
pub use self::exchange::{exchange_allocations, reply, request};
pub use self::outage::outage;
pub use self::post::{post, post_costs, post_cpu};

use crate::peer::Peer;

/// A table by its name: a function of the number of rounds.
pub type Table = (&'static str, fn(usize));

/// Every table.
pub const TABLES: &[Table] = &[
    ("hot", hot),
    ("threads", threads),
    ("authorization", authorization),
    ("reply", reply),
    ("request", request),
    ("stampede", stampede),
    ("stampede-threads", stampede_of_threads),
    ("stale", stale),
    ("short", short),
    ("storm", storm),
    ("cancelled", cancelled),
    ("outage", outage),
    ("post", post),
    ("post-cpu", post_cpu),
];

/// A crate with the version that the lock file names.
fn versioned(name: &str) -> String {
    let entry = format!("name = \"{name}\"\nversion = \"");
    let lock = include_str!("../Cargo.lock");
    let version = lock.split_once(&entry).and_then(|(_, after)| after.split('"').next());
    format!("{name} {}", version.unwrap_or("?"))
}

/// Whom a row is about: the crate with its version, and what of it is asked.
#[must_use]
pub fn names<P: Peer>() -> [String; 2] {
    [versioned(P::CRATE), P::SUBJECT.to_owned()]
}
