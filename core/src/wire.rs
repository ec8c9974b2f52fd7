//! Between values and bytes: the requests of the operations, and what a reply to one says.
//!
//! Owns JSON, headers and dates. Does not know about sessions: it says what a reply *is*, and the
//! session or the call decides what that means.

mod decode;
mod encode;
mod grant;
mod lossy;
mod members;
mod refusal;
mod value;

pub(crate) use decode::{Asked, read, refusal};
pub use decode::{Envelope, EnvelopeReader, Format, Reply, Success};
pub(crate) use encode::{FieldName, json, request, strings};
pub(crate) use grant::read_grant;
pub use grant::{Field, GrantReader, Granted, Times};
pub use lossy::{ErrorForm, RefusalFields};
pub use value::{Object, Text};
pub(crate) use value::{is_object, object, without_mark};
