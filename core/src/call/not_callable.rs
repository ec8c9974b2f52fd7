//! Why an operation cannot be called.

use thiserror::Error;

use super::sign_error::SignError;
use crate::endpoint::EndpointError;
use crate::error::EncodeError;
use crate::journal::IntentError;
use crate::operation::Class;

/// Why an operation cannot be called. The caller must correct it; nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotCallable {
    /// The catalogue has no operation of this name.
    #[error("the service has no operation `{name}`")]
    NoSuchOperation {
        /// The name.
        name: String,
    },
    /// The operation's path is not known.
    #[error(
        "the path of `{name}` is unknown: take it from the vendor's page and put it into the \
         service file, under [operation.{name}] as path = \"/…\", or give it to Catalogue::set_path"
    )]
    NoPath {
        /// The operation's name.
        name: String,
    },
    /// The type, or another name for the same path, claims a lower class than the operation has.
    #[error("`{name}` has the class {has}, so it cannot be called as {claimed}")]
    ClassLowered {
        /// The operation's name.
        name: String,
        /// The class that it has.
        has: Class,
        /// The class that is claimed.
        claimed: Class,
    },
    /// The path has a parameter, and the request has no value for it.
    #[error(
        "the path of `{name}` needs the field `{field}` of the request: 1 to 64 letters, digits, - \
         and _"
    )]
    PathField {
        /// The operation's name.
        name: String,
        /// The field's name.
        field: String,
    },
    /// The operation is at another host than the service, and the catalogue does not name it.
    #[error("`{name}` is at a host of its own: name it with `set_endpoint`")]
    NoEndpoint {
        /// Its name.
        name: String,
    },
    /// The path cannot be used, or does not make a URL with the endpoint.
    #[error(transparent)]
    Path(#[from] EndpointError),
    /// The request cannot be serialized to JSON.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The request is JSON, but not an object. The service accepts only objects (published for Get
    /// token, assumed for the rest).
    #[error("the request of `{name}` is not a JSON object with the operation's fields")]
    NotAnObject {
        /// The operation's name.
        name: String,
    },
    /// It has the name or the path of a token exchange, which only a session makes.
    #[error(
        "`{name}` cannot be called: it has the name or the path of the token exchange `{exchange}`"
    )]
    TokenExchange {
        /// The operation's name.
        name: String,
        /// The name of the token exchange.
        exchange: String,
    },
    /// It needs a token, and the service has none.
    #[error("`{name}` cannot be called: it needs a token, and the service has no tokens")]
    NoTokens {
        /// The operation's name.
        name: String,
    },
    /// It cannot be signed.
    #[error("`{name}` cannot be signed: {why}")]
    Sign {
        /// The operation's name.
        name: String,
        /// Why not.
        why: SignError,
    },
    /// A record in the journal does not allow it.
    #[error(transparent)]
    Intent(#[from] IntentError),
}
