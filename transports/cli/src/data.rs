//! A request or a message, from what was given with `-d`.
//!
//! Owns the forms of `-d`: one whole request, or one field each. Numbers keep all their digits,
//! because JSON stays text. No message repeats what was given: it may hold a card number.

use std::path::PathBuf;

use imts::error::Malformed;
use imts::operation::Json;
use imts::text;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::input::Source;

/// The longest request that is read, in bytes.
const MAX_DATA: u64 = 1_048_576;

/// Where the request comes from.
#[derive(Debug)]
pub(crate) enum Data {
    Whole(Given),
    Fields(Vec<Field>),
}

/// One field of the request.
#[derive(Debug)]
pub(crate) struct Field {
    key: String,
    form: Form,
    value: Given,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Json,
}

/// A text that was given, or where it is to be read.
#[derive(Debug)]
pub(crate) enum Given {
    Argument(String),
    Elsewhere(Source),
}

impl Data {
    /// Sorts what was given with `-d`, each in its turn. Reads nothing yet.
    pub(crate) fn of(given: &[String]) -> Result<Self, Failure> {
        let mut fields: Vec<Field> = Vec::with_capacity(given.len());
        let mut whole = None;
        for (place, text) in given.iter().enumerate() {
            match Field::of(text)
                .map_err(|why| Failure::usage(format!("{}{why}", nth(place, given))))?
            {
                None => whole = Some(text),
                Some(field) if fields.iter().any(|other| other.key == field.key) => {
                    let key = field.key;
                    return Err(Failure::usage(format!(
                        "-d gives the field {key} twice: give each field once"
                    )));
                }
                Some(field) => fields.push(field),
            }
        }
        match whole {
            _ if given.is_empty() => Ok(Self::Whole(Given::Argument("{}".to_owned()))),
            None => Ok(Self::Fields(fields)),
            Some(whole) if given.len() == 1 => Ok(Self::Whole(Given::of(whole))),
            Some(_) => Err(Failure::usage(
                "-d gives the whole request once, or one field each time (KEY=TEXT or KEY:=JSON), \
                 and not both",
            )),
        }
    }

    /// Returns how many times the request reads stdin.
    pub(crate) fn reads_of_stdin(&self) -> usize {
        let is_stdin = |given: &&Given| matches!(given, Given::Elsewhere(Source::Stdin));
        match self {
            Self::Whole(given) => [given].into_iter().filter(is_stdin).count(),
            Self::Fields(fields) => {
                fields.iter().map(|field| &field.value).filter(is_stdin).count()
            }
        }
    }

    /// Reads the request.
    pub(crate) fn read(self) -> Result<Json, Failure> {
        match self {
            Self::Whole(given) => {
                let hint = match &given {
                    Given::Argument(_) => " (to read a file, give @FILE; for a field, KEY=TEXT)",
                    Given::Elsewhere(_) => "",
                };
                json(&given.read("the data")?, "the data", hint)
            }
            Self::Fields(fields) => object(fields),
        }
    }
}

/// Says which `-d` it is, if there are more than one.
fn nth(place: usize, given: &[String]) -> String {
    if given.len() == 1 { "-d: ".to_owned() } else { format!("-d number {}: ", place + 1) }
}

impl Field {
    /// Reads `KEY=VALUE` or `KEY:=VALUE`. Returns `None` for another text: no JSON has this form.
    fn of(text: &str) -> Result<Option<Self>, &'static str> {
        let Some((key, value)) = text.split_once('=') else { return Ok(None) };
        let (key, form) = match key.strip_suffix(':') {
            Some(key) => (key, Form::Json),
            None => (key, Form::Text),
        };
        if !key.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Ok(None);
        }
        if !key.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) {
            return Err(
                "a key has only letters, digits, `_` and `-`. Give an object inside the request \
                        as KEY:=JSON, and other keys with the whole request as JSON",
            );
        }
        let value = match value.strip_prefix('@') {
            Some("") => {
                return Err(
                    "after @ comes the name of a file. For a text that begins with @, give KEY:='\"@…\"'",
                );
            }
            Some("-") => Given::Elsewhere(Source::Stdin),
            Some(path) => Given::Elsewhere(Source::File(PathBuf::from(path))),
            None => Given::Argument(value.to_owned()),
        };
        Ok(Some(Self { key: key.to_owned(), form, value }))
    }
}

impl Given {
    fn of(data: &str) -> Self {
        match (data, data.strip_prefix('@')) {
            ("-", _) => Self::Elsewhere(Source::Stdin),
            (_, Some(path)) => Self::Elsewhere(Source::File(PathBuf::from(path))),
            (json, None) => Self::Argument(json.to_owned()),
        }
    }

    fn read(self, what: &str) -> Result<Zeroizing<String>, Failure> {
        match self {
            Self::Argument(given) => text::document(given.as_bytes())
                .map(|text| Zeroizing::new(text.to_owned()))
                .map_err(|error| Failure::usage(format!("{what} cannot be used: {error}"))),
            Self::Elsewhere(source) => source.text(what, MAX_DATA),
        }
    }
}

/// Joins the fields, in their order.
fn object(fields: Vec<Field>) -> Result<Json, Failure> {
    let mut parts = Vec::with_capacity(fields.len());
    for Field { key, form, value } in fields {
        // A key is a name that the vendor's page prints, so the message may have it.
        let what = format!("the field {key}");
        let text = match value {
            Given::Argument(empty) if empty.is_empty() && form == Form::Text => {
                Zeroizing::default()
            }
            value => value.read(&what)?,
        };
        let value = match form {
            Form::Text => {
                Zeroizing::new(serde_json::to_string(text.as_str()).map_err(Failure::usage)?)
            }
            Form::Json => {
                let hint = format!(" (for a text, give {key}=TEXT)");
                Zeroizing::new(json(&text, &what, &hint)?.as_str().to_owned())
            }
        };
        parts.push((key, value));
    }
    let length = parts.iter().map(|(key, value)| key.len() + value.len() + 4).sum::<usize>();
    if length as u64 > MAX_DATA {
        return Err(Failure::usage(format!(
            "the fields together are longer than {MAX_DATA} bytes"
        )));
    }
    // With its capacity from the start it does not move, and leaves no copy that nobody wipes.
    let mut text = Zeroizing::new(String::with_capacity(length + 2));
    for (place, (key, value)) in parts.iter().enumerate() {
        text.push_str(if place == 0 { "{\"" } else { ",\"" });
        text.push_str(key);
        text.push_str("\":");
        text.push_str(value);
    }
    text.push('}');
    json(&text, "the data", "")
}

/// Parses JSON. The message never quotes the text.
fn json(text: &str, what: &str, hint: &str) -> Result<Json, Failure> {
    Json::parse(text).map_err(|error| {
        Failure::usage(match error {
            Malformed::Json { fault, line, column } => {
                format!("{what} is not JSON: {fault} at line {line}, column {column}{hint}")
            }
            _ => format!("{what} is not JSON{hint}"),
        })
    })
}
