//! XML as the vendor's messages have it: elements and text, bounded in depth and number.
//!
//! Owns reading and writing of this form. There are no document types, and only the five entities that
//! XML itself defines. Does not know any element's name.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use crate::pg_sig::Fields;

/// How deep elements may stand in each other.
const DEEPEST: usize = 16;
/// How many elements a document may have.
const MOST: usize = 2_000;

/// One element: its name, its text without that of its children, and its children in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Reads a document. `None` if it is not one element, or has something that these messages do not
    /// have.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        let (mut open, mut root, mut count) = (Vec::<Self>::new(), None, 0);
        loop {
            let event = reader.read_event().ok()?;
            let closes = matches!(event, Event::Empty(_) | Event::End(_));
            match event {
                Event::Start(start) | Event::Empty(start) => {
                    count += 1;
                    if root.is_some() || open.len() >= DEEPEST || count > MOST {
                        return None;
                    }
                    let name = start.name().into_inner().to_owned();
                    open.push(Self { name, ..Self::default() });
                }
                Event::Text(text) => add(&mut open, &text.xml10_content())?,
                Event::CData(text) => add(&mut open, &text.xml10_content())?,
                Event::GeneralRef(reference) => add(&mut open, &referred(&reference)?.to_string())?,
                Event::End(_) | Event::Decl(_) | Event::Comment(_) => {}
                Event::DocType(_) | Event::PI(_) => return None,
                Event::Eof => return root,
            }
            if closes {
                let element = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => root = Some(element),
                }
            }
        }
    }

    /// Returns the children as flat fields. `None` if one of them has children of its own.
    pub(crate) fn flat(&self) -> Option<Fields> {
        let mut fields = Fields::new();
        for child in &self.children {
            if !child.children.is_empty() {
                return None;
            }
            fields.push((child.name.clone(), child.text.clone()));
        }
        Some(fields)
    }
}

/// Adds text to the innermost open element. Outside the root, only white space may stand.
fn add(open: &mut [Element], text: &str) -> Option<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return None,
    }
    Some(())
}

fn referred(reference: &BytesRef<'_>) -> Option<char> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok().flatten();
    }
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// Writes a document: its root, and in it the fields.
pub(crate) fn write(root: &str, fields: &[(String, String)]) -> String {
    let mut text = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><{root}>");
    for (name, value) in fields {
        let _ = write!(text, "<{name}>{}</{name}>", escaped(value));
    }
    let _ = write!(text, "</{root}>");
    text
}

/// Escapes a text for XML and for HTML, in content and in quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let fields = vec![("pg_description".to_owned(), "Бронь & Co <b>\"'\r".to_owned())];
        let document = Element::read(write("response", &fields).as_bytes()).unwrap();
        assert_eq!((document.name.as_str(), document.flat()), ("response", Some(fields)));
    }

    #[test]
    fn what_these_messages_do_not_have_is_not_read() {
        for text in [
            "",
            "word",
            "<a/>word",
            "<a/><b/>",
            "<a><b></a>",
            "<a>&unknown;</a>",
            "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
        ] {
            assert_eq!(Element::read(text.as_bytes()), None, "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(17), "</a>".repeat(17));
        assert_eq!(Element::read(deep.as_bytes()), None);
        assert!(Element::read(b"<a><b>1</b><c><d/></c></a>").unwrap().flat().is_none());
    }
}
