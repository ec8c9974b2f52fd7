//! `POST`, path unknown: by its name, lists agents.

use super::Named;
use crate::operation::Class;

/// Get agents. Its name is published; path, fields and reply are unknown: give them with
/// [`Own`](super::Own).
#[derive(Clone, Copy, Debug)]
pub enum GetAgents {}

impl Named for GetAgents {
    const NAME: &'static str = "get-agents";
    const CLASS: Class = Class::Read;
}
