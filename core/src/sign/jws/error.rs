//! What keeps a request from being signed or a signature from being accepted.
//!
//! No error holds a key, a signature that was expected, or a text that came with a message.

use thiserror::Error;

/// Why a request is not signed, or why its signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JwsError {
    /// The URL has a query, and no page says how one is signed.
    #[error("the request's URL has a query, and it is not known how a query is signed: remove it")]
    Query,
    /// The request has no signature.
    #[error("the request has no signature")]
    NoSignature,
    /// The request has more than one signature.
    #[error("the request has more than one signature")]
    Repeated,
    /// The signature is not a detached JWS: a header, two dots and a signature in base64url
    /// without padding, at most 8,192 bytes. Or its header is not one JSON object whose names are
    /// distinct.
    #[error("the signature is not a detached JWS (HEADER..SIGNATURE in base64url)")]
    Malformed,
    /// The signature is not that of these bytes with this key.
    #[error(
        "the signature does not fit the request's header and body: check the key, and that the bytes are as they were sent"
    )]
    Signature,
    /// A field of the signed header is missing, or is not what it must be.
    #[error("the signed header's field `{field}` is missing or does not fit the request")]
    Claim {
        /// The field's name.
        field: &'static str,
    },
}

/// Why a form of the signed header, or what it is filled with, cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JwsFormError {
    /// A field stands in the form twice.
    #[error("the header's field `{field}` stands in the form twice")]
    Repeated {
        /// The field's name.
        field: &'static str,
    },
    /// The form lacks a field that each signature must have: the path, the party, the method or
    /// the algorithm.
    #[error("the form lacks a field for the {what}")]
    Missing {
        /// What is not signed.
        what: &'static str,
    },
    /// The partner's or merchant's id is longer than 128 bytes, or is not one line that has only what
    /// its reader sees.
    #[error(
        "the partner's or merchant's id is blank, longer than 128 bytes, or has a character that is not seen"
    )]
    Party,
    /// The form writes the id as a number, and it is not one.
    #[error(
        "the id must be a decimal integer of at most 18 digits without leading zeros, because the form writes it as a number"
    )]
    PartyNumber,
    /// The HMAC does not take a key of this length. No such length is known.
    #[error("the key has a length that its algorithm does not take")]
    Key,
}
