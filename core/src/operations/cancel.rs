//! `POST`, path unknown: by its name, cancels a transfer. Moves money.

use super::Named;
use crate::operation::Class;

/// Cancel. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum Cancel {}

impl Named for Cancel {
    const NAME: &'static str = "cancel";
    const CLASS: Class = Class::Money;
}
