//! One operation of the service as a type: its path, its class, how it is encoded and decoded.
//!
//! Owns the trait, and the classes that say when a request may be sent again. Also owns the
//! operation with the integrator's own fields, which its page prints and this crate does not know.
//! Does not know how a call proceeds ([`Call`](crate::Call)), nor where paths come from
//! ([`Catalogue`](crate::Catalogue)).

mod auth;
mod repeat;
mod signing;

use std::fmt;
use std::marker::PhantomData;

use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::auth::Auth;
pub use self::repeat::{AskedBy, Repeat};
pub use self::signing::{PgBody, PgForm, ReplyScript};
pub use crate::account::Account;
use crate::error::{EncodeError, Malformed};
use crate::evidence::Evidence;
pub use crate::json::Json;
use crate::secret::Body;
pub use crate::wire::Success;

/// An operation of the service. The type is its request.
///
/// The class says what may be repeated; the method does not. If an operation is in the catalogue,
/// its class there is the lowest allowed: a type that claims a lower class cannot be called.
///
/// ```
/// use imts_core::error::{EncodeError, Malformed};
/// use imts_core::operation::{Auth, Success};
/// use imts_core::secret::Body;
/// use imts_core::{Class, Evidence, Operation};
///
/// /// A report that the service's pages do not print.
/// struct DailyReport { day: &'static str }
///
/// impl Operation for DailyReport {
///     const NAME: &'static str = "daily-report";
///     const PATH: Option<&'static str> = Some("/v5/partner/transfer/report");
///     const AUTH: Auth = Auth::Bearer;
///     const CLASS: Class = Class::Read;
///     const EVIDENCE: Evidence = Evidence::Assumed;
///     type Reply = imts_core::operation::Json;
///
///     fn encode(&self) -> Result<Body, EncodeError> {
///         Body::json(&std::collections::BTreeMap::from([("day", self.day)]))
///     }
///
///     fn decode(success: Success<'_>) -> Result<Self::Reply, Malformed> {
///         success.payload()
///     }
/// }
/// # let body = DailyReport { day: "2026-11-29" }.encode()?;
/// # assert_eq!(body.as_ref(), br#"{"day":"2026-11-29"}"#);
/// # Ok::<(), EncodeError>(())
/// ```
pub trait Operation {
    /// The operation's name in the catalogue: lower case, with hyphens.
    const NAME: &'static str;
    /// The operation's path, if one is known. The service's catalogue overrides it.
    const PATH: Option<&'static str>;
    /// The method of its request. The service's catalogue overrides it.
    const METHOD: Method = Method::POST;
    /// How its request says who sends it. If the service's catalogue asks for a signature, that counts.
    const AUTH: Auth;
    /// When its request may be sent again.
    const CLASS: Class;
    /// How certain its request and reply are.
    const EVIDENCE: Evidence;
    /// Whether it is at another host than the service. The catalogue must then name that host, with
    /// [`Catalogue::set_endpoint`](crate::Catalogue::set_endpoint), before it can be called.
    const NEEDS_ENDPOINT: bool = false;
    /// The field of its request that names what is asked for, such as `client_uuid`. It is the
    /// [reference](Operation::reference) if none is given. The service's catalogue overrides it.
    const REFERENCE_FIELD: Option<&'static str> = None;
    /// The content of a success.
    type Reply;

    /// Encodes the body of the request.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if the value cannot be serialized to JSON.
    fn encode(&self) -> Result<Body, EncodeError>;

    /// Decodes a success. A reply that is a refusal is not decoded.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the body is not a reply of this operation.
    fn decode(success: Success<'_>) -> Result<Self::Reply, Malformed>;

    /// Returns the caller's own name for what is asked for, such as a transfer's `client_uuid`.
    /// With it the outcome can be found out later.
    fn reference(&self) -> Option<String> {
        None
    }
}

/// When a request may be sent again, whatever its method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A repetition does no harm, so it may be repeated.
    Read,
    /// It creates something, or spends a refresh token. A repetition needs proof that the first
    /// request was not processed.
    Create,
    /// It moves money. A repetition needs proof that the first request was not processed.
    Money,
}

impl Class {
    /// Returns the name in lower case, as outputs and service files show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Money => "money",
        }
    }

    /// Returns the class of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Read, Self::Create, Self::Money].into_iter().find(|class| class.as_str() == name)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The name and the class of an operation, and nothing else.
pub trait OperationName {
    /// Its name in the catalogue.
    const NAME: &'static str;
    /// When its request may be sent again.
    const CLASS: Class;
}

/// The operation `N` with the integrator's own request `Q` and reply `R`. Its path comes from the
/// service's catalogue.
///
/// The reply is read from the content of the service's envelope. A missing content counts as `null`.
///
/// ```
/// use imts_core::Operation;
/// use imts_core::operation::Custom;
/// use imts_core::services::transfer::Confirm;
///
/// #[derive(serde::Serialize)]
/// struct Fields<'a> { transfer_id: &'a str }
///
/// let confirm = Custom::<Confirm, _>::new(Fields { transfer_id: "17" }).with_reference("17");
/// assert_eq!(confirm.encode()?.as_ref(), br#"{"transfer_id":"17"}"#);
/// # Ok::<(), imts_core::error::EncodeError>(())
/// ```
pub struct Custom<N, Q, R = Json> {
    request: Q,
    reference: Option<String>,
    kind: PhantomData<fn() -> (N, R)>,
}

impl<N: OperationName, Q: Serialize, R: DeserializeOwned> Custom<N, Q, R> {
    /// Makes the operation with this request.
    #[must_use]
    pub fn new(request: Q) -> Self {
        Self { request, reference: None, kind: PhantomData }
    }

    /// Sets the caller's own name for what is asked for.
    #[must_use]
    pub fn with_reference(self, reference: impl Into<String>) -> Self {
        Self { reference: Some(reference.into()), ..self }
    }
}

impl<N: OperationName, Q: Serialize, R: DeserializeOwned> Operation for Custom<N, Q, R> {
    const NAME: &'static str = N::NAME;
    const PATH: Option<&'static str> = None;
    const AUTH: Auth = Auth::Bearer;
    const CLASS: Class = N::CLASS;
    const EVIDENCE: Evidence = Evidence::Unknown;
    type Reply = R;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(&self.request)
    }

    fn decode(success: Success<'_>) -> Result<R, Malformed> {
        success.payload()
    }

    fn reference(&self) -> Option<String> {
        self.reference.clone()
    }
}

impl<N: OperationName, Q, R> fmt::Debug for Custom<N, Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom")
            .field("name", &N::NAME)
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}
