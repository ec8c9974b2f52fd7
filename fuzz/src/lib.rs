//! The harnesses behind the fuzz targets: each takes bytes, drives the public API with them, and
//! holds what comes of it to invariants. They run under libFuzzer and, over the corpora, in tests.

pub mod call;
pub mod callback;
mod changes;
mod choices;
pub mod dates;
pub mod endpoint;
pub mod journal;
pub mod jws;
#[cfg(test)]
mod one_shot;
mod oracle;
pub mod pg_sig;
pub mod redis_reply;
pub mod reply;
pub mod sandbox_request;
pub mod saved;
pub mod schedule;
#[cfg(test)]
mod seeds;
pub mod service_file;
#[cfg(test)]
mod share;
mod tally;

pub use crate::tally::{Ran, Tally, Target};

/// Every target. The replay on stable runs this list, and holds its files to it.
pub const TARGETS: [Target; 13] = [
    call::TARGET,
    callback::TARGET,
    service_file::TARGET,
    dates::TARGET,
    endpoint::TARGET,
    journal::TARGET,
    jws::TARGET,
    pg_sig::TARGET,
    redis_reply::TARGET,
    reply::TARGET,
    sandbox_request::TARGET,
    saved::TARGET,
    schedule::TARGET,
];
