//! What may stand in a text that is logged or shown.

use imts_core::operation::Auth;

use super::caller::Caller;
use super::replies::SECRETS;

/// The longest text.
const LONGEST: usize = 4_096;

/// An error's text is fit to be shown.
pub(super) fn is_plain(caller: &Caller, text: &str) {
    assert!(!text.contains(char::is_control), "a text that moves the cursor: {text:?}");
    is_silent(caller, text);
}

/// A text is short, and holds no token and, of an exchange that carries one, no secret.
pub(super) fn is_silent(caller: &Caller, text: &str) {
    assert!(text.len() < LONGEST, "a text of boundless length: {text}");
    let has_token = caller.bearers.iter().any(|bearer| text.contains(bearer.expose_token()));
    assert!(!has_token, "a token: {text}");
    let secrets = if caller.rules.auth == Auth::None { SECRETS.as_slice() } else { &[] };
    assert!(!secrets.iter().any(|secret| text.contains(secret)), "a secret: {text}");
}
