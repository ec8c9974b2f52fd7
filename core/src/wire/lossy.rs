//! Refusals in an unusual form: another encoding, bytes around them, a wrong content type, a cut
//! end.
//!
//! Owns the lenient reading, for sign-ins, refreshes and the text that is shown. Never proves that
//! a call was refused: the strict reading in [`decode`](super::decode) does. It wipes what it
//! copies, because a refusal may quote secrets. Names no field: the service's [`RefusalFields`] do.

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::Text;
use super::members::Members;

/// The names of the fields that a service uses when it refuses. All of them are looked for in any
/// reply that is not a success.
#[derive(Clone, Copy, Debug)]
pub struct RefusalFields {
    /// The field that is the literal `false` in a refusal, and `true` in a success. `None` if the
    /// service has no such field.
    pub succeeded: Option<&'static str>,
    /// The fields that hold an error code, best first.
    pub codes: &'static [&'static str],
    /// The fields that hold a message, best first.
    pub messages: &'static [&'static str],
    /// The fields whose texts are the message if there is no message.
    pub texts: &'static [&'static str],
    /// The field of the reply whose texts are the message if there is nothing else.
    pub content: Option<&'static str>,
    /// The objects that may hold code and message, beside the reply itself: each is a path of
    /// fields.
    pub objects: &'static [&'static [&'static str]],
    /// What makes a reply an error, if it does not have the field `succeeded`.
    pub errors: &'static [ErrorForm],
}

/// A part of a reply that makes it an error.
#[derive(Clone, Copy, Debug)]
pub enum ErrorForm {
    /// A field with this text.
    Says {
        /// The field's name.
        field: &'static str,
        /// The text.
        text: &'static str,
    },
    /// An object with one of these fields.
    Describes {
        /// The object's name.
        field: &'static str,
        /// The names of its fields.
        with: &'static [&'static str],
    },
}

/// What a body says if it is read leniently.
#[derive(Default)]
pub(crate) struct Lossy {
    /// Whether it is an object, or the beginning of one.
    pub(crate) is_object: bool,
    /// Whether there is a field that says whether it succeeded, and each one is the literal
    /// `false`.
    pub(crate) says_no: bool,
    /// Whether it has the form of an error, and no field that says whether it succeeded.
    pub(crate) is_error: bool,
    pub(crate) code: Option<Zeroizing<String>>,
    pub(crate) message: Option<Zeroizing<String>>,
}

/// The total length of messages, in bytes, after which no more are added.
const ENOUGH: usize = 2_048;
/// How deep messages may be nested in lists and objects.
const DEPTH: u8 = 4;

impl Lossy {
    pub(crate) fn read(body: &[u8], fields: &RefusalFields) -> Self {
        let text = text(body);
        let Some(top) = Members::of(&text) else { return Self::default() };
        let has_flag = fields.succeeded.is_some_and(|name| top.has(name));
        let says_no = |name| top.are(name, |value| value.get() == "false");
        let places: Vec<_> = fields.objects.iter().filter_map(|path| top.at(path)).collect();
        let places = || std::iter::once(&top).chain(&places);
        let find = |names: &'static [&'static str]| {
            places().flat_map(move |place| names.iter().flat_map(|name| place.named(name)))
        };
        let content = fields.content.into_iter().flat_map(|name| top.named(name));
        let message = find(fields.messages).chain(find(fields.texts)).chain(content);
        let mut messages = message.map(|value| words(value, fields));
        Self {
            is_object: true,
            says_no: fields.succeeded.is_some_and(says_no),
            is_error: !has_flag && fields.errors.iter().any(|form| form.is_of(&top)),
            code: find(fields.codes).find_map(code),
            message: messages.find(|text| !text.is_empty()),
        }
    }
}

impl ErrorForm {
    fn is_of(self, top: &Members<'_>) -> bool {
        match self {
            Self::Says { field, text } => top
                .are(field, |value| string(value.get()).is_some_and(|said| said.as_str() == text)),
            Self::Describes { field, with } => {
                let object = top.named(field).next().map(RawValue::get);
                let object = object.filter(|it| it.starts_with('{')).and_then(Members::of);
                object.is_some_and(|object| with.iter().any(|name| object.has(name)))
            }
        }
    }
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
fn words(value: &RawValue, fields: &RefusalFields) -> Zeroizing<String> {
    let mut all = Zeroizing::new(String::with_capacity(value.get().len().saturating_mul(2)));
    add_words(value.get(), fields, DEPTH, &mut all);
    all
}

fn add_words(json: &str, fields: &RefusalFields, depth: u8, all: &mut String) {
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
            items.iter().for_each(|item| add_words(item.get(), fields, deeper, all));
        }
        [b'{', ..] => {
            let Some(members) = Members::of(json) else { return };
            let mut said = fields.messages.iter().flat_map(|name| members.named(name)).peekable();
            if said.peek().is_some() {
                return said.for_each(|value| add_words(value.get(), fields, deeper, all));
            }
            let others = members.all().filter(|(name, _)| !fields.codes.contains(name));
            others.for_each(|(_, value)| add_words(value.get(), fields, deeper, all));
        }
        _ => {}
    }
}
