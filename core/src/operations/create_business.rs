//! `POST`, path unknown: by its name, registers a legal entity.

use super::Named;
use crate::operation::Class;

/// Create business. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum CreateBusiness {}

impl Named for CreateBusiness {
    const NAME: &'static str = "create-business";
    const CLASS: Class = Class::Create;
}
