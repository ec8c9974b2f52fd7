//! Operations that have no type here: a name and a class, and perhaps a path.
//!
//! Owns how a service's module lists them. Their requests and replies are the integrator's own.

use std::borrow::Cow;
use std::sync::Arc;

use http::Method;

use super::info::OperationInfo;
use crate::endpoint::ServicePath;
use crate::evidence::Evidence;
use crate::operation::{Auth, Class};

impl OperationInfo {
    /// The entry for an operation of the vendor's list whose path is not known.
    pub(crate) fn by_name(name: &'static str, class: Class, auth: Auth) -> Self {
        Self {
            name: Cow::Borrowed(name),
            class,
            auth,
            evidence: Evidence::Unknown,
            method: Method::POST,
            path: None,
            uri: None,
            endpoint: None,
            needs_endpoint: false,
            decided: Arc::default(),
            reply_limit: None,
            reference_field: None,
            built_in: true,
            conduct: None,
        }
    }

    /// The same with a path, and how certain it is.
    pub(crate) fn with_path(self, path: &'static str, evidence: Evidence) -> Self {
        Self { path: Some(ServicePath::constant(path)), evidence, ..self }
    }

    /// The same with the field of its request that holds the caller's own name for what is asked for.
    pub(crate) fn with_reference_field(self, field: &'static str) -> Self {
        Self { reference_field: Some(field.to_owned()), ..self }
    }
}
