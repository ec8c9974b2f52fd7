//! What a call asks for, and what makes two calls the same.
//!
//! Owns the identity of an intent. The bytes are not part of it: white space and the order of
//! fields change the bytes, but not what is asked for.

use super::{Digest, identity};
use crate::time::Wall;

/// What is asked of the service, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The operation's name.
    pub operation: String,
    /// Where it goes and for which agent. `None` in records of the journal's first version.
    pub scope: Option<Scope>,
    /// The caller's own name for what is asked for. `None` only in records of the first version.
    pub reference: Option<String>,
    /// The digest of the request's bytes.
    pub digest: Digest,
    /// The digest of the meaning of the bytes. `None` in records of the first version.
    pub meaning: Option<Digest>,
    /// When the intent was made, by this machine's clock.
    pub at: Wall,
    /// The caller's decision to send it in spite of a record.
    pub despite: Option<Despite>,
}

/// Where a call goes, and for which agent. Together with the reference it identifies an intent. Two
/// names of one path are therefore one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The operation's URL.
    pub url: String,
    /// The agent's id. Empty if the session had none yet.
    pub agent: String,
}

/// The caller's decision to send an intent again, although a record stands against it.
///
/// Nothing else overrides the guard. The decision is recorded with its reason. It permits a call
/// that could pay twice. Use it only if the outcome was found out by other means and cannot be
/// [resolved](super::Resolution).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Despite {
    /// The number of the record that stands against it.
    pub id: u64,
    /// Why it is sent in spite of the record.
    pub reason: String,
    /// Who decided it, if known.
    pub by: Option<String>,
}

/// What makes two intents the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntentKey {
    /// An intent with a scope.
    Of {
        /// The operation's URL.
        url: String,
        /// The agent's id.
        agent: String,
        /// The caller's own name for what is asked for.
        reference: String,
    },
    /// An intent of the first version with a reference.
    Named {
        /// The operation's name.
        operation: String,
        /// The caller's own name for what is asked for.
        reference: String,
    },
    /// An intent of the first version without a reference.
    Bytes {
        /// The operation's name.
        operation: String,
        /// The digest of the request's bytes.
        digest: u64,
    },
}

impl Intent {
    /// Returns the key that identifies it in the journal.
    #[must_use]
    pub fn key(&self) -> IntentKey {
        IntentKey::of(&self.operation, self.scope.as_ref(), self.reference.as_deref(), self.digest)
    }

    /// The keys of all records that may stand against it.
    pub(super) fn keys(&self) -> [IntentKey; 3] {
        let (reference, digest) = (self.reference.as_deref(), self.digest);
        let named = IntentKey::of(&self.operation, None, reference.or(Some("")), digest);
        [self.key(), named, IntentKey::of(&self.operation, None, None, digest)]
    }
}

impl IntentKey {
    /// The key of a record with these parts.
    pub(super) fn of(
        operation: &str,
        scope: Option<&Scope>,
        reference: Option<&str>,
        digest: Digest,
    ) -> Self {
        let operation = operation.to_owned();
        match (scope, reference.map(identity::reference)) {
            (Some(scope), Some(reference)) => {
                Self::Of { url: identity::url(&scope.url), agent: scope.agent.clone(), reference }
            }
            (None, Some(reference)) => Self::Named { operation, reference },
            (_, None) => Self::Bytes { operation, digest: digest.0 },
        }
    }
}
