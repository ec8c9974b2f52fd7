//! Messages as XML: one element whose children are the fields.
//!
//! Owns this form on the wire. There are no document types, no entities of a document's own, no
//! attributes and no namespaces. Does not know how a message is signed.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use zeroize::Zeroizing;

use super::error::{PgReadError, PgSignError};
use super::fields::{Kind, MAX_BYTES, MAX_DEPTH, MAX_FIELDS, PgFields, PgValue};
use crate::secret::Body;

impl PgFields {
    /// Reads one XML element, whatever its name. Its children are the fields, in their order;
    /// repeated ones stay apart. A text is signed as it is after decoding (assumed).
    ///
    /// # Errors
    ///
    /// [`PgReadError`] if it is not one XML element in UTF-8, if there is too much, or if it has
    /// something that the vendor's messages are not known to have: a document type, an attribute, a
    /// comment, a processing instruction, or an element with both text and elements.
    pub fn from_xml(xml: &[u8]) -> Result<Self, PgReadError> {
        if xml.len() > MAX_BYTES {
            return Err(PgReadError::TooLarge);
        }
        let text = std::str::from_utf8(xml).map_err(|_| PgReadError::Encoding)?;
        let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        let mut document = Document::default();
        loop {
            match reader.read_event().map_err(|_| NOT_XML)? {
                Event::Decl(declaration) => {
                    let is_first = document.open.is_empty() && document.root.is_none();
                    let is_utf8 = match declaration.encoding() {
                        Some(name) => name.is_ok_and(|name| name.eq_ignore_ascii_case("utf-8")),
                        None => true,
                    };
                    if !is_first {
                        return Err(NOT_XML);
                    }
                    if !is_utf8 {
                        return Err(PgReadError::Encoding);
                    }
                }
                Event::Start(start) => document.begin(&start)?,
                Event::Empty(start) => {
                    document.begin(&start)?;
                    document.end()?;
                }
                Event::End(_) => document.end()?,
                Event::Text(text) => document.text(text.xml10_content())?,
                Event::CData(text) => document.text(text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let character = referred(&reference).ok_or(PgReadError::Unsupported {
                        what: "an entity that XML does not define",
                    })?;
                    document.text(character.encode_utf8(&mut [0; 4]).to_owned().into())?;
                }
                Event::Comment(_) => return Err(unsupported("a comment")),
                Event::PI(_) => return Err(unsupported("a processing instruction")),
                Event::DocType(_) => return Err(unsupported("a document type")),
                Event::Eof => break,
            }
        }
        // No element begins behind the root, so none is open.
        document.root.ok_or(NOT_XML)
    }
}

/// What has been read so far.
#[derive(Default)]
struct Document {
    /// The elements that are open, the outermost first.
    open: Vec<Element>,
    root: Option<PgFields>,
    count: usize,
}

#[derive(Default)]
struct Element {
    name: String,
    text: Zeroizing<String>,
    children: PgFields,
    has_children: bool,
}

impl Document {
    fn begin(&mut self, start: &BytesStart<'_>) -> Result<(), PgReadError> {
        let name = start.name().into_inner().to_owned();
        if !is_name(&name) {
            return Err(unsupported("a name with other characters than letters, digits and _.-"));
        }
        if !start.attributes_raw().trim().is_empty() {
            return Err(unsupported("an attribute"));
        }
        if self.root.is_some() {
            return Err(NOT_XML);
        }
        self.count = self.count.saturating_add(1);
        // The outermost element is not a field.
        if self.count > MAX_FIELDS.saturating_add(1) || self.open.len() > MAX_DEPTH {
            return Err(PgReadError::TooLarge);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.has_children = true;
        }
        self.open.push(Element { name, ..Element::default() });
        Ok(())
    }

    fn end(&mut self) -> Result<(), PgReadError> {
        let element = self.open.pop().ok_or(NOT_XML)?;
        let is_space = element.text.chars().all(is_space);
        if element.has_children && !is_space {
            return Err(unsupported("an element with both text and elements"));
        }
        match self.open.last_mut() {
            Some(parent) if element.has_children => {
                parent.children.push(element.name, element.children.into());
            }
            Some(parent) => parent.children.push(element.name, PgValue(Kind::Text(element.text))),
            None if is_space => self.root = Some(element.children),
            None => return Err(NOT_XML),
        }
        Ok(())
    }

    fn text(&mut self, text: Cow<'_, str>) -> Result<(), PgReadError> {
        // A line end that was changed has made a copy.
        let text = Zeroizing::new(text.into_owned());
        if !text.chars().all(is_character) {
            return Err(NOT_XML);
        }
        match self.open.last_mut() {
            Some(element) => push(&mut element.text, &text),
            None if text.chars().all(is_space) => {}
            None => return Err(NOT_XML),
        }
        Ok(())
    }
}

/// Adds to a text. Memory that it outgrows is wiped.
fn push(text: &mut Zeroizing<String>, more: &str) {
    let length = text.len().saturating_add(more.len());
    if length > text.capacity() {
        let mut larger = String::with_capacity(length.max(text.capacity().saturating_mul(2)));
        larger.push_str(text);
        *text = Zeroizing::new(larger);
    }
    text.push_str(more);
}

/// The character of a reference: by its number, or one of the five that XML defines (XML 1.0,
/// section 4.6).
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

/// Writes a message with this outermost element.
pub(super) fn write(fields: &PgFields, root: &str) -> Result<Body, PgSignError> {
    let room = ROOM.saturating_add(room(fields));
    let mut xml = Zeroizing::new(Vec::with_capacity(room));
    xml.extend_from_slice(DECLARATION.as_bytes());
    tag(&["<", root, ">"], &mut xml);
    children(fields, &mut xml)?;
    tag(&["</", root, ">"], &mut xml);
    Ok(Body::new(xml))
}

fn children(fields: &PgFields, xml: &mut Vec<u8>) -> Result<(), PgSignError> {
    for (name, value) in fields.all() {
        let unfit = || PgSignError::NotXml { name: name.to_owned() };
        tag(&["<", name, ">"], xml);
        match &value.0 {
            Kind::Text(text) | Kind::Integer(_, text) => escape(text, xml).ok_or_else(unfit)?,
            Kind::Fields(fields) => children(fields, xml)?,
            Kind::List(_) => return Err(unfit()),
        }
        tag(&["</", name, ">"], xml);
    }
    Ok(())
}

fn tag(parts: &[&str], xml: &mut Vec<u8>) {
    parts.iter().for_each(|part| xml.extend_from_slice(part.as_bytes()));
}

/// Writes a text, with escapes. `None` if XML cannot carry it.
fn escape(text: &str, xml: &mut Vec<u8>) -> Option<()> {
    for character in text.chars() {
        let mut bytes = [0; 4];
        xml.extend_from_slice(match character {
            '&' => b"&amp;",
            '<' => b"&lt;",
            '>' => b"&gt;",
            // A reader turns the end of a line into a line feed (XML 1.0, section 2.11).
            '\r' => b"&#13;",
            character if is_character(character) => character.encode_utf8(&mut bytes).as_bytes(),
            _ => return None,
        });
    }
    Some(())
}

/// How many bytes the fields take at most: each name twice with the five marks of its two tags, and
/// five bytes for each one of a text.
fn room(fields: &PgFields) -> usize {
    let each = fields.all().map(|(name, value)| {
        let inside = match &value.0 {
            Kind::Text(text) | Kind::Integer(_, text) => text.len().saturating_mul(5),
            Kind::Fields(fields) => room(fields),
            Kind::List(_) => 0,
        };
        name.len().saturating_mul(2).saturating_add(5).saturating_add(inside)
    });
    each.fold(0, usize::saturating_add)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// White space of XML (XML 1.0, section 2.3).
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Whether XML can have a character (XML 1.0, section 2.2).
fn is_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn unsupported(what: &'static str) -> PgReadError {
    PgReadError::Unsupported { what }
}

const NOT_XML: PgReadError = PgReadError::Syntax { form: "one XML element" };

const DECLARATION: &str = r#"<?xml version="1.0" encoding="utf-8"?>"#;

/// Bytes for the declaration and the outermost element.
const ROOM: usize = 64;
