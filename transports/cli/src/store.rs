//! The store that a command's session is kept in, for other processes.
//!
//! Owns which store that is, and what a command reports of it. Does not know when a store is asked:
//! the library's session does.

mod cache;
mod key;
mod open;
mod seen;
mod shared;

pub(crate) use self::open::{At, PASSWORD, of, opened, place};
pub(crate) use self::shared::{From, Shared};
