//! `POST`, path unknown: by its name, confirms a transfer. Moves money.

use super::Named;
use crate::operation::Class;

/// Confirm. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum Confirm {}

impl Named for Confirm {
    const NAME: &'static str = "confirm";
    const CLASS: Class = Class::Money;
}
