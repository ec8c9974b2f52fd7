//! Where a call goes: to which service, at which endpoint, with a session or without one.
//!
//! Owns what an operation may not do there: take a token exchange's place, or claim a lower class
//! than its path has.

use std::sync::Arc;

use http::Uri;

use super::NotCallable;
use crate::catalogue::OperationInfo;
use crate::endpoint::{Endpoint, EndpointError, ServicePath};
use crate::operation::{Auth, Class};
use crate::policy::Policy;
use crate::service::Service;

/// Where a call goes, and what it takes from there.
pub(super) struct Target<'a> {
    pub(super) service: &'a Service,
    pub(super) endpoint: &'a Endpoint,
    pub(super) policy: Arc<Policy>,
    pub(super) agent: Option<Arc<str>>,
    /// Whether the URLs in the catalogue are those of this endpoint.
    pub(super) has_urls: bool,
}

impl Target<'_> {
    /// Checks that an operation may go to this path. Only a session makes token exchanges. A path
    /// may have several names, and the highest of their classes counts: with a lower one, a call
    /// that moves money would be sent again.
    pub(super) fn admits(
        &self,
        name: &str,
        path: &ServicePath,
        auth: Auth,
        claimed: Class,
    ) -> Result<(), NotCallable> {
        if let Some(exchange) = self.service.exchange_like(name, path) {
            let (name, exchange) = (name.to_owned(), exchange.to_owned());
            return Err(NotCallable::TokenExchange { name, exchange });
        }
        if auth == Auth::Bearer && self.service.tokens().is_none() {
            return Err(NotCallable::NoTokens { name: name.to_owned() });
        }
        let is_above = |info: &&OperationInfo| info.class() > claimed && info.path() == Some(path);
        match self.service.operations.iter().find(is_above) {
            Some(info) => {
                let (name, has) = (info.name().to_owned(), info.class());
                Err(NotCallable::ClassLowered { name, has, claimed })
            }
            None => Ok(()),
        }
    }

    /// The URL that the session has for the operation. If there is none, it is made here; if the
    /// path does not make a URL with the endpoint, that is the error.
    pub(super) fn url(
        &self,
        info: Option<&OperationInfo>,
        path: &ServicePath,
    ) -> Result<Uri, EndpointError> {
        let made = info.and_then(OperationInfo::uri).filter(|_| self.has_urls);
        made.map_or_else(|| self.endpoint.join(path), |uri| Ok(uri.clone()))
    }
}
