//! The operations that need a bearer token: what they take, what they answer, what they apply.

use http::Response;
use serde_json::{Map, Value, json};

use crate::fees;
use crate::ledger::Ledger;
use crate::log::Verdict;
use crate::operation::{Class, Operation};
use crate::reply::{self, Answer};
use crate::request::{Refusal, bad_request};
use crate::served::{Evidence, Scripted, Served};
use crate::settings::ErrorShape;
use crate::time::Time;

/// The longest id that the ledger takes, in bytes.
const LONGEST_ID: usize = 256;

/// One call whose bearer token was accepted.
pub(crate) struct Call<'a> {
    pub(crate) operation: Operation,
    /// The time that the caller gave, as in the log.
    pub(crate) at: Time,
    /// The time by the service's clock.
    pub(crate) now: Time,
    pub(crate) body: &'a Value,
    pub(crate) id_field: &'a str,
    pub(crate) ledger_limit: usize,
    pub(crate) error_shape: ErrorShape,
}

impl Call<'_> {
    /// Applies the call and answers it as its script says.
    pub(crate) fn answer(&self, served: &mut Served, ledger: &mut Ledger) -> Answer {
        let body =
            self.body.as_object().ok_or_else(|| bad_request(400, "the body is not an object"))?;
        let default = match self.operation {
            Operation::Fees => fees::check(body)?,
            _ => self.echoed(body),
        };
        let reads = served.class == Class::Read;
        let id = if reads { None } else { self.id(body)? };
        if !reads && !ledger.has_room(self.operation, id, self.ledger_limit) {
            return Err(Refusal::new(503, Verdict::LedgerFull, "the sandbox's ledger is full"));
        }
        let scripted = served.next_reply();
        let applies = !reads && scripted.applies(&served.decided);
        if applies {
            ledger.apply(self.at, self.operation, id);
        }
        let verdict = if applies { Verdict::Applied } else { Verdict::Answered };
        Ok((verdict, self.response(scripted, default)))
    }

    fn response(&self, scripted: Scripted, default: Value) -> Response<Vec<u8>> {
        let (status, latency) = (scripted.status_code(), scripted.latency());
        let mut response = match scripted.body {
            Some(body) => reply::with_json(status, self.now, Evidence::Assumed, &body),
            None if status.is_success() => {
                let payload = scripted.payload.unwrap_or(default);
                let mut response = reply::success(self.now, Evidence::Assumed, payload);
                *response.status_mut() = status;
                response
            }
            None => reply::refusal(status, self.now, self.error_shape, "refused by a script"),
        };
        reply::delay(&mut response, latency);
        response
    }

    /// Returns the id of the request's intent. Two requests with the same id are one intent.
    fn id<'b>(&self, body: &'b Map<String, Value>) -> Result<Option<&'b str>, Refusal> {
        let Some(value) = body.get(self.id_field) else { return Ok(None) };
        let fits = |id: &&str| !id.is_empty() && id.len() <= LONGEST_ID;
        let id = value.as_str().filter(fits).ok_or_else(|| {
            let field = self.id_field;
            bad_request(422, format!("{field} must be a string of 1 to {LONGEST_ID} bytes"))
        })?;
        Ok(Some(id))
    }

    /// Returns the default payload: only the id that the request had.
    fn echoed(&self, body: &Map<String, Value>) -> Value {
        match body.get(self.id_field) {
            Some(id) => json!({ self.id_field: id }),
            None => json!({}),
        }
    }
}
