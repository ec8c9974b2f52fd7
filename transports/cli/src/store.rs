//! The store that a command's session is kept in, for other processes.
//!
//! Owns which store that is, and what a command reports of it. Does not know when a store is asked:
//! the library's session does.

mod cache;
mod key;
mod open;
mod seen;
mod server;
mod shared;

pub(crate) use self::open::{At, of, opened, place};
pub(crate) use self::server::{NoTable, PASSWORD, cause, migrate};
pub(crate) use self::shared::{From, Shared};
