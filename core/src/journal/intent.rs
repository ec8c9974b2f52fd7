//! What a call asks for, and what makes two calls the same.
//!
//! Owns the identity of an intent, and the digests of its request. The bytes are not part of the
//! identity: white space and the order of fields change the bytes, but not what is asked for. If
//! two spellings of a URL or a reference are not known to mean the same, they count as different.
//!
//! The digest of the meaning leaves out white space between values and the order of an object's
//! fields. Everything else counts as it is written: each digit of a number, and a field that occurs
//! twice. So two bodies that a service could read differently never count as one.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::time::Wall;

/// What is asked of the service, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The operation's name.
    pub operation: String,
    /// Where it goes and for which agent. `None` in records of the journal's first version.
    pub scope: Option<Scope>,
    /// The caller's own name for what is asked for. `None` only in records of the first version.
    pub reference: Option<String>,
    /// The digest of the request's bytes.
    pub digest: Digest,
    /// The digest of the meaning of the bytes. `None` in records of the first version.
    pub meaning: Option<Digest>,
    /// When the intent was made, by this machine's clock.
    pub at: Wall,
    /// The caller's decision to send it in spite of a record.
    pub despite: Option<Despite>,
}

/// Where a call goes, and for which agent. Together with the reference it identifies an intent. Two
/// names of one path are therefore one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The operation's URL.
    pub url: String,
    /// The agent's id. Empty if the session had none yet.
    pub agent: String,
}

/// The caller's decision to send an intent again, although a record stands against it.
///
/// Nothing else overrides the guard. The decision is recorded with its reason. It permits a call
/// that could pay twice. Use it only if the outcome was found out by other means and cannot be
/// [resolved](super::Resolution).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Despite {
    /// The number of the record that stands against it.
    pub id: u64,
    /// Why it is sent in spite of the record.
    pub reason: String,
    /// Who decided it, if known.
    pub by: Option<String>,
}

/// What makes two intents the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntentKey {
    /// An intent with a scope.
    Of {
        /// The operation's URL.
        url: String,
        /// The agent's id.
        agent: String,
        /// The caller's own name for what is asked for.
        reference: String,
    },
    /// An intent of the first version with a reference.
    Named {
        /// The operation's name.
        operation: String,
        /// The caller's own name for what is asked for.
        reference: String,
    },
    /// An intent of the first version without a reference.
    Bytes {
        /// The operation's name.
        operation: String,
        /// The digest of the request's bytes.
        digest: u64,
    },
}

impl Intent {
    /// Returns the key that identifies it in the journal.
    #[must_use]
    pub fn key(&self) -> IntentKey {
        IntentKey::of(&self.operation, self.scope.as_ref(), self.reference.as_deref(), self.digest)
    }

    /// The keys of all records that may stand against it.
    pub(super) fn keys(&self) -> [IntentKey; 3] {
        let (reference, digest) = (self.reference.as_deref(), self.digest);
        let named = IntentKey::of(&self.operation, None, reference.or(Some("")), digest);
        [self.key(), named, IntentKey::of(&self.operation, None, None, digest)]
    }
}

impl IntentKey {
    /// The key of a record with these parts.
    pub(super) fn of(
        operation: &str,
        scope: Option<&Scope>,
        reference: Option<&str>,
        digest: Digest,
    ) -> Self {
        let operation = operation.to_owned();
        match (scope, reference.map(reference_form)) {
            (Some(scope), Some(reference)) => {
                Self::Of { url: url_form(&scope.url), agent: scope.agent.clone(), reference }
            }
            (None, Some(reference)) => Self::Named { operation, reference },
            (_, None) => Self::Bytes { operation, digest: digest.0 },
        }
    }
}

/// The URL in one form: two spellings of one host are one service. Letter case, a dot at the end of
/// a host name, and the abbreviation of an IPv6 address do not count.
fn url_form(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = match rest.find('/').and_then(|at| rest.split_at_checked(at)) {
        Some(parts) => parts,
        None => (rest, ""),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = match address.and_then(|address| address.parse::<Ipv6Addr>().ok()) {
        Some(address) => format!("[{address}]"),
        None => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}{path}")
}

/// The reference in one form: white space around it does not count, nor does the letter case of a
/// UUID. The letter case of other references counts, for example in base 62.
fn reference_form(reference: &str) -> String {
    let reference = reference.trim();
    if is_uuid(reference) { reference.to_ascii_lowercase() } else { reference.to_owned() }
}

/// Whether it has the form of RFC 9562, section 4.
fn is_uuid(text: &str) -> bool {
    let groups = text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    groups && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Identifies a request (FNV-1a, 64 bits). It does not authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// Returns the digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(START).and(bytes)
    }

    /// Returns the digest of a body's meaning. If the body is not JSON, the digest is of its bytes.
    #[must_use]
    pub fn of_meaning(body: &[u8]) -> Self {
        let json = std::str::from_utf8(body).ok().and_then(|text| serde_json::from_str(text).ok());
        json.and_then(|json| Self(START).with(json, DEEPEST)).unwrap_or_else(|| Self::of(body))
    }

    fn and(self, bytes: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        Self(bytes.iter().fold(self.0, step))
    }

    /// Adds a text: first its length, so that no text can contain the end of another.
    fn text(self, text: &str) -> Self {
        self.and(b"\"").and(&text.len().to_le_bytes()).and(text.as_bytes())
    }

    /// Adds a value. `None` if it is nested too deep, or has a text that cannot be read.
    fn with(self, json: &RawValue, depth: usize) -> Option<Self> {
        let (text, depth) = (json.get(), depth.checked_sub(1)?);
        match text.bytes().next()? {
            b'{' => {
                let mut fields = fields(text)?;
                fields.sort_by(|(one, _), (other, _)| one.cmp(other));
                let each = |hash: Self, (name, value): &(Cow<'_, str>, &RawValue)| {
                    hash.text(name).with(value, depth)
                };
                Some(fields.iter().try_fold(self.and(b"{"), each)?.and(b"}"))
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                let each = |hash: Self, item: &&RawValue| hash.with(item, depth);
                Some(items.iter().try_fold(self.and(b"["), each)?.and(b"]"))
            }
            b'"' => {
                let text: Text<'_> = serde_json::from_str(text).ok()?;
                Some(self.text(&text.0))
            }
            _ => Some(self.and(text.as_bytes()).and(b",")),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A text, in any spelling.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

type Field<'a> = (Cow<'a, str>, &'a RawValue);

/// The fields of an object in their order, including those that occur twice.
pub(crate) fn fields(object: &str) -> Option<Vec<Field<'_>>> {
    struct Fields;
    impl<'de> Visitor<'de> for Fields {
        type Value = Vec<Field<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                fields.push((name, value));
            }
            Ok(fields)
        }
    }
    serde_json::Deserializer::from_str(object).deserialize_map(Fields).ok()
}

const START: u64 = 0xcbf2_9ce4_8422_2325;

/// How deep values may be nested. Deeper ones are compared by their bytes.
const DEEPEST: usize = 64;
