//! Faults by rule: which requests are answered wrongly, and how.
//!
//! A fault of HTTP (a status, a body, a field) changes the response itself. A fault of delivery (a
//! reset, a drip, an endless body) travels with the response as an extension. The socket front acts
//! it out; in process, a test can read it.

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
use crate::signed::{self, FormReply};

/// Says which requests meet a fault, and which fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The operation that the rule is about; `None` means any.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// Which requests of that operation.
    #[serde(default)]
    pub when: When,
    /// What happens to them.
    pub fault: Fault,
}

impl Rule {
    /// Creates a rule by which every request for this operation meets this fault.
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
    /// The nth request since the rules were set, counted from 1.
    Nth(u64),
    /// Each request whose number is a multiple of this.
    Every(u64),
    /// This percentage of the requests, chosen by the settings' `fault_seed`.
    Percent(u8),
}

/// What happens to a request or to its reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// The request is not applied. The answer has this status and the settings' error shape.
    Status {
        /// The status.
        status: u16,
        /// `Retry-After`, in seconds.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
    /// The request is not applied. The answer is a page of HTML, such as a proxy would send.
    Html {
        /// The status.
        status: u16,
    },
    /// The request is not applied. The answer is a redirect.
    Redirect {
        /// The status.
        status: u16,
        /// The target of the redirect.
        location: String,
    },
    /// The request is applied. This text replaces the answer's body.
    Body {
        /// The body.
        text: String,
    },
    /// The request is applied. The answer has another content type.
    ContentType {
        /// The content type.
        value: String,
    },
    /// The request is applied. The answer, a refusal too, has another form.
    Form {
        /// The form.
        form: Form,
        /// Replaces the answer's own status, if given.
        #[serde(default)]
        status: Option<u16>,
    },
    /// The request is applied. A field of the answer's payload has another value; null removes it. If
    /// the answer has no payload, it is a field of the whole. A form reply is signed again.
    Field {
        /// The field's name.
        name: String,
        /// Its value.
        value: Value,
    },
    /// The request is applied. The answer has no signature. It changes a form reply only: the signed
    /// services' JSON replies have none.
    Unsigned,
    /// The request is applied. The answer's signature is made with another key.
    WronglySigned,
    /// The request is applied. The answer is signed well, and it is about another order, payment and
    /// request.
    OtherOrder,
    /// The request is not applied and never answered: the connection is closed.
    Dropped,
    /// The answer is delivered in this way. The delivery says whether the request is applied
    /// ([`Delivery::applies`]).
    Delivery(Delivery),
    /// The request is applied. Its answer is held for this long.
    Latency {
        /// Milliseconds.
        ms: u64,
    },
}

impl Fault {
    /// Returns the answer in place of applying the request, if the fault comes before that.
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
            Self::Html { status: code } => Some(signed::html(status(*code))),
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
            Self::Field { name, value } => set_field(response, name, value),
            Self::Unsigned => FormReply::spoil(response, false),
            Self::WronglySigned => FormReply::spoil(response, true),
            Self::OtherOrder => signed::of_another(response),
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

/// Returns the placeholder for an answer that never comes.
fn delivered(delivery: Delivery) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    response.extensions_mut().insert(delivery);
    response
}

/// Sets a field of the payload. In a reply of a signed service, whose fields have no payload around
/// them, it is a field of the whole.
fn set_field(response: &mut Response<Vec<u8>>, name: &str, value: &Value) {
    if signed::set_field(response, name, value) {
        return;
    }
    let body = response.body_mut();
    let Ok(mut envelope) = serde_json::from_slice::<Value>(body) else { return };
    let payload = match envelope.get("payload") {
        Some(_) => envelope.get_mut("payload"),
        None => Some(&mut envelope),
    };
    let Some(payload) = payload.and_then(Value::as_object_mut) else { return };
    if value.is_null() {
        payload.remove(name);
    } else {
        payload.insert(name.to_owned(), value.clone());
    }
    *body = envelope.to_string().into_bytes();
}
