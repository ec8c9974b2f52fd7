//! Callbacks, from a raw request to a stored answer: over each place of answers, as a service, and
//! by processes that are killed. A signer of the tests' own signs the messages.
#![cfg(feature = "callback-tower")]

mod answers;
mod files;
mod folder;
mod killed;
mod many;
mod message;
mod once;
mod process;
mod service;
mod shop;
mod tasks;
