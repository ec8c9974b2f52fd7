//! How Transfer writes its replies: `{"state": true, "response_time": …, "payload": …}`.
//!
//! Owns the envelope (published for Get token, assumed for the rest), what is a refusal, and the
//! names of a refusal's fields. The service's own error fields are not published: the names are those
//! that the vendor's other APIs use.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Malformed;
use crate::wire::{Envelope, ErrorForm, Format, Object, RefusalFields, Success, object};

pub(super) static FORMAT: Format = Format {
    envelope,
    refuses,
    refusal: RefusalFields {
        succeeded: Some("state"),
        codes: &["error_code", "code"],
        messages: &["error_description", "message", "error_message", "description", "detail"],
        texts: &["error", "errors"],
        content: Some("payload"),
        objects: &[&["error"], &["payload"], &["payload", "error"], &["errors"]],
        errors: &[
            ErrorForm::Says { field: "status", text: "error" },
            ErrorForm::Describes { field: "error", with: &["message", "code"] },
        ],
    },
};

/// Unknown fields are ignored; a known field that occurs twice is an error.
fn envelope(success: Success<'_>) -> Result<Envelope<'_>, Malformed> {
    #[derive(Deserialize)]
    struct Fields<'a> {
        state: Option<bool>,
        #[serde(borrow)]
        payload: Option<&'a RawValue>,
    }
    let Object(Fields { state, payload }) = success.json()?;
    let state = state.ok_or(Malformed::Missing { field: "state" })?;
    Ok(Envelope { is_refusal: !state, payload: payload.map(RawValue::get), field: "payload" })
}

fn refuses(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct State {
        state: bool,
    }
    object(body).is_some_and(|State { state }| !state)
}
