//! How a refusal is read: leniently, and without the secrets that a server quotes.
//!
//! Owns the limits of what is kept, and the removal of secrets. Does not know what a refusal does to
//! a session or a call.

use std::time::Duration;

use http::StatusCode;
use zeroize::Zeroizing;

use super::lossy::{Lossy, RefusalFields};
use super::{is_object, json, without_mark};
use crate::printable::is_unprintable;
use crate::refusal::Refusal;

/// The longest kept message or code, in bytes.
const MAX_TEXT: usize = 512;
/// The longest kept raw body, in bytes.
const MAX_BODY: usize = 4_096;
/// The replacement for a secret.
const REDACTED: &str = "[redacted]";
/// The fewest digits that a card number has (ISO/IEC 7812-1).
const SHORTEST_CARD_NUMBER: usize = 12;

/// Reads a reply with this status and body as a refusal. Each of `secrets` is replaced in all kept text. If the secrets are
/// not known, no text is kept. `is_proof` says whether a whole body is the service's own refusal.
pub(super) fn refusal(
    status: StatusCode,
    body: &[u8],
    is_within_limit: bool,
    fields: &RefusalFields,
    is_proof: fn(&[u8]) -> bool,
    retry_after: Option<Duration>,
    secrets: Option<&[&str]>,
) -> Refusal {
    let lossy = Lossy::read(body, fields);
    let whole = without_mark(body);
    let tidied = |text: Option<Zeroizing<String>>| {
        text.zip(secrets).map(|(text, secrets)| tidy(text, secrets))
    };
    Refusal {
        status,
        code: tidied(lossy.code),
        message: tidied(lossy.message),
        retry_after,
        is_json: lossy.is_object,
        says_no: lossy.says_no,
        is_error: lossy.is_error,
        is_whole: is_within_limit && is_object(whole),
        is_proven: is_within_limit && is_proof(whole),
        body: body.iter().take(MAX_BODY).copied().collect::<Vec<_>>().into(),
    }
}

/// Replaces secrets, both as they are and as JSON writes them, then card numbers. The order
/// matters: digits of a secret may look like a card number, and the rest of the secret would stay.
/// Then it removes control characters, and cuts.
fn tidy(mut text: Zeroizing<String>, secrets: &[&str]) -> String {
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let quoted = json(secret, secret.len().saturating_add(2)).unwrap_or_default();
        let quoted = std::str::from_utf8(&quoted).unwrap_or_default();
        let escaped = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
        for form in [escaped, secret].into_iter().filter(|form| !form.is_empty()) {
            if text.contains(form) {
                text = without(&text, form);
            }
        }
    }
    let mut tidied = String::new();
    for character in without_card_numbers(&text).chars() {
        if tidied.len().saturating_add(character.len_utf8()) > MAX_TEXT {
            break;
        }
        tidied.push(if is_unprintable(character) { ' ' } else { character });
    }
    tidied
}

/// The text without any occurrence of a secret, in memory that need not grow.
fn without(text: &str, secret: &str) -> Zeroizing<String> {
    let capacity = text.len().saturating_mul(REDACTED.len());
    let mut kept = Zeroizing::new(String::with_capacity(capacity));
    for (number, part) in text.split(secret).enumerate() {
        kept.push_str(if number == 0 { "" } else { REDACTED });
        kept.push_str(part);
    }
    kept
}

/// Replaces everything that could be a card number, or contain one: 12 digits or more, perhaps in
/// groups. A service may quote what it was sent.
fn without_card_numbers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = digits(rest).unwrap_or(character.len_utf8());
        let (run, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let count = run.bytes().filter(u8::is_ascii_digit).count();
        kept.push_str(if count < SHORTEST_CARD_NUMBER { run } else { REDACTED });
        rest = after;
    }
    kept
}

/// How many bytes of digits a text begins with. Up to two spaces or hyphens may separate groups.
fn digits(text: &str) -> Option<usize> {
    let (mut end, mut parting) = (None, 0_usize);
    for (place, character) in text.char_indices() {
        match character {
            '0'..='9' => (end, parting) = (place.checked_add(1), 0),
            ' ' | '-' | '\u{a0}' | '\u{202f}' if end.is_some() && parting < 2 => {
                parting = parting.saturating_add(1);
            }
            _ => break,
        }
    }
    end
}
