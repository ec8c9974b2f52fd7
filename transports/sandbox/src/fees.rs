//! `POST /v5/partner/transfer/fees` (draft): checks its request against the printed draft.
//!
//! Its reply is unknown. The sandbox assumes one that invents nothing.

use serde_json::{Map, Number, Value};

use crate::request::{Refusal, bad_request};

/// The path of Fees (draft).
pub const FEES_PATH: &str = "/v5/partner/transfer/fees";

/// The longest `pg_sig`, in characters.
const LONGEST_SIGNATURE: usize = 512;

/// Returns what is wrong with a field's value, if something is.
type Check = fn(&Value) -> Option<&'static str>;

const FIELDS: [(&str, Check); 5] = [
    ("originator_type", originator_type),
    ("target_country", country),
    ("amount_source", amount),
    ("currency_source", currency),
    ("currency_target", currency),
];

/// Returns the payload of the assumed reply: the request without its signature.
///
/// Refuses a request that does not have exactly the draft's fields.
pub(crate) fn check(body: &Map<String, Value>) -> Result<Value, Refusal> {
    for (name, check) in FIELDS {
        let wrong = match body.get(name) {
            Some(value) => check(value),
            None => Some("is missing"),
        };
        if let Some(wrong) = wrong {
            return Err(bad_request(422, format!("{name} {wrong}")));
        }
    }
    if let Some(signature) = body.get("pg_sig") {
        let length = signature.as_str().map(|text| text.chars().count());
        if length.is_none_or(|length| length > LONGEST_SIGNATURE) {
            return Err(bad_request(422, "pg_sig must be a string of at most 512 characters"));
        }
    }
    let known = |name: &str| name == "pg_sig" || FIELDS.iter().any(|(field, _)| *field == name);
    if let Some(extra) = body.keys().find(|name| !known(name)) {
        return Err(bad_request(422, format!("unknown field of {} characters", extra.len())));
    }
    let mut payload = body.clone();
    payload.remove("pg_sig");
    Ok(Value::Object(payload))
}

fn originator_type(value: &Value) -> Option<&'static str> {
    match value.as_str() {
        Some("person" | "business") => None,
        _ => Some("must be person or business"),
    }
}

fn country(value: &Value) -> Option<&'static str> {
    match value.as_str().is_some_and(three_letters) {
        true => None,
        false => Some("must be three capital letters (ISO 3166-1 alpha-3)"),
    }
}

fn currency(value: &Value) -> Option<&'static str> {
    match value.as_str().is_some_and(three_letters) {
        true => None,
        false => Some("must be three capital letters (ISO 4217)"),
    }
}

fn three_letters(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn amount(value: &Value) -> Option<&'static str> {
    match value {
        Value::Number(number) if is_decimal(number) => None,
        Value::Number(_) => Some("must have at most 11 digits before the point and 4 after it"),
        _ => Some("must be a number"),
    }
}

/// Returns whether a number is a decimal of up to 15 digits, 4 of them decimals (assumed). Up to 15
/// digits survive the conversion to a double. If there are more, the text still shows that there
/// are more.
fn is_decimal(number: &Number) -> bool {
    let text = number.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(decimals) && whole.len() <= 11 && decimals.len() <= 4
}
