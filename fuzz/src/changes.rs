//! A valid JSON text, changed: what keeps inputs close to what is accepted.
//!
//! A change is a line: a letter that names the field, then its new text. With `!` before the letter
//! the rest is the field's JSON as it stands; with `-` the field is gone.

/// One line.
pub(crate) struct Change<'a> {
    pub(crate) letter: u8,
    /// What follows the letter, as it stands.
    pub(crate) rest: &'a [u8],
    /// The field's new JSON; `None` if it is gone.
    pub(crate) json: Option<Vec<u8>>,
}

/// The changes of an input.
pub(crate) fn changes(lines: &[u8]) -> impl Iterator<Item = Change<'_>> {
    lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let (sign, line) = match line {
            [sign @ (b'!' | b'-'), line @ ..] => (*sign, line),
            line => (b' ', line),
        };
        let (letter, rest) = line.split_first()?;
        let json = match sign {
            b'!' => Some(rest.to_vec()),
            b'-' => None,
            _ => Some(quoted(rest)),
        };
        Some(Change { letter: *letter, rest, json })
    })
}

/// A field of an object: the letter that changes it, its name, its JSON.
pub(crate) type Field = (u8, &'static str, Option<Vec<u8>>);

/// A field with this text.
pub(crate) fn field(letter: u8, name: &'static str, text: &str) -> Field {
    (letter, name, Some(quoted(text.as_bytes())))
}

/// A field with this JSON.
pub(crate) fn raw(letter: u8, name: &'static str, json: &impl ToString) -> Field {
    (letter, name, Some(json.to_string().into_bytes()))
}

/// Changes the field that has this letter, if there is one.
pub(crate) fn apply(fields: &mut [Field], change: &Change<'_>) {
    if let Some(field) = fields.iter_mut().find(|(letter, ..)| *letter == change.letter) {
        field.2.clone_from(&change.json);
    }
}

/// An object of these fields, and of more members as they stand.
pub(crate) fn object(fields: &[Field], more: &[Vec<u8>]) -> Vec<u8> {
    let fields = fields.iter().filter_map(|(_, name, json)| {
        Some([b"\"", name.as_bytes(), b"\":", json.as_deref()?].concat())
    });
    let members: Vec<_> = fields.chain(more.iter().cloned()).collect();
    [b"{".as_slice(), &members.join(b",".as_slice()), b"}"].concat()
}

/// A JSON string of these bytes; what is not UTF-8 stays so.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for byte in text {
        match byte {
            b'"' | b'\\' => quoted.extend([b'\\', *byte]),
            0..0x20 => quoted.extend(format!("\\u{byte:04x}").into_bytes()),
            _ => quoted.push(*byte),
        }
    }
    quoted.push(b'"');
    quoted
}
