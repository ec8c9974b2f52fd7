//! The flat reply of the v5 APIs: `{"status":"ok","request_status":…,"dt":…}`, and how it refuses.
//!
//! Owns that envelope (published), and the part of it that tells an accepted request from a finished
//! one. The content of a reply is the whole object. Does not know what an operation adds to it.

use serde::Deserialize;

use super::request::{open, reply};
use super::values::Found;
use super::whole::whole;
use crate::error::Malformed;
use crate::wire::{Envelope, ErrorForm, Format, Object, RefusalFields, Success, object};

/// `status` is `ok` or `error`; Settlement writes `success`. Any other word is taken for a refusal.
pub(super) static FORMAT: Format = FLAT;

const FLAT: Format = Format {
    envelope,
    refuses,
    refusal: RefusalFields {
        succeeded: None,
        codes: &["error_code", "code"],
        messages: &["error_description", "message", "error_message", "description"],
        texts: &["error", "errors"],
        content: None,
        objects: &[&["error"]],
        errors: &[ErrorForm::Says { field: "status", text: "error" }],
    },
};

#[derive(Deserialize)]
struct Status {
    status: Option<Found>,
}

impl Status {
    fn is_refusal(&self) -> Option<bool> {
        self.status.as_ref().map(|status| !matches!(status.as_str(), "ok" | "success"))
    }
}

/// The same for replies that may be without a `status`, such as `{}`.
pub(super) static QUIET: Format = Format { envelope: quiet, ..FLAT };

fn quiet(success: Success<'_>) -> Result<Envelope<'_>, Malformed> {
    let Object(status) = success.json::<Object<Status>>()?;
    whole(success, status.is_refusal() == Some(true))
}

fn envelope(success: Success<'_>) -> Result<Envelope<'_>, Malformed> {
    let Object(status) = success.json::<Object<Status>>()?;
    let is_refusal = status.is_refusal().ok_or(Malformed::Missing { field: "status" })?;
    whole(success, is_refusal)
}

fn refuses(body: &[u8]) -> bool {
    object::<Status>(body).and_then(|status| status.is_refusal()) == Some(true)
}

open! {
    /// How far the service is with a request. Only [`Done`](RequestStatus::Done) is an end that
    /// succeeded: a request that is accepted is not done.
    RequestStatus {
        /// It is done: `success`, or 0.
        Done = "success" | "0",
        /// It is accepted, and under way: `process`, or 1. Ask for its status.
        InProcess = "process" | "1",
        /// It failed: `error`, or 2.
        Failed = "error" | "2",
    }
}

reply! {
    /// The reply of an operation that only says how far it is (published).
    Accepted {
        /// How far the service is with the request.
        request_status: RequestStatus = "request_status",
        /// When the service replied, as RFC 3339 writes it.
        dt: Found = "dt",
        /// A code, if the service adds one.
        error_code: Found = "error_code",
        /// A text about the code.
        error_description: Found = "error_description",
    }
}
