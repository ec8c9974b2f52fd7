//! The operations that a client may call, by name: class, path, evidence.
//!
//! Owns the list of a service's own operations, and what an integrator adds. That can be paths that
//! the service's module does not know, refusals that are known to come before any processing, and
//! operations outside the list. The token exchanges are not operations. Does not read files: a
//! service file is read elsewhere.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use http::{Method, Uri};
use thiserror::Error;

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

/// One operation of a catalogue.
#[derive(Clone, Debug)]
pub struct OperationInfo {
    name: Cow<'static, str>,
    class: Class,
    auth: Auth,
    evidence: Evidence,
    method: Method,
    path: Option<ServicePath>,
    /// The URL to which a session sends it.
    uri: Option<Uri>,
    decided: Arc<Decided>,
    reply_limit: Option<usize>,
    reference_field: Option<String>,
    built_in: bool,
}

/// The refusals of an operation that are known to come before any processing. After such a refusal
/// nothing was created and no money moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// HTTP statuses.
    pub statuses: BTreeSet<u16>,
    /// The service's error codes. A code that is a number is kept as its digits.
    pub codes: BTreeSet<String>,
}

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
            decided: Arc::default(),
            reply_limit: None,
            reference_field: None,
            built_in: false,
        });
        Ok(())
    }

    /// The same operations, each with its URL at the endpoint, if there is one.
    pub(crate) fn at(mut self, endpoint: &Endpoint) -> Self {
        for entry in &mut self.0 {
            entry.uri = entry.path.as_ref().and_then(|path| endpoint.join(path).ok());
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

impl OperationInfo {
    /// The entry for an operation that is a type of this crate.
    pub(crate) fn of<O: Operation>() -> Self {
        Self {
            name: Cow::Borrowed(O::NAME),
            class: O::CLASS,
            auth: O::AUTH,
            evidence: O::EVIDENCE,
            method: O::METHOD,
            path: O::PATH.map(ServicePath::constant),
            uri: None,
            decided: Arc::default(),
            reply_limit: None,
            reference_field: O::REFERENCE_FIELD.map(str::to_owned),
            built_in: true,
        }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its class, which says when its request may be sent again.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// Returns whether it needs the session's token.
    #[must_use]
    pub fn auth(&self) -> Auth {
        self.auth
    }

    /// Returns how certain its path and form are.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// Returns the method of its request.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns its path, if one is known.
    #[must_use]
    pub fn path(&self) -> Option<&ServicePath> {
        self.path.as_ref()
    }

    /// Its URL, if a session has set it. All its calls share this memory.
    pub(crate) fn uri(&self) -> Option<&Uri> {
        self.uri.as_ref()
    }

    /// The name, shared.
    pub(crate) fn shared_name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    /// The refusals that are known to come before any processing, shared.
    pub(crate) fn shared_decided(&self) -> Arc<Decided> {
        Arc::clone(&self.decided)
    }

    /// Returns the refusals that are known to come before any processing.
    #[must_use]
    pub fn decided(&self) -> &Decided {
        &self.decided
    }

    /// Returns how long the body of its reply may be, in bytes, if that was set.
    #[must_use]
    pub fn reply_limit(&self) -> Option<usize> {
        self.reply_limit
    }

    /// Returns the field of its request that holds the caller's own name for what is asked for.
    #[must_use]
    pub fn reference_field(&self) -> Option<&str> {
        self.reference_field.as_deref()
    }

    /// Returns whether the service's module defines it, so that its class is fixed. Otherwise an
    /// integrator added it.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.built_in
    }
}
