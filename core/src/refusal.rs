//! A refusal, read leniently, because the service's error envelope is unknown.
//!
//! Owns what is kept of status, code, message and body, their limits, and the removal of secrets
//! that a server quotes. Does not know what a refusal does to a session.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use zeroize::Zeroizing;

use crate::printable::is_unprintable;
use crate::recovery::Recovery;
use crate::wire::{Lossy, is_object, json, says_state_false, without_mark};

/// The longest kept message or code, in bytes.
const MAX_TEXT: usize = 512;
/// The longest kept raw body, in bytes.
const MAX_BODY: usize = 4_096;
/// The replacement for a secret.
const BLOT: &str = "[redacted]";
/// The fewest digits that a card number has (ISO/IEC 7812-1).
const SHORTEST_CARD_NUMBER: usize = 12;

/// What the service said when it refused.
///
/// The service's own error envelope is unknown. Code and message are therefore looked for in the
/// shapes that the vendor's other APIs use. If no shape fits, both are `None`, and the raw body is
/// available.
#[derive(Clone)]
pub struct Refusal {
    status: StatusCode,
    code: Option<String>,
    message: Option<String>,
    retry_after: Option<Duration>,
    is_json: bool,
    says_state_false: bool,
    is_error: bool,
    is_whole: bool,
    is_proven: bool,
    body: Zeroizing<Vec<u8>>,
}

impl Refusal {
    /// Reads a refusal leniently. `is_within` says whether the body is within its limit. Each of
    /// `secrets` is replaced in all kept text. If the secrets are not known, no text is kept.
    pub(crate) fn read(
        status: StatusCode,
        body: &[u8],
        is_within: bool,
        retry_after: Option<Duration>,
        secrets: Option<&[&str]>,
    ) -> Self {
        let lossy = Lossy::read(body);
        let whole = without_mark(body);
        let tidied = |text: Option<Zeroizing<String>>| {
            text.zip(secrets).map(|(text, secrets)| tidy(text, secrets))
        };
        Self {
            status,
            code: tidied(lossy.code),
            message: tidied(lossy.message),
            retry_after,
            is_json: lossy.is_object,
            says_state_false: lossy.says_no,
            is_error: lossy.is_error,
            is_whole: is_within && is_object(whole),
            is_proven: is_within && says_state_false(whole),
            body: body.iter().take(MAX_BODY).copied().collect::<Vec<_>>().into(),
        }
    }

    /// Returns the reply's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the service's error code, a number or text, at most 512 bytes. It is cleaned in the
    /// same way as the [message](Refusal::message).
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns the service's message, at most 512 bytes, without control characters. This client's
    /// secrets that it quoted are replaced. It is also `None` if the secrets that it may quote are
    /// not known. That is so for a refusal that came late, and for a call that is sent without a
    /// token.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns how long the service asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the first 4,096 bytes of the body, unchanged. A server may have quoted a secret in
    /// them.
    #[must_use]
    pub fn expose_body(&self) -> &[u8] {
        &self.body
    }

    /// Returns what to do about it. 408, 425, 429 and 5xx may be temporary; 404 and 405 mean a
    /// wrong URL or path; the rest need other credentials.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self.status.as_u16() {
            408 | 425 | 429 | 500.. => Recovery::Retry { after: self.retry_after },
            404 | 405 => Recovery::Fix,
            _ => Recovery::SignIn,
        }
    }

    /// Whether the body is a JSON object, in any form that the lenient reading accepts. It then
    /// comes from the service and not from an intermediary.
    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }

    /// Whether the body says `state: false`, in any form that the lenient reading accepts.
    pub(crate) fn says_state_false(&self) -> bool {
        self.says_state_false
    }

    /// Whether the body has the error shape of one of the vendor's other APIs and no `state`, in
    /// any form that the lenient reading accepts.
    pub(crate) fn is_error(&self) -> bool {
        self.is_error
    }

    /// Whether the body is one whole JSON object in UTF-8. Its code then decides the outcome of a
    /// call.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether such an object says `state: false`, which proves that a call was refused.
    pub(crate) fn is_proven(&self) -> bool {
        self.is_proven
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service refused (status {}", self.status.as_u16())?;
        if let Some(code) = &self.code {
            write!(f, ", code {code}")?;
        }
        f.write_str(")")?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("status", &self.status)
            .field("code", &self.code)
            .field("message", &self.message)
            .field("retry_after", &self.retry_after)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
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
    let room = text.len().saturating_mul(BLOT.len());
    let mut kept = Zeroizing::new(String::with_capacity(room));
    for (number, part) in text.split(secret).enumerate() {
        kept.push_str(if number == 0 { "" } else { BLOT });
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
        kept.push_str(if count < SHORTEST_CARD_NUMBER { run } else { BLOT });
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
