//! Faults by rule: which requests are answered wrongly, and how.
//!
//! A fault of HTTP (a status, a body, a field) changes the response itself. A fault of delivery (a
//! reset, a drip, an endless body) travels with it as an extension, for the socket front to act out;
//! in process it is there to be read.

mod dice;

use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use self::dice::Dice;
use crate::delivery::Delivery;
use crate::form::Form;
use crate::operation::Operation;
use crate::reply;

/// Which requests meet a fault, and which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Only requests for this; any where `None`.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// Which of those.
    #[serde(default)]
    pub when: When,
    /// What becomes of them.
    pub fault: Fault,
}

impl Rule {
    /// Every request for this operation meets this fault.
    #[must_use]
    pub fn always(operation: Operation, fault: Fault) -> Self {
        Self { operation: Some(operation), when: When::Always, fault }
    }
}

/// Which of the requests that a rule is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// All of them.
    #[default]
    Always,
    /// The nth since the rules were set, counted from 1.
    Nth(u64),
    /// Each whose number is a multiple of this.
    Every(u64),
    /// This many in a hundred, as the settings' `fault_seed` has it.
    Percent(u8),
}

/// What becomes of a request or of its reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// It is not applied; the answer has this status and the settings' error shape.
    Status {
        /// The status.
        status: u16,
        /// `Retry-After`, in seconds.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
    /// It is not applied; the answer is a page of HTML, as a proxy would send.
    Html {
        /// The status.
        status: u16,
    },
    /// It is not applied; the answer is a redirect.
    Redirect {
        /// The status.
        status: u16,
        /// Where to.
        location: String,
    },
    /// It is applied; the answer's body is this instead.
    Body {
        /// The body.
        text: String,
    },
    /// It is applied; the answer has another content type.
    ContentType {
        /// The content type.
        value: String,
    },
    /// It is applied; the answer, a refusal too, has another form.
    Form {
        /// The form.
        form: Form,
        /// The answer's status in place of its own.
        #[serde(default)]
        status: Option<u16>,
    },
    /// It is applied; a field of the answer's payload has another value, or is gone where null.
    Field {
        /// The field's name.
        name: String,
        /// Its value.
        value: Value,
    },
    /// It is not applied, and never answered: the connection is closed.
    Dropped,
    /// Its answer is delivered so, and the delivery says whether it is applied
    /// ([`Delivery::applies`]).
    Delivery(Delivery),
    /// It is applied; its answer is held back this long.
    Latency {
        /// Milliseconds.
        ms: u64,
    },
}

impl Fault {
    /// The answer in place of applying the request, for a fault that stands before it.
    pub(crate) fn before(
        &self,
        refusal: impl FnOnce(StatusCode) -> Response<Vec<u8>>,
    ) -> Option<Response<Vec<u8>>> {
        match self {
            Self::Status { status: code, retry_after_s } => {
                let mut response = refusal(status(*code));
                if let Some(seconds) = retry_after_s {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*seconds));
                }
                Some(response)
            }
            Self::Html { status: code } => {
                let mut response = Response::new(b"<html><h1>Not here</h1></html>".to_vec());
                *response.status_mut() = status(*code);
                let html = HeaderValue::from_static("text/html; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, html);
                Some(response)
            }
            Self::Redirect { status: code, location } => {
                let mut response = Response::new(Vec::new());
                *response.status_mut() = status(*code);
                if let Ok(location) = HeaderValue::try_from(location) {
                    response.headers_mut().insert(LOCATION, location);
                }
                Some(response)
            }
            Self::Dropped => Some(delivered(Delivery::Closed)),
            Self::Delivery(delivery) if !delivery.applies() => Some(delivered(*delivery)),
            _ => None,
        }
    }

    /// Changes the answer to a request that was applied.
    pub(crate) fn after(&self, response: &mut Response<Vec<u8>>) {
        match self {
            Self::Body { text } => *response.body_mut() = text.clone().into_bytes(),
            Self::ContentType { value } => {
                if let Ok(value) = HeaderValue::try_from(value) {
                    response.headers_mut().insert(CONTENT_TYPE, value);
                }
            }
            Self::Form { form, status: code } => {
                form.give(response);
                if let Some(code) = code {
                    *response.status_mut() = status(*code);
                }
            }
            Self::Field { name, value } => set_field(response.body_mut(), name, value),
            Self::Delivery(delivery) => {
                response.extensions_mut().insert(*delivery);
            }
            Self::Latency { ms } => reply::delay(response, Duration::from_millis(*ms)),
            _ => {}
        }
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What stands for the answer that never comes.
fn delivered(delivery: Delivery) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    response.extensions_mut().insert(delivery);
    response
}

fn set_field(body: &mut Vec<u8>, name: &str, value: &Value) {
    let Ok(mut envelope) = serde_json::from_slice::<Value>(body) else { return };
    let Some(payload) = envelope.get_mut("payload").and_then(Value::as_object_mut) else { return };
    if value.is_null() {
        payload.remove(name);
    } else {
        payload.insert(name.to_owned(), value.clone());
    }
    *body = envelope.to_string().into_bytes();
}
