//! Freedom ID's errors: the two printed shapes (draft).

use std::collections::BTreeMap;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::settings::ErrorStatus;
use crate::log::Verdict;
use crate::reply;
use crate::served::Evidence;
use crate::time::Time;

/// The result of a request to Freedom ID.
pub(super) type Answer = Result<(Verdict, Response<Vec<u8>>), Refused>;

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) verdict: Verdict,
    status: StatusCode,
    evidence: Evidence,
    error: Value,
}

/// The code of a bad authorization code (draft).
const BAD_CODE: u32 = 100_101;
/// The code of a user's refusal, which occurs only in a sample URL (draft).
pub(super) const REFUSED_BY_USER: u32 = 100_102;
/// The code of every other refusal. The real codes are unknown: this one is the sandbox's own.
const OWN_CODE: u32 = 100_000;

impl Refused {
    /// An authorization code that does not work, whatever the reason.
    pub(super) fn code(verdict: Verdict) -> Self {
        let error = json!({ "message": "Invalid authorization_code.", "code": BAD_CODE });
        Self { verdict, status: StatusCode::BAD_REQUEST, evidence: Evidence::Draft, error }
    }

    /// Credentials, a token or a grant that is missing. Message and code are the sandbox's own.
    pub(super) fn unauthorized(verdict: Verdict, message: &str) -> Self {
        let error = json!({ "message": message, "code": OWN_CODE });
        Self { verdict, status: StatusCode::UNAUTHORIZED, evidence: Evidence::Assumed, error }
    }

    /// A request of the wrong form.
    pub(super) fn form(message: &str) -> Self {
        let error = json!({ "message": message, "code": OWN_CODE });
        let (status, evidence) = (StatusCode::BAD_REQUEST, Evidence::Assumed);
        Self { verdict: Verdict::BadRequest, status, evidence, error }
    }

    pub(super) fn response(&self, now: Time, status: ErrorStatus) -> Response<Vec<u8>> {
        let body = json!({ "error": self.error });
        reply::with_json(status.of(self.status), now, self.evidence, &body)
    }
}

/// What is wrong with the fields of a request, by field.
#[derive(Debug, Default)]
pub(super) struct Invalid(BTreeMap<String, Vec<String>>);

impl Invalid {
    /// A field that is missing. The text is printed for `grants`.
    pub(super) fn required(&mut self, field: &str) {
        self.add(field, format!("The {} field is required.", titled(field)));
    }

    /// A value that is not one of those that exist. The text is printed for `grants.3`.
    pub(super) fn selected(&mut self, field: &str) {
        self.add(field, format!("The selected {field} is invalid."));
    }

    /// A value of the wrong form. The text is assumed.
    pub(super) fn format(&mut self, field: &str) {
        self.add(field, format!("The {} field format is invalid.", titled(field)));
    }

    /// A value that another user has. The text is assumed.
    pub(super) fn taken(&mut self, field: &str) {
        self.add(field, format!("The {} has already been taken.", titled(field)));
    }

    /// A field that does not exist. A strict server's answer; the text is assumed.
    pub(super) fn unknown(&mut self, field: &str) {
        self.add(field, format!("The {} field is prohibited.", titled(field)));
    }

    /// Refuses the request if anything is wrong.
    pub(super) fn check(self) -> Result<(), Refused> {
        if self.0.is_empty() {
            return Ok(());
        }
        let error = json!({ "message": "Error validating transmitted data.", "errors": self.0 });
        let (status, evidence) = (StatusCode::UNPROCESSABLE_ENTITY, Evidence::Draft);
        Err(Refused { verdict: Verdict::BadRequest, status, evidence, error })
    }

    fn add(&mut self, field: &str, text: String) {
        let field: String = field.chars().take(64).collect();
        self.0.entry(field).or_default().push(text);
    }
}

/// Prints a field's name as the printed text does: `grants` as `Grants`.
fn titled(field: &str) -> String {
    let mut letters = field.chars().take(64);
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first
        .into_iter()
        .chain(letters.map(|letter| if letter == '_' { ' ' } else { letter }))
        .collect()
}
