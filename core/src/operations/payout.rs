//! `POST`, path unknown: by its name, pays a transfer out. Moves money.

use super::Named;
use crate::operation::Class;

/// Payout. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum Payout {}

impl Named for Payout {
    const NAME: &'static str = "payout";
    const CLASS: Class = Class::Money;
}
