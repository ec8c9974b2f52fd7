//! Under which key the answer to a message is kept.
//!
//! Owns when two messages are deliveries of one. Does not know who keeps the answers.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::sign::pg_sig::{PgValue, VerifiedFields};

/// What the first answer to a message is kept under, so that it is given again to each repeat.
///
/// For a payment it is made of the payment's id and `pg_result`, not of the order: a user who tries
/// again pays the same order with another payment. A message that may have been split anew has a
/// key of its own, over all its values: so it cannot take the place of a payment's true result.
///
/// Its text has at most 100 bytes: lower-case letters, digits and `-`. It may be the name of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerKey(String);

impl AnswerKey {
    /// The key of a message that says what it is about.
    pub(super) fn of(kind: &str, payment_id: &str, end: &str) -> Self {
        Self(format!("{kind}-{payment_id}-{end}"))
    }

    /// The key of a message that may say something else than what was signed.
    pub(super) fn doubtful(kind: &str, fields: &VerifiedFields) -> Self {
        let mut leaves = Vec::new();
        for (name, value) in fields.iter().filter(|(name, _)| *name != "pg_salt") {
            collect(name.to_owned(), value, &mut leaves);
        }
        leaves.sort_unstable();
        let parts = leaves.iter().flat_map(|(name, value)| [name.as_str(), value]);
        Self(format!("{kind}-doubt-{}", fingerprint(parts)))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AnswerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn collect<'a>(name: String, value: &'a PgValue, leaves: &mut Vec<(String, &'a str)>) {
    match value.as_text() {
        Some(text) => leaves.push((name, text)),
        None => {
            for (key, inner) in value.inner() {
                collect(format!("{name}[{key}]"), inner, leaves);
            }
        }
    }
}

/// The SHA-256 of some texts, each with its length in front, in hex.
pub(super) fn fingerprint<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut sha = Sha256::new();
    for text in texts {
        sha.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        sha.update(text.as_bytes());
    }
    sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
