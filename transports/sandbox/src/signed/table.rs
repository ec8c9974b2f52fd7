//! The signed operations whose paths are known: names, paths, classes, and how each is signed.
//!
//! Owns the facts of the pages. An operation without a known path is not here, and the sandbox does not
//! invent one.

mod forms;
mod json;

pub(super) use self::forms::FORMS;
pub(super) use self::json::JSON;
use super::row::Row;

/// Returns all operations.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    JSON.iter().chain(FORMS)
}
