//! Calls that are signed: what is sent, what of a reply is believed, and what a lost reply leads to.
#![cfg(all(feature = "jws", feature = "pg-sig"))]

mod believed;
mod repeats;
mod sent;
mod support;
