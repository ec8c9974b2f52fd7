//! What Freedom ID reads in a request: Basic, bearer, a JSON object.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request};
use serde_json::{Map, Value};

use super::error::{Invalid, Refused};
use super::settings::FreedomIdSettings;
use crate::log::Verdict;

/// Returns the client of `Authorization: Basic …`.
pub(super) fn client<'a>(
    headers: &HeaderMap,
    settings: &'a FreedomIdSettings,
) -> Result<&'a str, Refused> {
    let wrong = || Refused::unauthorized(Verdict::WrongCredentials, "Wrong client credentials.");
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(wrong()) };
    let encoded = value.to_str().ok().and_then(|value| value.strip_prefix("Basic "));
    let decoded = encoded.and_then(|encoded| STANDARD.decode(encoded).ok()).ok_or_else(wrong)?;
    let decoded = String::from_utf8(decoded).map_err(|_| wrong())?;
    let (id, secret) = decoded.split_once(':').ok_or_else(wrong)?;
    let (id, client) = settings.clients.get_key_value(id).ok_or_else(wrong)?;
    if client.secret == secret { Ok(id) } else { Err(wrong()) }
}

/// Reads the body as a JSON object with these fields and no other.
pub(super) fn object(
    request: &Request<Vec<u8>>,
    known: &[&str],
) -> Result<Map<String, Value>, Refused> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !request.body().is_empty() && !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refused::form("The content type must be application/json."));
    }
    // A body that got lost on the way shows as fields that are missing.
    let body = if request.body().is_empty() { b"{}" } else { request.body().as_slice() };
    let Ok(Value::Object(object)) = serde_json::from_slice(body) else {
        return Err(Refused::form("The body is not a JSON object."));
    };
    let mut invalid = Invalid::default();
    object.keys().filter(|key| !known.contains(&key.as_str())).for_each(|key| invalid.unknown(key));
    invalid.check()?;
    Ok(object)
}

/// Returns a field that must be a string, not empty. Notes what is wrong.
pub(super) fn text<'a>(
    object: &'a Map<String, Value>,
    name: &str,
    invalid: &mut Invalid,
) -> &'a str {
    match object.get(name) {
        None | Some(Value::Null) => invalid.required(name),
        Some(Value::String(text)) if text.is_empty() => invalid.required(name),
        Some(Value::String(text)) => return text,
        Some(_) => invalid.format(name),
    }
    ""
}

/// Returns whether a text has the form of a uuid.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
