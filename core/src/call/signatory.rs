//! Calls of a service without a session: one partner or merchant, with its keys.
//!
//! Owns what all calls of one signatory have in common. Does not know how a call proceeds.

use std::sync::Arc;

use super::extras::Pen;
use super::setup::auth_of;
use super::target::Target;
use super::{Call, Keys, NotCallable};
use crate::catalogue::OperationInfo;
use crate::endpoint::Endpoint;
use crate::json::Json;
use crate::operation::{Auth, Operation};
use crate::policy::Policy;
use crate::secret::Body;
use crate::service::Service;
use crate::time::Mono;

/// One partner or merchant of a service, with its keys. It makes calls that need no session.
///
/// A call is signed once, when it is made. Each of its attempts sends the same bytes. The 16 random
/// bytes become the salt of a message with `pg_sig`, and are not used otherwise: draw new ones for
/// each call.
#[derive(Debug)]
pub struct Signatory {
    endpoint: Endpoint,
    service: Service,
    policy: Arc<Policy>,
    keys: Arc<Keys>,
}

impl Signatory {
    /// Makes a signatory with these keys.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        service: Service,
        policy: impl Into<Arc<Policy>>,
        keys: Keys,
    ) -> Self {
        let service = Service { operations: service.operations.at(&endpoint), ..service };
        Self { endpoint, service, policy: policy.into(), keys: Arc::new(keys) }
    }

    /// Returns the service.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Returns where the service is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Makes a call of an operation. The call must end by `deadline`.
    ///
    /// # Errors
    ///
    /// [`NotCallable`], for example if there is no key for it, or its signature is ambiguous.
    pub fn call<O: Operation>(
        &self,
        operation: &O,
        random: [u8; 16],
        deadline: Mono,
    ) -> Result<Call<O::Reply>, NotCallable> {
        let auth = auth_of::<O>(self.service.operations().entry(O::NAME));
        Call::typed(operation, self.target(auth, random), deadline)
    }

    /// Makes a call of the operation with this name. Its request and its reply are JSON, in whatever
    /// form they are sent. The call must end by `deadline`.
    ///
    /// # Errors
    ///
    /// [`NotCallable`], for example if the service lacks the operation or its path.
    pub fn call_named(
        &self,
        name: &str,
        request: &Json,
        random: [u8; 16],
        deadline: Mono,
    ) -> Result<Call<Json>, NotCallable> {
        let auth = self.service.operations().entry(name).map_or(Auth::None, OperationInfo::auth);
        Call::named(name, Body::json(request)?, self.target(auth, random), deadline)
    }

    fn target(&self, auth: Auth, random: [u8; 16]) -> Target<'_> {
        #[cfg(not(feature = "pg-sig"))]
        let _: [u8; 16] = random; // Only `pg_sig` has a salt.
        let keys = &self.keys;
        let pen = Pen {
            keys,
            #[cfg(feature = "pg-sig")]
            random,
        };
        Target {
            service: &self.service,
            endpoint: &self.endpoint,
            policy: Arc::clone(&self.policy),
            agent: self.keys.party(auth).map(Arc::from),
            has_urls: true,
            pen: Some(pen),
        }
    }
}
