//! The messages: their fields, their signature, and how they are carried.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Uri};
use sha2::{Digest, Sha256};

use super::amount::Amount;
use super::payment::{BackMethod, NewPayout, Payment, PaymentState, RequestMethod};
use crate::pg_sig::{self, Fields, SALT, SIG};
use crate::time::Time;
use crate::{urlencoded, xml};

/// A field of a message.
fn field(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// The fields of a check. Its page prints no list: those that a shop needs are assumed.
pub(super) fn check(payment: &Payment) -> Fields {
    let asked = &payment.asked;
    let mut fields = vec![
        field("pg_order_id", &asked.order_id),
        field("pg_payment_id", payment.payment_id.to_string()),
        field("pg_amount", printed(&asked.amount)),
        field("pg_currency", &asked.currency),
    ];
    fields.extend(asked.own.iter().map(|(name, value)| field(name, value)));
    fields
}

/// The fields of a result (published).
pub(super) fn result(payment: &Payment, result: u8, now: Time) -> Fields {
    let asked = &payment.asked;
    let net = Amount::new(&asked.amount).map_or(String::new(), |amount| amount.net().to_string());
    let amount = printed(&asked.amount);
    let mut fields = vec![
        field("pg_order_id", &asked.order_id),
        field("pg_payment_id", payment.payment_id.to_string()),
        field("pg_amount", &amount),
        field("pg_currency", &asked.currency),
        field("pg_net_amount", net),
        field("pg_ps_amount", &amount),
        field("pg_ps_full_amount", &amount),
        field("pg_ps_currency", &asked.currency),
        field("pg_description", &asked.description),
        field("pg_result", result.to_string()),
        field("pg_payment_date", now.to_zoneless()),
        field("pg_can_reject", if asked.can_reject { "1" } else { "0" }),
        field("pg_testing_mode", "1"),
        field("pg_captured", "1"),
        field("pg_card_pan", "5483-18XX-XXXX-0293"),
        field("pg_card_exp", "12/30"),
        field("pg_card_owner", "JOHN DOE"),
        field("pg_card_brand", "VI"),
        field("pg_payment_method", "bankcard"),
    ];
    fields.retain(|(name, value)| !value.is_empty() || name != "pg_description");
    fields.extend(asked.own.iter().map(|(name, value)| field(name, value)));
    fields
}

/// The fields of a payout's notification (published).
pub(super) fn payout(payout: &NewPayout, payment_id: u64, now: Time) -> Fields {
    let amount = printed(&payout.amount);
    vec![
        field("pg_payment_id", payment_id.to_string()),
        field("pg_order_id", &payout.order_id),
        field("pg_card_hash", "5483-18XX-XXXX-0293"),
        field("pg_status", if payout.is_ok { "ok" } else { "error" }),
        field("pg_balance", "1000000"),
        field("pg_payment_amount", &amount),
        field("pg_to_pay", &amount),
        field("pg_merchant_id", &payout.merchant_id),
        field("pg_payment_date", now.to_zoneless()),
    ]
}

/// The fields that the payer's browser brings back (published).
pub(super) fn back(payment: &Payment) -> Fields {
    let asked = &payment.asked;
    let mut fields = vec![
        field("pg_order_id", &asked.order_id),
        field("pg_payment_id", payment.payment_id.to_string()),
    ];
    if payment.state != PaymentState::Paid {
        // Which codes exist is not published: this one is the sandbox's own.
        fields.push(field("pg_error_code", "1"));
        fields.push(field("pg_error_description", "The payment was not made"));
    }
    fields.extend(asked.own.iter().map(|(name, value)| field(name, value)));
    fields
}

/// Where the payer's browser goes, how, and with which fields.
pub(super) fn way_back(payment: &Payment) -> Option<(&str, BackMethod)> {
    let asked = &payment.asked;
    let (url, method) = match payment.state {
        PaymentState::Paid => (&asked.success_url, asked.success_url_method),
        PaymentState::Failed | PaymentState::Refused | PaymentState::Rejected => {
            (&asked.failure_url, asked.failure_url_method)
        }
        PaymentState::New | PaymentState::Checking => return None,
    };
    Some((url.as_deref()?, method))
}

/// Adds the salt and the signature, by the script of the receiver's URL.
pub(super) fn sign(fields: &mut Fields, url: &str, salt: String, key: &str) {
    fields.push((SALT.to_owned(), salt));
    pg_sig::sign(pg_sig::script(url), fields, key);
}

/// Makes a salt of 16 characters. It can be guessed: the sandbox protects nothing.
pub(super) fn salt(number: u64) -> String {
    let hash = Sha256::digest(format!("salt {number}"));
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the fields of a URL's query. They come back as fields of the message (seen by an
/// integrator).
pub(super) fn of_query(url: &str) -> Fields {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    urlencoded::read(query).unwrap_or_default()
}

/// Carries a message to a URL that was checked.
pub(super) fn carried(method: RequestMethod, url: &str, fields: &Fields) -> Request<Vec<u8>> {
    let mut request = Request::new(Vec::new());
    let (verb, url, form) = match method {
        RequestMethod::Get => {
            let bare = url.split('?').next().unwrap_or_default();
            (Method::GET, urlencoded::appended(bare, fields), None)
        }
        RequestMethod::Post => (Method::POST, url.to_owned(), Some(urlencoded::write(fields))),
        RequestMethod::Xml => {
            let form = [field("pg_xml", xml::write("request", fields))];
            (Method::POST, url.to_owned(), Some(urlencoded::write(&form)))
        }
    };
    *request.method_mut() = verb;
    *request.uri_mut() = url.parse().unwrap_or_else(|_| Uri::from_static("/"));
    if let Some(form) = form {
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        *request.body_mut() = form.into_bytes();
    }
    request
}

/// Returns the amount as the service prints it.
fn printed(amount: &str) -> String {
    Amount::new(amount).map_or_else(|| amount.to_owned(), |amount| amount.to_string())
}

/// What a receiver answered.
pub(super) struct Answered {
    pub(super) status: String,
    pub(super) description: Option<String>,
    pub(super) is_signed: bool,
}

/// Reads an answer: the XML that the page prints. Its root is known from older code.
pub(super) fn answered(body: &[u8], script: &str, key: &str) -> Option<Answered> {
    let document = xml::Element::read(body).filter(|document| document.name == "response")?;
    let fields = document.flat()?;
    let status = urlencoded::one(&fields, "pg_status")?.to_owned();
    ["ok", "rejected", "error"].contains(&status.as_str()).then_some(())?;
    let words = ["pg_description", "pg_error_description"];
    let words = words.into_iter().find_map(|name| urlencoded::one(&fields, name));
    let has_salt = urlencoded::one(&fields, SALT).is_some_and(|salt| !salt.is_empty());
    let has_signature = urlencoded::one(&fields, SIG).is_some();
    let is_signed = has_salt && has_signature && pg_sig::is_signed(script, &fields, key);
    Some(Answered { status, description: words.map(str::to_owned), is_signed })
}
