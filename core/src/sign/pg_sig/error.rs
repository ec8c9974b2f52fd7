//! What keeps a message from being signed, read or accepted.
//!
//! No error holds a key, a value of a field, or a signature that was expected.

use thiserror::Error;

use crate::account::Account;
use crate::printable::Printable;

/// Why a message is not signed. It is not to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PgSignError {
    /// The signer has no key for this account. The other key is never used in its place.
    #[error("there is no key for {account}: add it to the signer")]
    NoKey {
        /// The account of the message.
        account: Account,
    },
    /// The signer adds this field itself.
    #[error("the field `{name}` is added by the signer: leave it out")]
    Reserved {
        /// The field's name.
        name: &'static str,
    },
    /// The readings of the vendor's sample sort this message in different ways. Which one the
    /// service uses is not known.
    #[error(
        "the signature is ambiguous: the vendor's sample can be read in more than one way, and the \
         readings sort these fields differently. Send at most 10 entries in a list, and no name \
         that is the beginning of another one and is followed there by a digit"
    )]
    Ambiguous,
    /// A field is empty. Some readers leave it out of the signature, and some do not.
    #[error("the field `{}` is empty: leave it out", Printable(.name))]
    Empty {
        /// The field's name.
        name: String,
    },
    /// A field stands in the message twice. The service keeps only the last one of a form.
    #[error("the field `{}` stands in the message twice", Printable(.name))]
    Repeated {
        /// The field's name.
        name: String,
    },
    /// A name has other characters than ASCII letters, digits and `_`, or does not begin with a
    /// letter or `_`. The service could read it as another name.
    #[error(
        "the field name `{}` must be made of letters, digits and _, and not begin with a digit",
        Printable(.name)
    )]
    Name {
        /// The field's name.
        name: String,
    },
    /// XML cannot carry the field: it is a list, or has a control character.
    #[error("XML cannot carry the field `{}`: it is a list, or has a control character", Printable(.name))]
    NotXml {
        /// The field's name.
        name: String,
    },
    /// The message has more than 4,096 values, or lists in lists more than eight deep.
    #[error("the message has more than 4096 values, or is nested more than 8 deep")]
    TooLarge,
}

/// Why bytes are not read as a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PgReadError {
    /// It has more than 256 KiB or 4,096 fields, or is nested more than eight deep.
    #[error("the message has more than 262144 bytes or 4096 fields, or is nested more than 8 deep")]
    TooLarge,
    /// It is not UTF-8.
    #[error("the message is not UTF-8")]
    Encoding,
    /// It is not of its form: urlencoded pairs, one JSON object, or one XML element.
    #[error("the message is not {form}")]
    Syntax {
        /// What it is not.
        form: &'static str,
    },
    /// It has something that the vendor's messages are not known to have, and for which no page
    /// says how it is signed.
    #[error("the message has {what}, and it is not known how that is signed")]
    Unsupported {
        /// What it has.
        what: &'static str,
    },
}

/// Why a message is not accepted. Do not act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PgVerifyError {
    /// The signer has no key for this account. The other key is never used in its place.
    #[error("there is no key for {account}: add it to the signer")]
    NoKey {
        /// The account of the message.
        account: Account,
    },
    /// The message has no `pg_sig`.
    #[error("the message has no pg_sig")]
    NoSignature,
    /// The service could not tell who the merchant is, and signs no such reply: `pg_error_code` is
    /// 9998, without a salt and a signature (published). Anyone could have written it.
    #[error(
        "the message is not signed and says that the merchant is not known (9998): check the \
         merchant's id and the key"
    )]
    MerchantUnknown,
    /// The message has more than one `pg_sig`.
    #[error("the message has more than one pg_sig")]
    Repeated,
    /// The `pg_sig` is not 32 lower-case hex digits.
    #[error("the message's pg_sig is not 32 lower-case hex digits")]
    Malformed,
    /// The signature is not that of these fields with this key and script.
    #[error(
        "the signature does not fit the message: check the key, that the script is the last part \
         of the configured URL, and that no field is missing or changed"
    )]
    Signature,
}

/// Why a field of a verified message has no value to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FieldError {
    /// There is no such field.
    #[error("the field is missing")]
    Missing,
    /// There is more than one such field.
    #[error("the field stands in the message more than once")]
    Repeated,
    /// It has fields of its own, and no text.
    #[error("the field has fields of its own, and no text")]
    Nested,
}

/// Why a URL has no script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// The URL's path is empty, or ends with a slash. Clients disagree on the script of such a URL.
    #[error(
        "the URL has no path or ends with a slash, so it is not known what its script is: end it \
         with a name, such as /result"
    )]
    Empty,
    /// The last part of the path has characters that a reader could decode or split.
    #[error(
        "the last part of the URL's path must be made of letters, digits and -._~, because it is \
         not known how others are signed"
    )]
    Character,
}
