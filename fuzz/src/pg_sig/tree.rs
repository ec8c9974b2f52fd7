//! A message as a plain tree, and a second opinion on how it is signed.
//!
//! Shares no code with the client: it takes only names and values from it.

use imts_core::sign::pg_sig::{PgFields, PgValue};

/// A value: a text, or names and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// A text, and whether it is an integer.
    Text(String, bool),
    /// Names and values, and whether they are a list.
    Inner(Vec<(String, Tree)>, bool),
}

/// The way from the top to a value: names, and places that begin with 1.
type Way = Vec<(String, usize)>;

impl Tree {
    /// The fields that some lines describe, up to the line that closes them.
    pub(crate) fn of_lines(lines: &mut std::str::Lines<'_>, depth: usize) -> Self {
        Self::Inner(inner(lines, depth), false)
    }

    pub(crate) fn of(value: &PgValue) -> Self {
        match value.as_text() {
            Some(text) => Self::Text(text.to_owned(), false),
            None => {
                let inner = value.inner().into_iter();
                Self::Inner(
                    inner.map(|(name, it)| (name.into_owned(), Self::of(it))).collect(),
                    false,
                )
            }
        }
    }

    /// The same message for the client.
    pub(crate) fn fields(&self) -> PgFields {
        let Self::Inner(inner, _) = self else { return PgFields::new() };
        inner.iter().fold(PgFields::new(), |fields, (name, it)| fields.with(name, it.value()))
    }

    fn value(&self) -> PgValue {
        match self {
            Self::Text(text, false) => text.as_str().into(),
            Self::Text(digits, true) => digits.parse::<i64>().expect("checked").into(),
            Self::Inner(_, false) => self.fields().into(),
            Self::Inner(inner, true) => {
                inner.iter().map(|(_, it)| it.value()).collect::<Vec<_>>().into()
            }
        }
    }

    /// The message with one more text.
    pub(crate) fn with(&self, name: &str, text: &str) -> Self {
        let Self::Inner(inner, _) = self else { panic!("a message") };
        let mut inner = inner.clone();
        inner.push((name.to_owned(), Self::Text(text.to_owned(), false)));
        Self::Inner(inner, false)
    }

    /// The message as it is read: a reader does not know what a list is, or an integer.
    pub(crate) fn plain(&self) -> Self {
        match self {
            Self::Text(text, _) => Self::Text(text.clone(), false),
            Self::Inner(inner, _) => {
                let plain = inner.iter().map(|(name, it)| (name.clone(), it.plain()));
                Self::Inner(plain.collect(), false)
            }
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        matches!(self, Self::Inner(inner, _) if inner.iter().any(|(known, _)| known == name))
    }

    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Text(..) => 0,
            Self::Inner(inner, _) => {
                inner.iter().map(|(_, it)| it.depth()).max().map_or(0, |deepest| deepest + 1)
            }
        }
    }

    /// How many values there are, nested ones included.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Text(..) => 0,
            Self::Inner(inner, _) => inner.iter().map(|(_, it)| 1 + it.count()).sum(),
        }
    }

    /// Whether there is one way to read its names, and no value is empty.
    pub(crate) fn is_sendable(&self) -> bool {
        self.depth() <= 8 && self.count() <= 4_096 && self.has_good_names()
    }

    fn has_good_names(&self) -> bool {
        let Self::Inner(inner, is_list) = self else { return true };
        let names: std::collections::BTreeSet<_> = inner.iter().map(|(name, _)| name).collect();
        let is_good = |name: &str| {
            let mut letters = name.chars();
            letters.next().is_some_and(|it| it == '_' || it.is_ascii_alphabetic())
                && letters.all(|it| it == '_' || it.is_ascii_alphanumeric())
        };
        let is_empty = |it: &Self| match it {
            Self::Text(text, _) => text.is_empty(),
            Self::Inner(inner, _) => inner.is_empty(),
        };
        names.len() == inner.len()
            && inner.iter().all(|(name, it)| {
                (*is_list || is_good(name)) && !is_empty(it) && it.has_good_names()
            })
    }

    /// Whether XML can carry it.
    pub(crate) fn is_xml(&self) -> bool {
        match self {
            Self::Text(text, _) => text.chars().all(|it| {
                matches!(u32::from(it), 9 | 10 | 13 | 0x20..=0xd7ff | 0xe000..=0xfffd | 0x1_0000..)
            }),
            Self::Inner(inner, is_list) => !is_list && inner.iter().all(|(_, it)| it.is_xml()),
        }
    }

    fn collect<'a>(&'a self, way: &Way, all: &mut Vec<(Way, &'a str)>) {
        match self {
            Self::Text(text, _) => all.push((way.clone(), text)),
            Self::Inner(inner, _) => {
                for (place, (name, it)) in inner.iter().enumerate() {
                    let mut way = way.clone();
                    way.push((name.clone(), place + 1));
                    it.collect(&way, all);
                }
            }
        }
    }
}

fn inner(lines: &mut std::str::Lines<'_>, depth: usize) -> Vec<(String, Tree)> {
    let mut all = Vec::new();
    while let Some(line) = lines.next() {
        let (name, tree) = match line.split_at_checked(1) {
            Some(("-", _)) => break,
            // Deeper than what may be sent, and not so deep that this function is.
            Some(("+", name)) if depth < 12 => (name, Tree::Inner(inner(lines, depth + 1), false)),
            Some(("*", name)) if depth < 12 => {
                let mut entries = inner(lines, depth + 1);
                for (place, (name, _)) in entries.iter_mut().enumerate() {
                    *name = place.to_string();
                }
                (name, Tree::Inner(entries, true))
            }
            _ => {
                let (is_integer, line) = match line.strip_prefix('#') {
                    Some(line) => (true, line),
                    None => (false, line),
                };
                let (name, text) = line.split_once('=').unwrap_or((line, "1"));
                match text.parse::<i64>() {
                    Ok(number) if is_integer => (name, Tree::Text(number.to_string(), true)),
                    _ => (name, Tree::Text(text.to_owned(), false)),
                }
            }
        };
        all.push((name.to_owned(), tree));
    }
    all
}

/// The values by the printed sample, by the names on the wire, and level by level.
pub(crate) fn readings(tree: &Tree) -> [Vec<&str>; 3] {
    let mut all = Vec::new();
    tree.collect(&Vec::new(), &mut all);
    let values = |key: &dyn Fn(&Way) -> Vec<Vec<u8>>| {
        let mut sorted: Vec<_> = all.iter().map(|(way, text)| (key(way), *text)).collect();
        sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
        sorted.into_iter().map(|(_, text)| text).collect()
    };
    let sample = values(&|way| {
        let name = way.iter().map(|(name, place)| format!("{name}{place:03}"));
        vec![name.collect::<String>().into_bytes()]
    });
    let wire = values(&|way| {
        let name = way.iter().enumerate().map(|(level, (name, _))| match level {
            0 => name.clone(),
            _ => format!("[{name}]"),
        });
        vec![name.collect::<String>().into_bytes()]
    });
    let levels = values(&|way| {
        let pair = |(name, place): &(String, usize)| {
            [name.clone().into_bytes(), place.to_be_bytes().to_vec()]
        };
        way.iter().flat_map(pair).collect()
    });
    [sample, wire, levels]
}
