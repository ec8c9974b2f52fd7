//! How Freedom ID writes its replies: a bare object, without an envelope.
//!
//! Owns the two shapes of an error (draft): `{"error":{"message":…,"code":…}}` and
//! `{"error":{"message":…,"errors":{…}}}`. One page labels its example with the status 200, so both
//! shapes are refusals under a 2xx too.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::Malformed;
use crate::wire::{Envelope, ErrorForm, Format, Object, RefusalFields, Success, Text, object};

pub(super) static FORMAT: Format = Format {
    envelope,
    refuses,
    refusal: RefusalFields {
        succeeded: None,
        codes: &["code"],
        messages: &["message"],
        texts: &["errors"],
        content: None,
        objects: &[&["error"]],
        errors: &[ErrorForm::Describes { field: "error", with: &["message", "code", "errors"] }],
    },
};

fn envelope(success: Success<'_>) -> Result<Envelope<'_>, Malformed> {
    let payload = std::str::from_utf8(success.body()).map_err(|_| Malformed::Encoding)?;
    let is_refusal = refuses(success.body());
    Ok(Envelope { is_refusal, payload: Some(payload), field: "body" })
}

/// Whether the body is one of the two shapes, however little the rest looks like it.
fn refuses(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Failed<'a> {
        #[serde(borrow)]
        error: Object<Described<'a>>,
    }
    #[derive(Deserialize)]
    struct Described<'a> {
        #[serde(borrow)]
        message: Option<Text<'a>>,
        code: Option<IgnoredAny>,
        errors: Option<IgnoredAny>,
    }
    object(body).is_some_and(|Failed { error: Object(error) }| {
        error.message.is_some() || error.code.is_some() || error.errors.is_some()
    })
}
