//! `POST`, path unknown: by its name, tells what is known of a legal entity.

use super::Named;
use crate::operation::Class;

/// Get business info. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum GetBusinessInfo {}

impl Named for GetBusinessInfo {
    const NAME: &'static str = "get-business-info";
    const CLASS: Class = Class::Read;
}
