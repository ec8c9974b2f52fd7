//! What the published envelope says of a reply, as far as every operation shares it.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::json::{Kind, Value};

/// Whether the content type is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = value.split_once(';').map_or(value, |(essence, _)| essence);
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json" || (essence.contains('/') && essence.ends_with("+json"))
}

/// The body without the one byte order mark that JSON may have before it.
pub(crate) fn unmarked(body: &[u8]) -> &[u8] {
    if body.starts_with(&[0xef, 0xbb, 0xbf]) { &body[3..] } else { body }
}

/// Exactly one `state`, and it is `false`; what else there is does not matter.
pub(crate) fn says_no(document: Value<'_>) -> bool {
    state(document) == Some(Kind::False)
}

/// The text of the payload of exactly one `state` that is `true`: at most one, and none is a null.
pub(crate) fn payload<'a>(document: Value<'a>) -> Option<&'a str> {
    match (state(document)?, &named(document, "payload")?[..]) {
        (Kind::True, [payload]) => Some(payload.text()),
        (Kind::True, []) => Some("null"),
        _ => None,
    }
}

/// What the one `state` is.
fn state(document: Value<'_>) -> Option<Kind> {
    match named(document, "state")?[..] {
        [state] => Some(state.kind),
        _ => None,
    }
}

/// The members of this name; `None` if it is not an object, or a name is unreadable.
fn named<'a>(document: Value<'a>, wanted: &str) -> Option<Vec<Value<'a>>> {
    let members = document.members()?;
    let readable = members.iter().all(|(name, _)| name.is_some());
    let all = members.into_iter().filter(|(name, _)| name.as_deref() == Some(wanted));
    readable.then(|| all.map(|(_, value)| value).collect())
}
