//! The operations that a client may call, by name: class, path, evidence.
//!
//! Owns the list of a service's own operations, and what an integrator adds. That can be paths that
//! the service's module does not know, refusals that are known to come before any processing, and
//! operations outside the list. The token exchanges are not operations. Does not read files: a
//! service file is read elsewhere.

#[cfg(any(feature = "jws", feature = "pg-sig"))]
mod by_name;
mod elsewhere;
mod info;
mod signed;

use std::borrow::Cow;
use std::sync::Arc;

use http::Method;
use thiserror::Error;

pub(crate) use self::info::Conduct;
pub use self::info::{Decided, OperationInfo};
use crate::endpoint::{Endpoint, EndpointError, ServicePath};
use crate::evidence::Evidence;
use crate::operation::{Auth, Class, Operation};

/// The operations of a service: the built-in ones, which the service's module defines, in the order of
/// the vendor's list; then those that an integrator added.
///
/// ```
/// use imts_core::endpoint::ServicePath;
/// use imts_core::{Catalogue, Class, Evidence, services};
///
/// let mut catalogue = services::transfer::catalogue();
/// assert_eq!(catalogue.len(), 15);
/// assert!(catalogue.entry("confirm").unwrap().path().is_none()); // unknown: never invented
/// let path = ServicePath::new("/v5/partner/transfer/example")?; // from the vendor's page
/// catalogue.set_path("confirm", path, Evidence::Assumed)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Catalogue(Vec<OperationInfo>);

/// Why a catalogue is not changed. The integrator must correct it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// No catalogue entry has this name yet, and its class was not given.
    #[error("`{name}` is not an operation of the service: give it a class to add it")]
    NoSuchOperation {
        /// The name.
        name: String,
    },
    /// The operation is built in, so its class is fixed.
    #[error("the class of `{name}` is {class} and cannot be changed: leave `class` out")]
    ClassIsFixed {
        /// The name.
        name: String,
        /// Its class.
        class: Class,
    },
    /// The name is empty, or has characters other than lower-case letters, digits and hyphens.
    #[error("an operation's name is made of lower-case letters, digits and hyphens")]
    Name,
    /// The header is one that the protocol sets, or the value is not one of a header.
    #[error(
        "the header `{name}` cannot be set: the protocol sets it, or its value is not visible ASCII"
    )]
    Header {
        /// The header's name.
        name: String,
    },
    /// An operation's own host would be reached by plain `http`, and is not this machine.
    #[error("plain http to another machine would send the token in clear: use https")]
    PlainHost,
    /// The reply limit is outside its range.
    #[error("the reply limit {limit} is not a number of bytes from 1 to {MAX_REPLY_LIMIT}")]
    ReplyLimit {
        /// The limit that was given, in bytes.
        limit: usize,
    },
}

/// The highest reply limit that one operation or call may have, in bytes: 64 MiB.
pub const MAX_REPLY_LIMIT: usize = 67_108_864;

impl Catalogue {
    /// Makes a catalogue without operations.
    #[must_use]
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds an operation that is a type, as one of the service's own: its class is then fixed.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Path`] if the type's path is not safe.
    pub fn with<O: Operation>(mut self) -> Result<Self, EndpointError> {
        let path = O::PATH.map(ServicePath::new).transpose()?;
        self.0.retain(|info| info.name != O::NAME);
        self.0.push(OperationInfo { path, ..OperationInfo::of::<O>() });
        Ok(self)
    }

    /// Makes a catalogue of these operations.
    pub(crate) fn of(operations: impl IntoIterator<Item = OperationInfo>) -> Self {
        Self(operations.into_iter().collect())
    }

    /// Returns the operation of this name.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&OperationInfo> {
        self.0.iter().find(|entry| entry.name == name)
    }

    /// Iterates over all operations: the built-in ones in the vendor's order, then those that were added.
    pub fn iter(&self) -> impl Iterator<Item = &OperationInfo> {
        self.0.iter()
    }

    /// Returns the number of operations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether it has no operation.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets an operation's path, and how certain the integrator is of it.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::NoSuchOperation`] if the name is not known.
    pub fn set_path(
        &mut self,
        name: &str,
        path: ServicePath,
        evidence: Evidence,
    ) -> Result<(), CatalogueError> {
        let entry = self.entry_mut(name)?;
        entry.path = Some(path);
        entry.evidence = evidence;
        Ok(())
    }

    /// Sets the method of an operation's request. If it is not set, it is the one that the
    /// operation's type names, or `POST`. The method does not say what may be repeated: the class
    /// does.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::NoSuchOperation`] if the name is not known.
    pub fn set_method(&mut self, name: &str, method: Method) -> Result<(), CatalogueError> {
        self.entry_mut(name)?.method = method;
        Ok(())
    }

    /// Sets which refusals of an operation are known to come before any processing.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::NoSuchOperation`] if the name is not known.
    pub fn set_decided(&mut self, name: &str, decided: Decided) -> Result<(), CatalogueError> {
        self.entry_mut(name)?.decided = Arc::new(decided);
        Ok(())
    }

    /// Sets how long the body of a reply to this operation may be, in bytes, 1 to
    /// [`MAX_REPLY_LIMIT`]. If it is not set, [`Policy::reply_limit`](crate::Policy::reply_limit)
    /// counts.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::ReplyLimit`] if the limit is outside its range;
    /// [`CatalogueError::NoSuchOperation`] if the name is not known.
    pub fn set_reply_limit(&mut self, name: &str, limit: usize) -> Result<(), CatalogueError> {
        let entry = self.entry_mut(name)?;
        if !(1..=MAX_REPLY_LIMIT).contains(&limit) {
            return Err(CatalogueError::ReplyLimit { limit });
        }
        entry.reply_limit = Some(limit);
        Ok(())
    }

    /// Sets the field of an operation's request that holds the caller's own name for what is asked
    /// for, such as `client_uuid`. The field is a text or a whole number.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::NoSuchOperation`] if the name is not known.
    pub fn set_reference_field(&mut self, name: &str, field: &str) -> Result<(), CatalogueError> {
        self.entry_mut(name)?.reference_field = Some(field.to_owned());
        Ok(())
    }

    /// Adds an operation that is not built in, or changes the path and class of one that was added.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::ClassIsFixed`] if the operation is built in;
    /// [`CatalogueError::Name`] if the name is not valid.
    pub fn add(
        &mut self,
        name: &str,
        class: Class,
        path: ServicePath,
        evidence: Evidence,
    ) -> Result<(), CatalogueError> {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_name) {
            return Err(CatalogueError::Name);
        }
        if let Some(OperationInfo { class, .. }) = self.entry(name).filter(|entry| entry.built_in) {
            let (name, class) = (name.to_owned(), *class);
            return Err(CatalogueError::ClassIsFixed { name, class });
        }
        self.0.retain(|entry| entry.name != name);
        self.0.push(OperationInfo {
            name: Cow::Owned(name.to_owned()),
            class,
            auth: Auth::Bearer,
            evidence,
            method: Method::POST,
            path: Some(path),
            uri: None,
            endpoint: None,
            needs_endpoint: false,
            decided: Arc::default(),
            reply_limit: None,
            reference_field: None,
            built_in: false,
            conduct: None,
        });
        Ok(())
    }

    /// The same operations, each with its URL at the endpoint, if there is one.
    pub(crate) fn at(mut self, endpoint: &Endpoint) -> Self {
        for entry in &mut self.0 {
            let at = entry.endpoint.as_ref().or((!entry.needs_endpoint).then_some(endpoint));
            let url = entry.path.as_ref().zip(at);
            entry.uri = url.and_then(|(path, at)| at.join(path).ok());
        }
        self
    }

    fn entry_mut(&mut self, name: &str) -> Result<&mut OperationInfo, CatalogueError> {
        self.0
            .iter_mut()
            .find(|entry| entry.name == name)
            .ok_or_else(|| CatalogueError::NoSuchOperation { name: name.to_owned() })
    }
}
