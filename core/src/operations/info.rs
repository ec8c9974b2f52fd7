//! `POST`, path unknown: by its name, tells a transfer's details.

use super::Named;
use crate::operation::Class;

/// Info. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum Info {}

impl Named for Info {
    const NAME: &'static str = "info";
    const CLASS: Class = Class::Read;
}
