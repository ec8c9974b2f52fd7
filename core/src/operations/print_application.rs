//! `POST`, path unknown: by its name, yields the application form of a transfer.

use super::Named;
use crate::operation::Class;

/// Print application. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum PrintApplication {}

impl Named for PrintApplication {
    const NAME: &'static str = "print-application";
    const CLASS: Class = Class::Read;
}
