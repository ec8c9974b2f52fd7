//! Callbacks: each rule by its name, over messages that a signer of the tests' own has signed.
#![cfg(feature = "callback")]

mod answers;
mod forgeries;
mod forms;
mod paid;
mod setup;
mod support;
