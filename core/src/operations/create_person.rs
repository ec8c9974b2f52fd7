//! `POST`, path unknown: by its name, registers a natural person.

use super::Named;
use crate::operation::Class;

/// Create person. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum CreatePerson {}

impl Named for CreatePerson {
    const NAME: &'static str = "create-person";
    const CLASS: Class = Class::Create;
}
