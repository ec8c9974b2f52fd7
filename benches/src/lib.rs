//! What is measured, made ready: sessions and clients in each state that has a hot path, and a
//! server that costs as little as it can.
//!
//! Timings are in `timing/`, exact counts in [`counts`]; both measure the same [`ready`] parts.
//! How the numbers are to be read is in this package's README.

pub mod counts;
pub mod journeys;
pub mod ready;
pub mod server;
