//! The replies of the JSON operations: their envelopes and their fields.
//!
//! What a page prints has its printed form. Where no page prints a reply, it has the family's envelope
//! and repeats the ids of the request, labelled assumed.

use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::row::Envelope;
use super::{Context, SignedOperation};
use crate::evidence::Evidence;
use crate::reply;
use crate::settings::Settings;
use crate::time::Time;

/// Why a request is refused: the code and the text of the reply.
pub(super) struct Fault {
    code: u32,
    text: &'static str,
}

impl Fault {
    /// No known party has signed the request. The code is the sandbox's own.
    pub(super) const fn unsigned(text: &'static str) -> Self {
        Self { code: 401_001, text }
    }

    /// The request has a bad input: 1001 (published for E-Money).
    pub(super) const fn bad(text: &'static str) -> Self {
        Self { code: 1_001, text }
    }

    /// There is no such request: 1006 (published for E-Money).
    pub(super) const fn unknown() -> Self {
        Self { code: 1_006, text: "there is no such request or payment" }
    }

    /// The id came before: 1002 (published for E-Money), or the settings' code.
    pub(super) const fn repeated(settings: &Settings, envelope: Envelope) -> Self {
        let code = match envelope {
            Envelope::EMoney => 1_002,
            _ => settings.signed.repeated_code,
        };
        Self { code, text: "the request's id is not unique" }
    }
}

/// The fields of a request that a reply repeats. None of them is personal or secret.
const REPEATED: [&str; 6] =
    ["request_id", "card_id", "identifier", "order_id", "transaction_id", "product_id"];

/// Returns the order of a request.
pub(super) fn order(body: &Value) -> Option<&str> {
    body.get("order_id").and_then(Value::as_str).filter(|order| (1..=256).contains(&order.len()))
}

/// Checks the fields that a page says are required.
pub(super) fn check(
    operation: SignedOperation,
    envelope: Envelope,
    body: &Value,
    request: &Request<Vec<u8>>,
) -> Result<(), &'static str> {
    if envelope == Envelope::Headers && !request.headers().contains_key("x-action") {
        return Err("X-Action is missing");
    }
    let required: &[&str] = match operation.as_str() {
        "card-api.create-client" => &["product_id", "client"],
        "card-api.unblock-card" | "card-api.close-card" => &["card_id", "description"],
        "card-api.card-info" => &["card_id"],
        "card-api.statement-extended" => &["card_id", "start_date", "end_date"],
        "card-api.refund-transaction" => &["order_id", "transaction_id"],
        "rates.add" => &["currency_from", "currency_to", "rate"],
        "products.add-client" => &["company"],
        "e-money.add" => &["country", "currency"],
        "e-money.block" => &["identifier", "description"],
        "e-money.statement" => &["identifier"],
        "merchant-invoice.init" => {
            &["merchant_id", "amount", "description", "invoice_method", "currency"]
        }
        "partner-invoice.invoice" => &["id"],
        "gateway-async.create-payment" => &["amount", "currency", "order_id", "from"],
        _ => &[],
    };
    let is_there = |name: &&str| body.get(*name).is_some_and(|value| !value.is_null());
    if required.iter().all(is_there) { Ok(()) } else { Err("a required field is missing") }
}

pub(super) fn success(
    context: &Context<'_>,
    operation: SignedOperation,
    envelope: Envelope,
    body: &Value,
    request: &Request<Vec<u8>>,
    since: Time,
    more: Option<&Value>,
) -> Response<Vec<u8>> {
    let now = context.now;
    let is_done = now >= since.after(context.settings.signed.processing)
        || (since == now && operation.class() == crate::Class::Read);
    let status = if is_done { "success" } else { "process" };
    let (dt, evidence) = (now.to_seconds_offset(), operation.row().reply);
    let mut fields = match envelope {
        Envelope::Flat => json!({ "status": "ok", "request_status": status }),
        Envelope::EMoney => {
            json!({ "status": "ok", "request_status": if is_done { "0" } else { "1" } })
        }
        Envelope::Plain => json!({ "status": "ok" }),
        Envelope::Invoice => json!({ "status": "ok", "invoice_status": status }),
        Envelope::Gift => json!({
            "datetime": now.to_zoneless(), "status": 0, "card_status": 1, "card_currency": "USD",
            "card_balance": 100, "card_mask": "1234********5678",
        }),
        Envelope::Settlement => json!({
            "status": "success", "error_code": 0, "error_description": "",
            "document_type": "iso20022", "document_body": document(request.uri().path()),
        }),
        Envelope::Headers => json!({}),
    };
    let is_bare = matches!(envelope, Envelope::Gift | Envelope::Settlement | Envelope::Headers);
    if let Some(fields) = fields.as_object_mut() {
        if !is_bare {
            let repeated = REPEATED
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), body.get(*name)?.clone())));
            fields.extend(repeated);
            fields.extend(own(operation));
            fields.insert("dt".to_owned(), dt.into());
        }
        fields.extend(more.and_then(Value::as_object).cloned().unwrap_or_default());
    }
    let mut response = reply::with_json(StatusCode::OK, now, evidence, &fields);
    if envelope == Envelope::Headers {
        name(&mut response, request, now, status);
    }
    response
}

/// Returns an operation's own fields.
fn own(operation: SignedOperation) -> Map<String, Value> {
    let fields = match operation.as_str() {
        "card-api.create-client" => json!({ "client_id": 1001 }),
        "card-api.request-status" => json!({ "cards": [], "client_id": 1001 }),
        "card-api.statement-extended" => json!({
            "client_id": 1001,
            "card": {
                "card_id": 7, "card_mask": "400303******0001", "balances": [],
                "accounts": [{
                    "iban": "KZ000000000000000000", "currency": "KZT", "debit": 0, "credit": 0,
                    "amount": 0, "blocked_amount": 0,
                }],
                "authorizations": [], "operations": [],
            },
        }),
        "e-money.statement" => json!({ "operations": [] }),
        "merchant-invoice.init" => {
            json!({ "error_code": 0, "invoice_id": "1", "invoice_methods": { "qr": "c2FuZGJveA==" } })
        }
        _ => json!({}),
    };
    fields.as_object().cloned().unwrap_or_default()
}

/// Returns a payment's status as a document of ISO 20022.
fn document(path: &str) -> String {
    let mut parts = path.rsplit('/').skip(1);
    let id = parts.next().unwrap_or_default();
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.14\"><CstmrPmtStsRpt>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{id}</OrgnlMsgId><GrpSts>ACCP</GrpSts></OrgnlGrpInfAndSts>\
         </CstmrPmtStsRpt></Document>"
    )
}

/// Returns a refusal in the envelope of the operation's service.
pub(super) fn refusal(
    context: &Context<'_>,
    envelope: Envelope,
    fault: &Fault,
    request: &Request<Vec<u8>>,
) -> Response<Vec<u8>> {
    let (now, Fault { code, text }) = (context.now, fault);
    let dt = now.to_seconds_offset();
    let body = match envelope {
        Envelope::EMoney => json!({
            "status": "error", "request_status": "2", "error_code": code.to_string(),
            "error_description": text, "dt": dt,
        }),
        // -8: the one-time code is wrong (published). It is the page's nearest to a bad request.
        Envelope::Gift => json!({ "datetime": now.to_zoneless(), "status": -8 }),
        Envelope::Settlement => {
            json!({ "status": "error", "error_code": code, "error_description": text })
        }
        Envelope::Flat => json!({
            "status": "error", "request_status": "error", "error_code": code,
            "error_description": text, "dt": dt,
        }),
        Envelope::Plain | Envelope::Headers | Envelope::Invoice => json!({
            "status": "error", "error_code": code, "error_description": text, "dt": dt,
        }),
    };
    let mut response = reply::with_json(context.refusal_status(), now, Evidence::Assumed, &body);
    if envelope == Envelope::Headers {
        name(&mut response, request, now, "error");
    }
    response
}

/// Adds the headers in which Async gives its result.
fn name(
    response: &mut Response<Vec<u8>>,
    request: &Request<Vec<u8>>,
    now: Time,
    status: &'static str,
) {
    let headers = response.headers_mut();
    if let Some(id) = request.headers().get("x-request-id") {
        headers.insert("x-request-id", id.clone());
    }
    if let Ok(date) = HeaderValue::try_from(now.to_seconds_offset()) {
        headers.insert("x-datetime", date);
    }
    headers.insert("x-request-status", HeaderValue::from_static(status));
}
