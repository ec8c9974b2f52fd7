//! Between values and bytes: the requests of the operations, and what a reply to one says.
//!
//! Owns JSON, headers and dates. Does not know about sessions: it says what a reply *is*, and the
//! session or the call decides what that means.

mod decode;
mod encode;
mod grant;
mod lossy;
mod members;
mod object;
mod refusal;
mod text;

pub(crate) use decode::{Asked, read, refusal};
pub use decode::{Envelope, EnvelopeReader, Format, Success};
pub(crate) use encode::{json, request, strings};
pub(crate) use grant::read_grant;
pub use grant::{Field, GrantReader, Granted, Times};
pub use lossy::{ErrorForm, RefusalFields};
pub use object::Object;
pub(crate) use object::{is_object, object};
pub use text::Text;

/// The longest accepted token, in bytes.
pub(crate) const MAX_TOKEN: usize = 8_192;

/// The body without the one byte order mark that may come before JSON (RFC 8259, section 8.1).
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)
}

/// Whether a token can be put into a header unchanged: 1 to 8,192 bytes of visible ASCII.
pub(crate) fn is_token(token: &str) -> bool {
    // The loop has no early exit, so that it can handle many bytes at once.
    let is_visible = || token.bytes().fold(true, |so_far, byte| so_far & byte.is_ascii_graphic());
    (1..=MAX_TOKEN).contains(&token.len()) && is_visible()
}
