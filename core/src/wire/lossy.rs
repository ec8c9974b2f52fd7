//! Refusals in an unusual form: another encoding, bytes around them, a wrong content type, a cut
//! end.
//!
//! Owns the lenient reading, for sign-ins, refreshes and the text that is shown. Never proves that
//! a call was refused: the strict reading in [`decode`](super::decode) does. It wipes what it
//! copies, because a refusal may quote secrets.

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::Text;
use super::members::Members;

/// What a body says if it is read leniently.
#[derive(Default)]
pub(crate) struct Lossy {
    /// Whether it is an object, or the beginning of one.
    pub(crate) is_object: bool,
    /// Whether there is a `state`, and each one is the literal `false`.
    pub(crate) says_no: bool,
    /// Whether it has the error shape of one of the vendor's other APIs, and no `state`.
    pub(crate) is_error: bool,
    pub(crate) code: Option<Zeroizing<String>>,
    pub(crate) message: Option<Zeroizing<String>>,
}

/// The total length of messages, in bytes, after which no more are added.
const ENOUGH: usize = 2_048;
/// How deep messages may be nested in lists and objects.
const DEPTH: u8 = 4;
const CODES: [&str; 2] = ["error_code", "code"];
const MESSAGES: [&str; 5] =
    ["error_description", "message", "error_message", "description", "detail"];

impl Lossy {
    pub(crate) fn read(body: &[u8]) -> Self {
        let text = text(body);
        let Some(top) = Members::of(&text) else { return Self::default() };
        let says_no = top.are("state", |value| value.get() == "false");
        let payload = top.inner("payload");
        let nested = payload.as_ref().and_then(|payload| payload.inner("error"));
        let places = [top.inner("error"), payload, nested, top.inner("errors")];
        let places = || std::iter::once(&top).chain(places.iter().flatten());
        let find = |names: &'static [&str]| {
            places().flat_map(move |place| names.iter().flat_map(|name| place.named(name)))
        };
        let message = find(&MESSAGES).chain(find(&["error", "errors"])).chain(top.named("payload"));
        Self {
            is_object: true,
            says_no,
            is_error: !top.has("state") && is_error(&top),
            code: find(&CODES).find_map(code),
            message: message.map(words).find(|text| !text.is_empty()),
        }
    }
}

/// The error shapes that are printed for the vendor's other APIs: `{"status":"error",…}`, and
/// `{"error":{"message":…,"code":…}}`.
fn is_error(top: &Members<'_>) -> bool {
    let says_error = |value: &RawValue| string(value.get()).is_some_and(|text| *text == "error");
    let error = top.named("error").next().map(RawValue::get);
    let error = error.filter(|error| error.starts_with('{')).and_then(Members::of);
    let is_described = |error: Members<'_>| error.has("message") || error.has("code");
    top.are("status", says_error) || error.is_some_and(is_described)
}

/// The body as text: UTF-8 or UTF-16, with or without byte order marks. If its bytes beyond ASCII
/// are not UTF-8 anywhere, it is read as windows-1251. What cannot be read becomes U+FFFD. Control
/// characters, which JSON does not allow, become spaces.
fn text(body: &[u8]) -> Zeroizing<String> {
    // Capacity for the longest result of each byte: memory that is outgrown would not be wiped.
    let mut text = Zeroizing::new(String::with_capacity(body.len().saturating_mul(3)));
    let mut push = |character: char| match character {
        '\0' | '\u{feff}' => {}
        _ => text.push(if character.is_control() { ' ' } else { character }),
    };
    match body {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes).for_each(push),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes).for_each(push),
        [b'{', 0, ..] => utf_16(body, u16::from_le_bytes).for_each(push),
        [0, b'{', ..] => utf_16(body, u16::from_be_bytes).for_each(push),
        _ => {
            let body = super::without_mark(body);
            let is_single_byte = body.utf8_chunks().all(|chunk| chunk.valid().is_ascii());
            for chunk in body.utf8_chunks() {
                chunk.valid().chars().for_each(&mut push);
                if is_single_byte {
                    chunk.invalid().iter().copied().map(windows_1251).for_each(&mut push);
                } else if !chunk.invalid().is_empty() {
                    push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
    }
    text
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> impl Iterator<Item = char> {
    let pairs = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok());
    char::decode_utf16(pairs.map(unit)).map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// The Russian letters. Of the other characters of the code page only the presence matters.
fn windows_1251(byte: u8) -> char {
    match byte {
        0xa8 => 'Ё',
        0xb8 => 'ё',
        0xc0.. => char::from_u32(0x350_u32.saturating_add(byte.into())).unwrap_or_default(),
        0x80.. => char::REPLACEMENT_CHARACTER,
        _ => byte.into(),
    }
}

/// A code is a number, as it is written, or a text.
fn code(value: &RawValue) -> Option<Zeroizing<String>> {
    match value.get().as_bytes() {
        [b'"', ..] => string(value.get()).filter(|text| !text.is_empty()),
        [b'-' | b'0'..=b'9', ..] => Some(Zeroizing::new(value.get().to_owned())),
        _ => None,
    }
}

fn string(json: &str) -> Option<Zeroizing<String>> {
    let text: Text<'_> = serde_json::from_str(json).ok()?;
    Some(Zeroizing::new((*text).to_owned()))
}

/// A message: a text, or all the texts in a list or an object.
fn words(value: &RawValue) -> Zeroizing<String> {
    let mut all = Zeroizing::new(String::with_capacity(value.get().len().saturating_mul(2)));
    add_words(value.get(), DEPTH, &mut all);
    all
}

fn add_words(json: &str, depth: u8, all: &mut String) {
    let Some(deeper) = depth.checked_sub(1) else { return };
    if all.len() > ENOUGH {
        return;
    }
    match json.as_bytes() {
        [b'"', ..] => {
            let text = string(json).unwrap_or_default();
            if !all.is_empty() && !text.is_empty() {
                all.push_str("; ");
            }
            all.push_str(&text);
        }
        [b'[', ..] => {
            let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            items.iter().for_each(|item| add_words(item.get(), deeper, all));
        }
        [b'{', ..] => {
            let Some(members) = Members::of(json) else { return };
            let mut said = MESSAGES.iter().flat_map(|name| members.named(name)).peekable();
            if said.peek().is_some() {
                return said.for_each(|value| add_words(value.get(), deeper, all));
            }
            let others = members.all().filter(|(name, _)| !CODES.contains(name));
            others.for_each(|(_, value)| add_words(value.get(), deeper, all));
        }
        _ => {}
    }
}
