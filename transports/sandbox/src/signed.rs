//! The vendor's signed services: requests with a detached JWS, and form messages with `pg_sig`.
//!
//! Owns what these services remember, and which of their operations a request asks for. It is the
//! sandbox's own reading of the pages: it shares no behaviour with the core.

mod domain;
mod form;
mod form_call;
mod json;
mod jws;
mod message;
mod name;
mod partner;
mod payments;
mod perform;
mod reply;
mod row;
mod settings;
mod shop;
mod table;
mod tree;

use std::collections::{BTreeMap, VecDeque};

use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::Value;

use self::form::Keyed;
use self::json::Seen;
pub use self::name::SignedOperation;
pub use self::partner::{DEFAULT_PARTNER, DEFAULT_PARTNER_SECRET};
use self::payments::Payments;
pub(crate) use self::reply::{FormReply, html, of_another, set_field};
use self::row::Scheme;
pub use self::settings::{KeyRepeat, ReplyScript, SignedSettings, StatusForm};
use crate::callbacks::{self, Callbacks};
use crate::evidence::Evidence;
use crate::ledger::Ledger;
use crate::operation::Operation;
use crate::reply::Answer;
use crate::served::Scripted;
use crate::settings::Settings;
use crate::time::Time;

/// What the signed services remember.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signed {
    /// The requests that had an id, by service, party and id.
    seen: BTreeMap<(&'static str, String, String), Seen>,
    /// The form requests that had a `pg_idempotency_key`, by merchant and key.
    keyed: BTreeMap<(String, String), Keyed>,
    payments: Payments,
    /// When each merchant last made a payment call.
    paced: BTreeMap<String, Time>,
    /// How many form replies were signed.
    salts: u64,
}

/// What a signed service needs to answer.
pub(crate) struct Context<'a> {
    /// The time that the caller gave, as in the log.
    pub(crate) at: Time,
    /// The time by the service's clock.
    pub(crate) now: Time,
    pub(crate) settings: &'a Settings,
    pub(crate) ledger: &'a mut Ledger,
    /// The scripted replies, which are used up one after the other.
    pub(crate) replies: &'a mut BTreeMap<Operation, VecDeque<Scripted>>,
    /// The payments of which a shop hears.
    pub(crate) callbacks: &'a mut Callbacks,
    pub(crate) shop: callbacks::Context<'a>,
}

impl Signed {
    /// Answers a request for this operation.
    pub(crate) fn answer(
        &mut self,
        context: Context<'_>,
        operation: SignedOperation,
        request: &Request<Vec<u8>>,
    ) -> Answer {
        let row = operation.row();
        match &row.scheme {
            Scheme::Jws(jws) => self.answer_json(context, operation, jws, request),
            Scheme::Form(form) => self.answer_form(context, operation, form, request),
        }
    }
}

impl Context<'_> {
    /// Takes the next reply of an operation's script, if it has one.
    fn scripted(&mut self, operation: SignedOperation) -> Option<Scripted> {
        let replies = self.replies.get_mut(&Operation::Signed(operation))?;
        match replies.len() {
            0 | 1 => replies.front().cloned(),
            _ => replies.pop_front(),
        }
    }

    fn refusal_status(&self) -> StatusCode {
        StatusCode::from_u16(self.settings.signed.refusal_status).unwrap_or(StatusCode::OK)
    }
}

/// Returns whether a request is applied if it is answered by this script.
fn applies(scripted: Option<&Scripted>) -> bool {
    let Some(scripted) = scripted else { return true };
    let says_error = |body: &Value| {
        ["status", "pg_status"]
            .iter()
            .any(|name| body.get(name).is_some_and(|value| value == "error"))
    };
    let refuses = scripted.body.as_ref().is_some_and(says_error);
    scripted.applied.unwrap_or(scripted.status_code().is_success() && !refuses)
}

/// Returns whether a path has the form of a signed service's paths. If no operation is there, the live
/// service has been seen to answer with 403 and a page of HTML.
pub(crate) fn is_near(path: &str) -> bool {
    let folders = ["/g2g/", "/v1/merchant/", "/v2/", "/mfs/", "/api/", "/v5/"];
    let is_in = |folder: &&str| path.starts_with(*folder);
    let others = ["/v5/partner/transfer/", "/api/v1/oauth/"];
    (path.ends_with(".php") || folders.iter().any(is_in))
        && !others.iter().any(|at| path.starts_with(at))
}

/// Returns the answer to a request for a path that no signed service has.
pub(crate) fn forbidden() -> Response<Vec<u8>> {
    let mut response = html(StatusCode::FORBIDDEN);
    let evidence = HeaderValue::from_static(Evidence::Assumed.as_str());
    response.headers_mut().insert("x-sandbox-evidence", evidence);
    response
}
