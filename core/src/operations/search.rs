//! `POST`, path unknown: by its name, searches for transfers.

use super::Named;
use crate::operation::Class;

/// Search. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum Search {}

impl Named for Search {
    const NAME: &'static str = "search";
    const CLASS: Class = Class::Read;
}
