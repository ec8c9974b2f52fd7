//! Where a call goes: to which service, at which endpoint, to which URL.
//!
//! Owns what an operation may not do there: take a token exchange's place, or claim a lower class
//! than its path has. Also owns how the fields of a request fill a path.

use std::borrow::Cow;
use std::sync::Arc;

use http::{Method, Uri};

use super::NotCallable;
use super::extras::{Draft, Extras, Pen};
use crate::catalogue::OperationInfo;
use crate::endpoint::{Endpoint, EndpointError, ServicePath};
use crate::journal::fields;
use crate::operation::{Auth, Class};
use crate::policy::Policy;
use crate::secret::Body;
use crate::service::Service;

/// Where a call goes, and what it takes from there.
pub(super) struct Target<'a> {
    pub(super) service: &'a Service,
    pub(super) endpoint: &'a Endpoint,
    pub(super) policy: Arc<Policy>,
    pub(super) agent: Option<Arc<str>>,
    /// Whether the URLs in the catalogue are those of this endpoint.
    pub(super) has_urls: bool,
    /// What its requests are signed with.
    pub(super) pen: Option<Pen<'a>>,
}

impl Target<'_> {
    /// Checks that an operation may go to this path. Only a session makes token exchanges. A path
    /// may have several names, and the highest of their classes counts. With a lower one, a call
    /// that moves money would be sent again. A safe method asks for no change (RFC 9110, section
    /// 9.2.1), so it is compared only with operations of the same method.
    pub(super) fn admits(
        &self,
        name: &str,
        (method, path): (&Method, &ServicePath),
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
        let is_above = |info: &&OperationInfo| {
            info.class() > claimed
                && info.path().is_some_and(|own| own.meets(path))
                && (!method.is_safe() || info.method() == method)
        };
        match self.service.operations.iter().find(is_above) {
            Some(info) => {
                let (name, has) = (info.name().to_owned(), info.class());
                Err(NotCallable::ClassLowered { name, has, claimed })
            }
            None => Ok(()),
        }
    }

    /// The URL and the body of a call. If the path has parameters, fields of the request fill them,
    /// and a safe method then sends no body: the fields are in the path.
    pub(super) fn placed(
        &self,
        name: &str,
        info: Option<&OperationInfo>,
        (method, path): (&Method, &ServicePath),
        body: Body,
    ) -> Result<(Uri, Body), NotCallable> {
        let base = self.base(name, info)?;
        let filled = path.filled(|field| referred(&body, Some(field)));
        match filled {
            Ok(Cow::Borrowed(path)) => Ok((self.url(info, base, path)?, body)),
            Ok(Cow::Owned(path)) => {
                let body = if method.is_safe() { Body::default() } else { body };
                Ok((base.join(&path)?, body))
            }
            Err(field) => Err(NotCallable::PathField { name: name.to_owned(), field }),
        }
    }

    /// The final body, and what the request has beyond it.
    pub(super) fn sealed(
        &self,
        name: &str,
        draft: Draft<'_>,
        place: (&Method, &Uri),
        body: Body,
    ) -> Result<(Body, Option<Box<Extras>>), NotCallable> {
        let sealed = draft.seal(&self.service.signing, place, body, self.pen);
        sealed.map_err(|why| NotCallable::Sign { name: name.to_owned(), why })
    }

    /// Where the operation is.
    fn base<'b>(
        &'b self,
        name: &str,
        info: Option<&'b OperationInfo>,
    ) -> Result<&'b Endpoint, NotCallable> {
        match info.map(|info| (info.endpoint(), info.needs_endpoint())) {
            Some((Some(own), _)) => Ok(own),
            Some((None, true)) => Err(NotCallable::NoEndpoint { name: name.to_owned() }),
            Some((None, false)) | None => Ok(self.endpoint),
        }
    }

    /// The URL that the session has for the operation. If there is none, it is made here; if the
    /// path does not make a URL with the endpoint, that is the error.
    fn url(
        &self,
        info: Option<&OperationInfo>,
        base: &Endpoint,
        path: &ServicePath,
    ) -> Result<Uri, EndpointError> {
        let made = info.and_then(OperationInfo::uri).filter(|_| self.has_urls);
        made.map_or_else(|| base.join(path), |uri| Ok(uri.clone()))
    }
}

/// The value of this field of the request, if the field occurs once and its value names something.
pub(super) fn referred(body: &Body, field: Option<&str>) -> Option<String> {
    let (field, text) = (field?, std::str::from_utf8(body.as_ref()).ok()?);
    let mut found = fields(text)?.into_iter().filter(|(name, _)| name == field);
    let (_, value) = found.next().filter(|_| found.next().is_none())?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let reference = match value.get() {
        number if is_number(number) => number.to_owned(),
        text => serde_json::from_str(text).ok()?,
    };
    Some(reference).filter(|reference: &String| !reference.is_empty())
}
