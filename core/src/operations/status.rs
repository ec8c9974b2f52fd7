//! `POST`, path unknown: by its name, tells where a transfer stands.

use super::Named;
use crate::operation::Class;

/// Status. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum Status {}

impl Named for Status {
    const NAME: &'static str = "status";
    const CLASS: Class = Class::Read;
}
