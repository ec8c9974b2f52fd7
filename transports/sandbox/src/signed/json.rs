//! The JSON operations: what they check, and what becomes of a repeat.
//!
//! Owns the order of the checks. Does not know the fields of a reply: [`domain`] does.

use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::domain::{self, Fault};
use super::payments::{Payment, State};
use super::row::{Envelope, Id, Jws, Party, Repeat};
use super::{Context, Signed, SignedOperation, applies, jws};
use crate::log::Verdict;
use crate::operation::{Class, Operation};
use crate::reply::{self, Answer};
use crate::request::{Refusal, bad_request};
use crate::served::Scripted;
use crate::time::Time;

/// A request that was processed, with its id.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    operation: SignedOperation,
    at: Time,
    body: Vec<u8>,
    response: Response<Vec<u8>>,
}

/// The longest id, in bytes.
const LONGEST_ID: usize = 256;

/// A JSON request whose signature is right.
struct Call<'a> {
    operation: SignedOperation,
    jws: &'static Jws,
    party: String,
    id: Option<String>,
    body: Value,
    request: &'a Request<Vec<u8>>,
}

impl Signed {
    pub(super) fn answer_json(
        &mut self,
        mut context: Context<'_>,
        operation: SignedOperation,
        jws: &'static Jws,
        request: &Request<Vec<u8>>,
    ) -> Answer {
        check_form(operation, request)?;
        let refuse = |context: &Context<'_>, verdict, fault: &Fault| {
            Ok((verdict, domain::refusal(context, jws.envelope, fault, request)))
        };
        let merchants = &context.settings.merchants;
        let partners = &context.settings.partners;
        let key_of = |id: &str| match jws.party {
            Party::Partner => partners.get(id).map(String::as_str),
            Party::Merchant | Party::Invoice => {
                merchants.get(id).map(|merchant| merchant.secret.as_str())
            }
        };
        let party = match jws::verify(request, jws.party, jws.algorithms, key_of) {
            Ok(party) => party,
            Err(reason) => {
                return refuse(&context, Verdict::BadSignature, &Fault::unsigned(reason));
            }
        };
        let read = read(jws, request).and_then(|(body, id)| {
            domain::check(operation, jws.envelope, &body, request)?;
            Ok((body, id))
        });
        let (body, id) = match read {
            Ok(read) => read,
            Err(reason) => return refuse(&context, Verdict::BadRequest, &Fault::bad(reason)),
        };
        let call = Call { operation, jws, party, id, body, request };
        if let Some(known) = self.known(&call) {
            return match jws.repeat {
                Repeat::Replayed if known.body == *request.body() => {
                    Ok((Verdict::Replayed, known.response.clone()))
                }
                _ => {
                    let fault = Fault::repeated(context.settings, jws.envelope);
                    refuse(&context, Verdict::Repeated, &fault)
                }
            };
        }
        self.process(&mut context, call)
    }

    fn known(&self, call: &Call<'_>) -> Option<&Seen> {
        if call.jws.repeat == Repeat::Applied {
            return None;
        }
        self.seen.get(&key(call.operation, &call.party, call.id.as_deref()?))
    }

    fn process(&mut self, context: &mut Context<'_>, call: Call<'_>) -> Answer {
        let Call { operation, jws, party, id, body, request } = call;
        let reads = operation.class() == Class::Read;
        let intent =
            domain::order(&body).filter(|_| jws.envelope == Envelope::Headers).or(id.as_deref());
        let name = Operation::Signed(operation);
        let limit = context.settings.memory_limit;
        let is_full = self.seen.len() >= limit || self.payments.len() >= limit;
        if is_full || !reads && !context.ledger.has_room(name, intent, limit) {
            return Err(Refusal::new(503, Verdict::LedgerFull, "the sandbox's ledger is full"));
        }
        let scripted = context.scripted(operation);
        let is_applied = !reads && applies(scripted.as_ref());
        if is_applied {
            context.ledger.apply(context.at, name, intent);
        }
        if is_applied && jws.envelope == Envelope::Headers && name_ends(operation, "create-payment")
        {
            let payment = Payment {
                merchant: party.clone(),
                order: domain::order(&body).map(str::to_owned),
                amount: body.get("amount").map(Value::to_string),
                currency: body.get("currency").and_then(Value::as_str).map(str::to_owned),
                made: context.now,
                state: State::Taken(context.now),
            };
            self.payments.add(context.callbacks.number(), payment);
        }
        let standing = self.standing(context, operation, &party, &body);
        let response = respond(context, operation, jws, &body, request, standing, scripted);
        let is_kept = is_applied || reads && response.status().is_success();
        if let Some(id) = id.filter(|_| is_kept && jws.repeat != Repeat::Applied) {
            let (at, body) = (context.now, request.body().clone());
            let seen = Seen { operation, at, body, response: response.clone() };
            self.seen.insert(key(operation, &party, Some(&id).map_or("", |id| id)), seen);
        }
        let verdict = if is_applied { Verdict::Applied } else { Verdict::Answered };
        Ok((verdict, response))
    }

    /// Returns how far the request or the payment is that an operation asks for: since when it is there.
    /// Every other operation is there since now.
    fn standing(
        &mut self,
        context: &Context<'_>,
        operation: SignedOperation,
        party: &str,
        body: &Value,
    ) -> Option<Time> {
        let text = |name| body.get(name).and_then(Value::as_str);
        if name_ends(operation, "request-status") {
            let seen = self.seen.get(&key(operation, party, text("request_id")?))?;
            return (seen.operation != operation).then_some(seen.at);
        }
        if name_ends(operation, "read-payment") {
            let found = self.payments.find(party, text("id"), text("order_id"));
            return found.map(|(_, payment)| payment.made);
        }
        Some(context.now)
    }
}

fn key(operation: SignedOperation, party: &str, id: &str) -> (&'static str, String, String) {
    let (service, _) = operation.as_str().split_once('.').unwrap_or_default();
    (service, party.to_owned(), id.to_owned())
}

fn name_ends(operation: SignedOperation, name: &str) -> bool {
    operation.as_str().split_once('.').is_some_and(|(_, own)| own == name)
}

/// Checks the method and the content type.
fn check_form(operation: SignedOperation, request: &Request<Vec<u8>>) -> Result<(), Refusal> {
    let method = operation.row().method();
    if *request.method() != method {
        return Err(bad_request(405, format!("only {method} is allowed")));
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if method == Method::POST && !essence.eq_ignore_ascii_case("application/json") {
        return Err(bad_request(415, "the content type must be application/json"));
    }
    Ok(())
}

/// Reads the body and the request's id.
fn read(jws: &Jws, request: &Request<Vec<u8>>) -> Result<(Value, Option<String>), &'static str> {
    let body = match *request.method() == Method::GET {
        true if request.body().is_empty() => json!({}),
        true => return Err("a GET has no body"),
        false => serde_json::from_slice(request.body()).map_err(|_| "the body is not JSON")?,
    };
    if !body.is_object() {
        return Err("the body is not an object");
    }
    let field = |name: &str| match body.get(name) {
        Some(Value::String(text)) if (1..=LONGEST_ID).contains(&text.len()) => Some(text.clone()),
        _ => None,
    };
    let id = match jws.id {
        Id::Nowhere => None,
        Id::Field(name) => Some(field(name).ok_or("the field that names the request is missing")?),
        Id::Uuid(name) => {
            let id = field(name).filter(|id| is_uuid(id));
            Some(id.ok_or("request_id must be a UUID")?)
        }
        Id::Header => {
            let mut headers = request.headers().get_all("x-request-id").iter();
            let id = headers.next().and_then(|id| id.to_str().ok()).filter(|id| is_uuid(id));
            let id = id.filter(|_| headers.next().is_none());
            Some(id.ok_or("X-Request-Id must be a UUID")?.to_owned())
        }
    };
    Ok((body, id))
}

fn is_uuid(text: &str) -> bool {
    let dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    let fits = |(at, byte): (usize, u8)| match dash(at) {
        true => byte == b'-',
        false => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

fn respond(
    context: &Context<'_>,
    operation: SignedOperation,
    jws: &Jws,
    body: &Value,
    request: &Request<Vec<u8>>,
    standing: Option<Time>,
    scripted: Option<Scripted>,
) -> Response<Vec<u8>> {
    let scripted = scripted.unwrap_or_default();
    let (status, latency) = (scripted.status_code(), scripted.latency());
    let mut response = match (scripted.body, standing) {
        (Some(body), _) => reply::with_json(status, context.now, operation.row().reply, &body),
        (None, _) if !status.is_success() => {
            let fault = Fault::bad("refused by a script");
            domain::refusal(context, jws.envelope, &fault, request)
        }
        (None, None) => domain::refusal(context, jws.envelope, &Fault::unknown(), request),
        (None, Some(since)) => {
            let more = scripted.payload.as_ref();
            domain::success(context, operation, jws.envelope, body, request, since, more)
        }
    };
    if status != StatusCode::OK {
        *response.status_mut() = status;
    }
    reply::delay(&mut response, latency);
    response
}
