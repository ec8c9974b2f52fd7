//! The IMTS client beside the crates that get, cache and renew tokens today, each by its public API
//! with its defaults, against one service on loopback.
//!
//! `main.rs` prints timings and behaviour, `bin/allocations.rs` counts allocations apart from them, so
//! that counting costs no timing anything. How the tables are to be read is in `benches/README.md`.

pub mod measure;
pub mod peer;
pub mod peers;
pub mod pinned;
pub mod ready;
pub mod service;
pub mod tables;
