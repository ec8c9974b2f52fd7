//! Why a message may not say what was signed.
//!
//! Owns the reasons. Does not know how they are found.

use thiserror::Error;

/// Why a message may not say what was signed. Ask the service for the status before you act.
///
/// A signature covers the values in their order, and not their names. So the values of a signed
/// message can be given new names, or be split at a `;`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Doubt {
    /// A value has a `;`, which also separates the signed values.
    #[error(
        "a value has a `;`, at which the message could have been split anew: ask for the status"
    )]
    Separator,
    /// There is a field that is not expected, or one twice.
    #[error("the message has a field that is not expected, or one twice: ask for the status")]
    Names,
    /// A value does not have the shape that its name promises.
    #[error("the value of `{field}` does not have its documented shape: ask for the status")]
    Shape {
        /// The field.
        field: &'static str,
    },
    /// The message lacks a field without which it says nothing.
    #[error("the message has no `{field}`: ask for the status")]
    Missing {
        /// The field.
        field: &'static str,
    },
}
