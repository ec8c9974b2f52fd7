//! Which of a merchant's two keys belongs to a message.
//!
//! Owns the two names. Does not know the keys.

use std::fmt;

/// Which of a merchant's two keys signs a message. It is a fact about the operation (published).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// Accepting payments.
    Accepting,
    /// Payouts.
    Payouts,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Accepting => "accepting payments",
            Self::Payouts => "payouts",
        })
    }
}
