//! Why a request is not signed.

use thiserror::Error;

#[cfg(feature = "jws")]
use crate::sign::jws::{JwsError, JwsFormError};
#[cfg(feature = "pg-sig")]
use crate::sign::pg_sig::{PgReadError, PgSignError, ScriptError};

/// Why a request is not signed. The caller must correct it; nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignError {
    /// There is no key for this kind of signature, or for this account of the merchant. Another key
    /// is never used in its place.
    #[error("there is no key for {what}: add it to the keys")]
    NoKey {
        /// What it is needed for.
        what: &'static str,
    },
    /// The build has no code for this kind of signature.
    #[error("this build cannot sign it: switch the feature `{feature}` on")]
    NoFeature {
        /// The feature.
        feature: &'static str,
    },
    /// How it is signed is not known.
    #[error("how it is signed is not known: give the service or the operation a form")]
    NoForm,
    /// It names another merchant than the keys.
    #[error("its field `{field}` names another merchant than the keys")]
    Party {
        /// The field's name.
        field: &'static str,
    },
    /// It has the method GET, and such a message would carry its fields in the URL.
    #[error("a message with pg_sig cannot be sent with a method that has no body")]
    Method,
    /// The request cannot be signed with a JWS.
    #[cfg(feature = "jws")]
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// The id does not fit the form of the JWS.
    #[cfg(feature = "jws")]
    #[error(transparent)]
    JwsForm(#[from] JwsFormError),
    /// The fields cannot be signed with `pg_sig`, for example because the signature is ambiguous.
    #[cfg(feature = "pg-sig")]
    #[error(transparent)]
    PgSig(#[from] PgSignError),
    /// A value of the request has no text to sign.
    #[cfg(feature = "pg-sig")]
    #[error(transparent)]
    PgFields(#[from] PgReadError),
    /// The URL has no script to sign with.
    #[cfg(feature = "pg-sig")]
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The signed message cannot be written.
    #[error("the signed message cannot be written")]
    Unwritable,
}
