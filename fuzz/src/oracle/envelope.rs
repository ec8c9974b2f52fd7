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

/// Whether a `state` that says no may stand anywhere in a body, in whatever encoding: without that it
/// is no refusal, however leniently it is read.
pub(crate) fn may_say_no(body: &[u8]) -> bool {
    // A name may be escaped.
    let plain: Vec<u8> = body.iter().copied().filter(u8::is_ascii_graphic).collect();
    let has = |part: &[u8]| plain.windows(part.len()).any(|it| it.eq_ignore_ascii_case(part));
    let says = [&b":false"[..], b":0", b":\"false\"", b":\"\\u"].into_iter().any(has);
    says && (has(b"\"state\"") || has(b"\\u"))
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

/// The members of this name; `None` where it is no object, or a name is unreadable.
fn named<'a>(document: Value<'a>, wanted: &str) -> Option<Vec<Value<'a>>> {
    let members = document.members()?;
    let readable = members.iter().all(|(name, _)| name.is_some());
    let all = members.into_iter().filter(|(name, _)| name.as_deref() == Some(wanted));
    readable.then(|| all.map(|(_, value)| value).collect())
}
