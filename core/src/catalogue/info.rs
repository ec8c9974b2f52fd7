//! One operation of a catalogue: what is known of it.
//!
//! Owns the facts and how they are set. Does not know the other operations, nor how a call uses it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method, Uri};

use crate::endpoint::{Endpoint, ServicePath};
use crate::evidence::Evidence;
use crate::operation::{AskedBy, Auth, Class, Operation, PgForm, Repeat};
#[cfg(feature = "jws")]
use crate::sign::jws::JwsForm;

/// One operation of a catalogue.
#[derive(Clone, Debug)]
pub struct OperationInfo {
    pub(super) name: Cow<'static, str>,
    pub(super) class: Class,
    pub(super) auth: Auth,
    pub(super) evidence: Evidence,
    pub(super) method: Method,
    pub(super) path: Option<ServicePath>,
    /// The URL to which a session sends it.
    pub(super) uri: Option<Uri>,
    /// Where it is, if that is not where the service is.
    pub(super) endpoint: Option<Endpoint>,
    pub(super) needs_endpoint: bool,
    pub(super) decided: Arc<Decided>,
    pub(super) reply_limit: Option<usize>,
    pub(super) reference_field: Option<String>,
    pub(super) built_in: bool,
    /// How its requests differ from plain ones, if they do.
    pub(super) conduct: Option<Arc<Conduct>>,
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

/// How an operation's requests differ from plain ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conduct {
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) reference_header: Option<HeaderName>,
    pub(crate) repeat: Repeat,
    pub(crate) asked_by: Option<AskedBy>,
    #[cfg(feature = "jws")]
    pub(crate) jws_form: Option<JwsForm>,
    pub(crate) pg_form: Option<PgForm>,
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
            endpoint: None,
            needs_endpoint: O::NEEDS_ENDPOINT,
            decided: Arc::default(),
            reply_limit: None,
            reference_field: O::REFERENCE_FIELD.map(str::to_owned),
            built_in: true,
            conduct: None,
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

    /// Returns how its request says who sends it.
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

    /// Sets how its request says who sends it.
    #[must_use]
    pub fn with_auth(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    /// Adds a request header that each of its requests has, such as `X-Action`.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.conduct_mut().headers.push((name, value));
        self
    }

    /// Sets the request header that carries the call's reference, such as `X-Request-Id`. Without a
    /// reference it is then not sent.
    #[must_use]
    pub fn with_reference_header(mut self, name: HeaderName) -> Self {
        self.conduct_mut().reference_header = Some(name);
        self
    }

    /// Sets what the service does with a repeated request. The id by which it recognizes one is the
    /// header that carries the reference, or else the reference's field in the request.
    #[must_use]
    pub fn with_repeat(mut self, repeat: Repeat) -> Self {
        self.conduct_mut().repeat = repeat;
        self
    }

    /// Sets the operation that says what became of a call, and the field of its request that takes
    /// the call's id.
    #[must_use]
    pub fn with_asked_by(mut self, asked_by: AskedBy) -> Self {
        self.conduct_mut().asked_by = Some(asked_by);
        self
    }

    /// Sets the form of its JWS, if it differs from the service's.
    #[cfg(feature = "jws")]
    #[must_use]
    pub fn with_jws_form(mut self, form: JwsForm) -> Self {
        self.conduct_mut().jws_form = Some(form);
        self
    }

    /// Sets how its messages are written and signed with `pg_sig`, if this differs from the service's.
    #[must_use]
    pub fn with_pg_form(mut self, form: PgForm) -> Self {
        self.conduct_mut().pg_form = Some(form);
        self
    }

    /// Returns what the service does with a repeated request.
    #[must_use]
    pub fn repeat(&self) -> &Repeat {
        const UNKNOWN: &Repeat = &Repeat::Unknown;
        self.conduct.as_deref().map_or(UNKNOWN, |conduct| &conduct.repeat)
    }

    /// Returns the operation that says what became of a call, if one is known.
    #[must_use]
    pub fn asked_by(&self) -> Option<&AskedBy> {
        self.conduct.as_deref()?.asked_by.as_ref()
    }

    /// Returns the header that carries the call's reference, if one does.
    #[must_use]
    pub fn reference_header(&self) -> Option<&HeaderName> {
        self.conduct.as_deref()?.reference_header.as_ref()
    }

    /// Returns the request headers that each of its requests has.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        self.conduct.as_deref().map_or(&[], |conduct| &conduct.headers)
    }

    /// Returns the form of its JWS, if it differs from the service's.
    #[cfg(feature = "jws")]
    #[must_use]
    pub fn jws_form(&self) -> Option<&JwsForm> {
        self.conduct.as_deref()?.jws_form.as_ref()
    }

    /// How its requests differ from plain ones, shared.
    pub(crate) fn shared_conduct(&self) -> Option<Arc<Conduct>> {
        self.conduct.clone()
    }

    pub(super) fn conduct_mut(&mut self) -> &mut Conduct {
        Arc::make_mut(self.conduct.get_or_insert_default())
    }
}
