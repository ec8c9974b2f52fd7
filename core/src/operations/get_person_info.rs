//! `POST`, path unknown: by its name, tells what is known of a natural person.

use super::Named;
use crate::operation::Class;

/// Get person info. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum GetPersonInfo {}

impl Named for GetPersonInfo {
    const NAME: &'static str = "get-person-info";
    const CLASS: Class = Class::Read;
}
