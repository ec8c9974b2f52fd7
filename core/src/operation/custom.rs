//! An operation with the integrator's own fields: its page prints them, but this crate does not
//! know them.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Auth, Class, Operation};
use crate::error::{EncodeError, Malformed};
use crate::evidence::Evidence;
use crate::json::Json;
use crate::secret::Body;
use crate::wire::Success;

/// The name and the class of an operation, and nothing else.
pub trait OperationName {
    /// Its name in the catalogue.
    const NAME: &'static str;
    /// When its request may be sent again.
    const CLASS: Class;
}

/// The operation `N` with the integrator's own request `Q` and reply `R`. Its path comes from the
/// contract's catalogue.
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
/// # Ok::<(), imts_core::EncodeError>(())
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
