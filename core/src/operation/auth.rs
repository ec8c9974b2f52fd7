//! How a request says who sends it.
//!
//! Owns the kinds. Does not know the keys, nor how a signature is computed.

use crate::account::Account;

/// How a request says who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Auth {
    /// `Authorization: Bearer …`, with the session's token.
    Bearer,
    /// No `Authorization` header and no signature: it can be called without a session.
    None,
    /// `Authorization: Basic …` (RFC 7617), with the id and the secret in the call's
    /// [`Keys`](crate::call::Keys).
    Basic,
    /// A detached JWS over method, path and body (feature `jws`), with the key in the call's
    /// [`Keys`](crate::call::Keys).
    Jws,
    /// `pg_sig` in the request and in its reply (feature `pg-sig`), with the merchant's key for this
    /// account.
    PgSig(Account),
}

impl Auth {
    /// Returns whether it needs [`Keys`](crate::call::Keys) instead of a session's token.
    #[must_use]
    pub const fn needs_keys(self) -> bool {
        matches!(self, Self::Basic | Self::Jws | Self::PgSig(_))
    }

    /// Returns whether the request is signed.
    #[must_use]
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::Jws | Self::PgSig(_))
    }
}
