//! How an operation is served: its path, what it does, and what it answers.

use std::collections::VecDeque;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

pub use crate::evidence::Evidence;
use crate::operation::Class;

/// One operation as the sandbox serves it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Served {
    /// The path from the root, such as `/v5/partner/transfer/fees`.
    pub path: String,
    /// What it does. Operations that create something or move money are in the ledger.
    pub class: Class,
    /// How certain its path is. Its replies are assumed in any case.
    pub evidence: Evidence,
    /// Which refusals say that nothing was applied.
    pub decided: Decided,
    /// The replies: each is sent once, in turn, and the last is repeated from then on. If the list
    /// is empty, the default, every reply is [`Scripted::default`].
    pub replies: VecDeque<Scripted>,
}

/// The refusals that the service decides before it processes a request. The request is then
/// certainly not applied.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Decided {
    /// Refusals by status.
    pub statuses: Vec<u16>,
    /// Refusals by the code in the body: strings and whole numbers.
    pub codes: Vec<Value>,
}

/// One reply of a script.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Scripted {
    /// The status. Default 200.
    pub status: u16,
    /// The payload of the success envelope. Default: the request's id, if it has one.
    pub payload: Option<Value>,
    /// The whole body, instead of an envelope. Default: the success envelope under a 2xx, otherwise
    /// a refusal in the shape that the settings ask for.
    pub body: Option<Value>,
    /// How long the socket front holds the reply, in milliseconds. Default 0.
    pub latency_ms: u64,
    /// Whether the request is applied. Default: true under a 2xx, unless the body says
    /// `state: false` or the operation's [`Decided`] lists the reply.
    pub applied: Option<bool>,
}

impl Default for Scripted {
    fn default() -> Self {
        Self { status: 200, payload: None, body: None, latency_ms: 0, applied: None }
    }
}

impl Served {
    /// Creates an operation at this path, of this class, that answers with a success.
    #[must_use]
    pub fn new(path: impl Into<String>, class: Class, evidence: Evidence) -> Self {
        let (decided, replies) = (Decided::default(), VecDeque::new());
        Self { path: path.into(), class, evidence, decided, replies }
    }

    /// Returns the next reply of the script.
    pub(crate) fn next_reply(&mut self) -> Scripted {
        match self.replies.len() {
            0 => Scripted::default(),
            1 => self.replies.front().cloned().unwrap_or_default(),
            _ => self.replies.pop_front().unwrap_or_default(),
        }
    }
}

impl Decided {
    /// Returns whether the list contains a reply.
    fn lists(&self, status: u16, body: Option<&Value>) -> bool {
        let code = |pointer| body.and_then(|body| body.pointer(pointer));
        self.statuses.contains(&status)
            || ["/code", "/error_code", "/error/code"]
                .into_iter()
                .filter_map(code)
                .any(|code| self.codes.contains(code))
    }
}

impl Scripted {
    /// Creates a reply of this status, with the default body for it.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Creates a success with this payload.
    #[must_use]
    pub fn payload(payload: Value) -> Self {
        Self { payload: Some(payload), ..Self::default() }
    }

    pub(crate) fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }

    pub(crate) fn applies(&self, decided: &Decided) -> bool {
        self.applied.unwrap_or_else(|| {
            let body = self.body.as_ref();
            self.status_code().is_success()
                && body.and_then(|body| body.get("state")) != Some(&Value::Bool(false))
                && !decided.lists(self.status, body)
        })
    }
}
