//! A service: data and readers that the engine takes.
//!
//! Owns what a service consists of: how it writes replies, its operations and, if it has them, its
//! tokens. For tokens it owns the requests of a sign-in and a refresh: where each secret stands in
//! them, and how certain each is. Names no field and no path: each service in
//! [`services`](crate::services) does, or an integrator's own. Does not read replies to token
//! exchanges, and does not know when they are sent: the session decides that.
//!
//! ```
//! use http::Method;
//! use imts_core::service::{CredentialsIn, Refresh, SignIn, TokenIn};
//! use imts_core::endpoint::ServicePath;
//! use imts_core::services;
//!
//! // The service as the vendor prints it, with another way to refresh:
//! let path = ServicePath::new("/v5/partner/transfer/agent/auth")?;
//! let refresh = Refresh::new(Method::PATCH, path, TokenIn::Bearer);
//! let tokens = services::transfer::tokens().with_refresh(refresh);
//! let service = services::transfer().with_tokens(tokens);
//! assert!(service.tokens().is_some_and(|tokens| tokens.has_way_back()));
//! # Ok::<(), imts_core::endpoint::EndpointError>(())
//! ```

mod signing;

use std::borrow::Cow;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, Request, Uri};

pub(crate) use self::signing::Signing;
use crate::catalogue::Catalogue;
use crate::endpoint::ServicePath;
use crate::evidence::Evidence;
use crate::secret::{Body, Credentials, Token, basic_header, bearer_header};
use crate::wire::{self, FieldName, request, strings};
pub use crate::wire::{
    Envelope, EnvelopeReader, ErrorForm, Field, Format, GrantReader, Granted, Object,
    RefusalFields, Success, Text, Times,
};

/// A service: how it writes replies, how its tokens are obtained, and its operations.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name in saved states and stores. `None` for the service that they were first made for.
    pub(crate) name: Option<&'static str>,
    pub(crate) format: &'static Format,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) operations: Catalogue,
    pub(crate) signing: Signing,
}

impl Service {
    /// Makes a service without tokens. Its operations can be called without a session.
    #[must_use]
    pub fn new(format: &'static Format, operations: Catalogue) -> Self {
        Self { name: None, format, tokens: None, operations, signing: Signing::default() }
    }

    /// Names it in saved states and in the entries of stores. Tokens of one service are then never
    /// taken for those of another at the same endpoint.
    #[must_use]
    pub fn with_name(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Returns its name in saved states and stores. `None` if it has none, as Transfer.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// Sets how its replies are written.
    #[must_use]
    pub fn with_format(self, format: &'static Format) -> Self {
        Self { format, ..self }
    }

    /// Returns how its replies are written.
    #[must_use]
    pub fn format(&self) -> &'static Format {
        self.format
    }

    /// Sets how its tokens are obtained.
    #[must_use]
    pub fn with_tokens(self, tokens: Tokens) -> Self {
        Self { tokens: Some(tokens), ..self }
    }

    /// Sets other operations, or other paths for them.
    #[must_use]
    pub fn with_operations(self, operations: Catalogue) -> Self {
        Self { operations, ..self }
    }

    /// Returns the operations that may be called. The token exchanges are not among them.
    #[must_use]
    pub fn operations(&self) -> &Catalogue {
        &self.operations
    }

    /// Returns how its tokens are obtained. `None` if it has none.
    #[must_use]
    pub fn tokens(&self) -> Option<&Tokens> {
        self.tokens.as_ref()
    }

    /// The name of the token exchange that an operation of this name or at this path would be.
    pub(crate) fn exchange_like(&self, name: &str, path: &ServicePath) -> Option<&str> {
        let (sign_in, refresh) = (&self.tokens()?.sign_in, self.tokens()?.refresh());
        if sign_in.name() == name || sign_in.path() == path {
            return Some(sign_in.name());
        }
        let refresh = refresh.filter(|it| it.name() == name || it.path() == path);
        refresh.map(Refresh::name)
    }
}

/// The tokens of a service: how they are obtained, by a sign-in and perhaps by a refresh.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub(crate) sign_in: SignIn,
    pub(crate) refresh: Option<Refresh>,
    pub(crate) grant: GrantReader,
}

impl Tokens {
    /// Takes the sign-in, and the reader of the grant that both exchanges reply with. There is no
    /// refresh yet: a session renews by signing in.
    #[must_use]
    pub fn new(sign_in: SignIn, grant: GrantReader) -> Self {
        Self { sign_in, refresh: None, grant }
    }

    /// Sets another way to sign in.
    #[must_use]
    pub fn with_sign_in(self, sign_in: SignIn) -> Self {
        Self { sign_in, ..self }
    }

    /// Sets another way to refresh, or none. Without one, a session renews by signing in.
    #[must_use]
    pub fn with_refresh(self, refresh: impl Into<Option<Refresh>>) -> Self {
        Self { refresh: refresh.into(), ..self }
    }

    /// Returns how to sign in.
    #[must_use]
    pub fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// Returns how to refresh, if there is a way.
    #[must_use]
    pub fn refresh(&self) -> Option<&Refresh> {
        self.refresh.as_ref()
    }

    /// Returns the reader of the grant that both exchanges reply with.
    #[must_use]
    pub fn grant(&self) -> GrantReader {
        self.grant
    }

    /// Returns whether a session can sign in again with the credentials that it was given. If its
    /// sign-in takes a code that works once, it cannot: only a refresh renews.
    #[must_use]
    pub fn has_way_back(&self) -> bool {
        !self.sign_in.is_one_shot()
    }

    /// Reads a reply to one of the exchanges.
    pub(crate) fn read_grant(
        &self,
        reply: wire::Reply<'_>,
        asked: wire::Asked<'_>,
        error_refuses: bool,
    ) -> Result<Granted, crate::error::ReplyError> {
        wire::read_grant(reply, asked, self.grant, error_refuses)
    }
}

/// A sign-in: the request that carries a session's credentials.
#[derive(Clone, Debug)]
pub struct SignIn {
    name: Cow<'static, str>,
    method: Method,
    path: ServicePath,
    /// The fields of the id and the secret; `None` if they are in `Authorization: Basic …`.
    fields: Option<[FieldName; 2]>,
    code_in: Option<FieldName>,
    evidence: Evidence,
}

/// Where a sign-in carries the id and the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsIn {
    /// Two fields of a JSON object.
    Body {
        /// The name of the id's field.
        id: Cow<'static, str>,
        /// The name of the secret's field.
        secret: Cow<'static, str>,
    },
    /// `Authorization: Basic …` (RFC 7617).
    Basic,
}

impl CredentialsIn {
    /// Makes two fields of a JSON object.
    #[must_use]
    pub fn body(id: impl Into<Cow<'static, str>>, secret: impl Into<Cow<'static, str>>) -> Self {
        Self::Body { id: id.into(), secret: secret.into() }
    }
}

impl SignIn {
    /// Makes a sign-in with reusable credentials, from what is known about it. Its evidence is
    /// [`Evidence::Assumed`].
    #[must_use]
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        method: Method,
        path: ServicePath,
        credentials: CredentialsIn,
    ) -> Self {
        let fields = match credentials {
            CredentialsIn::Body { id, secret } => Some([id, secret].map(FieldName::new)),
            CredentialsIn::Basic => None,
        };
        let (name, code_in, evidence) = (name.into(), None, Evidence::Assumed);
        Self { name, method, path, fields, code_in, evidence }
    }

    /// Says that it also takes a code that works once, in this field of a JSON object. The session
    /// then has no way back in. It uses the code up as soon as the request may have left.
    #[must_use]
    pub fn with_code_in(self, field: impl Into<Cow<'static, str>>) -> Self {
        Self { code_in: Some(FieldName::new(field)), ..self }
    }

    /// Sets another path. Its evidence becomes [`Evidence::Assumed`].
    #[must_use]
    pub fn with_path(self, path: ServicePath) -> Self {
        Self { path, evidence: Evidence::Assumed, ..self }
    }

    /// Sets the integrator's own label for how certain it is.
    #[must_use]
    pub fn with_evidence(self, evidence: Evidence) -> Self {
        Self { evidence, ..self }
    }

    /// Returns its name, such as `get-token`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path to which it is sent.
    #[must_use]
    pub fn path(&self) -> &ServicePath {
        &self.path
    }

    /// Returns how certain it is.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// Returns whether its credentials work only once.
    #[must_use]
    pub fn is_one_shot(&self) -> bool {
        self.code_in.is_some()
    }

    /// Whether these credentials have all that it carries.
    pub(crate) fn can_use(&self, credentials: &Credentials) -> bool {
        !self.is_one_shot() || credentials.expose_code().is_some()
    }

    /// The header that carries id and secret, if one does.
    pub(crate) fn authorization(&self, credentials: &Credentials) -> Option<HeaderValue> {
        if self.fields.is_none() { basic_header(credentials) } else { None }
    }

    pub(crate) fn request(&self, uri: &Uri, credentials: &Credentials) -> Option<Request<Body>> {
        let code = match &self.code_in {
            Some(field) => Some((field, credentials.expose_code()?)),
            None => None,
        };
        let (id, secret) = (credentials.agent_id(), credentials.expose_secret());
        let fields = match (&self.fields, code) {
            (Some([one, other]), None) => strings(&[(one, id), (other, secret)]),
            (Some([one, other]), Some(code)) => strings(&[(one, id), (other, secret), code]),
            (None, Some(code)) => strings(&[code]),
            (None, None) => Ok(Vec::new().into()),
        };
        let mut request = request(self.method.clone(), uri, Body::new(fields.ok()?));
        if self.fields.is_none() {
            request.headers_mut().insert(AUTHORIZATION, self.authorization(credentials)?);
        }
        Some(request)
    }
}

/// A refresh: the request that carries a session's refresh token.
#[derive(Clone, Debug)]
pub struct Refresh {
    name: Cow<'static, str>,
    method: Method,
    path: ServicePath,
    /// The field of the token; `None` if it is in `Authorization: Bearer …`.
    field: Option<FieldName>,
    evidence: Evidence,
}

/// Where a refresh carries the refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenIn {
    /// A JSON object with this one field.
    Body {
        /// The field's name.
        field: String,
    },
    /// `Authorization: Bearer …`, without a body.
    Bearer,
}

impl Refresh {
    /// Makes a refresh from what is known about it. Its name is `refresh-token`, and its evidence
    /// [`Evidence::Assumed`].
    #[must_use]
    pub fn new(method: Method, path: ServicePath, token_in: TokenIn) -> Self {
        let field = match token_in {
            TokenIn::Body { field } => Some(FieldName::new(field)),
            TokenIn::Bearer => None,
        };
        let name = Cow::Borrowed("refresh-token");
        Self { name, method, path, field, evidence: Evidence::Assumed }
    }

    /// Sets its name.
    #[must_use]
    pub fn with_name(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Sets another path. Its evidence becomes [`Evidence::Assumed`].
    #[must_use]
    pub fn with_path(self, path: ServicePath) -> Self {
        Self { path, evidence: Evidence::Assumed, ..self }
    }

    /// Sets the integrator's own label for how certain it is.
    #[must_use]
    pub fn with_evidence(self, evidence: Evidence) -> Self {
        Self { evidence, ..self }
    }

    /// Returns its name, such as `refresh-token`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path to which it is sent.
    #[must_use]
    pub fn path(&self) -> &ServicePath {
        &self.path
    }

    /// Returns how certain it is.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        self.evidence
    }

    pub(crate) fn request(&self, uri: &Uri, token: &Token) -> Option<Request<Body>> {
        let body = match &self.field {
            Some(field) => Body::new(strings(&[(field, token.expose())]).ok()?),
            None => Body::default(),
        };
        let mut request = request(self.method.clone(), uri, body);
        if self.field.is_none() {
            request.headers_mut().insert(AUTHORIZATION, bearer_header(token.expose())?);
        }
        Some(request)
    }
}
