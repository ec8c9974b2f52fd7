//! `POST`, path unknown: by its name, confirms a payout. Moves money.

use super::Named;
use crate::operation::Class;

/// Payout confirm. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum PayoutConfirm {}

impl Named for PayoutConfirm {
    const NAME: &'static str = "payout-confirm";
    const CLASS: Class = Class::Money;
}
