//! The user's browser comes back.
//!
//! Owns what may be shown to the user. Nothing can be decided by it: anyone can open a URL.

use super::message::Message;
use crate::sign::pg_sig::{FieldError, OwnUrl, PgValue};

/// A signed redirect of a user's browser. It proves no payment, and no [`Decision`](super::Decision)
/// can be made from it: show a page, and wait for the result or ask for the status.
///
/// ```compile_fail
/// # fn at(redirect: imts_core::callback::Redirect) {
/// redirect.ok("delivered");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Redirect {
    url: OwnUrl,
    message: Message,
}

impl Redirect {
    pub(super) fn new(url: OwnUrl, message: Message) -> Self {
        Self { url, message }
    }

    /// Returns the URL to which the browser came: the one for success, or the one for failure.
    #[must_use]
    pub fn url(&self) -> OwnUrl {
        self.url
    }

    /// Returns the id of the merchant's order, to show it.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is missing, or there twice.
    pub fn order_id(&self) -> Result<&str, FieldError> {
        self.message.text("pg_order_id")
    }

    /// Returns the text of a field, such as `pg_error_description`.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is missing, stands there more than once, or is nested.
    pub fn text(&self, name: &str) -> Result<&str, FieldError> {
        self.message.text(name)
    }

    /// Returns all fields in their order, known or not.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PgValue)> {
        self.message.iter()
    }
}
