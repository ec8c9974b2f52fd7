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

/// Exactly one `state`, and it is `false`; what else there is does not matter.
pub(crate) fn says_no(document: Value<'_>) -> bool {
    state(document) == Some(Kind::False)
}

/// Exactly one `state`, and it is `true`, and no two payloads.
pub(crate) fn says_yes(document: Value<'_>) -> bool {
    state(document) == Some(Kind::True) && named(document, "payload").is_some_and(|it| it.len() < 2)
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
