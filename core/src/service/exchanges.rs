//! The token exchanges: where each secret stands in a request.
//!
//! Owns the requests of a sign-in and a refresh, and how certain each is. Does not read their
//! replies, and does not know when they are sent: the session decides that.

use std::borrow::Cow;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, Request, Uri};

use crate::endpoint::ServicePath;
use crate::evidence::Evidence;
use crate::secret::{Body, Credentials, Token, basic_header, bearer_header};
use crate::wire::{request, strings};

/// How a session signs in: the request that carries its credentials.
#[derive(Clone, Debug)]
pub struct SignIn {
    name: Cow<'static, str>,
    method: Method,
    path: ServicePath,
    credentials: CredentialsIn,
    code_in: Option<Cow<'static, str>>,
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
        let (name, code_in, evidence) = (name.into(), None, Evidence::Assumed);
        Self { name, method, path, credentials, code_in, evidence }
    }

    /// Says that it also takes a code that works once, in this field of a JSON object. The session
    /// then has no way back in. It uses the code up as soon as the request may have left.
    #[must_use]
    pub fn with_code_in(self, field: impl Into<Cow<'static, str>>) -> Self {
        Self { code_in: Some(field.into()), ..self }
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
        match self.credentials {
            CredentialsIn::Basic => basic_header(credentials),
            CredentialsIn::Body { .. } => None,
        }
    }

    pub(crate) fn request(&self, uri: &Uri, credentials: &Credentials) -> Option<Request<Body>> {
        let code = match &self.code_in {
            Some(field) => Some((&**field, credentials.expose_code()?)),
            None => None,
        };
        let (id, secret) = (credentials.agent_id(), credentials.expose_secret());
        let fields = match (&self.credentials, code) {
            (CredentialsIn::Body { id: one, secret: other }, None) => {
                strings(&[(one, id), (other, secret)])
            }
            (CredentialsIn::Body { id: one, secret: other }, Some(code)) => {
                strings(&[(one, id), (other, secret), code])
            }
            (CredentialsIn::Basic, Some(code)) => strings(&[code]),
            (CredentialsIn::Basic, None) => Ok(Vec::new().into()),
        };
        let mut request = request(self.method.clone(), uri, Body::new(fields.ok()?));
        if self.credentials == CredentialsIn::Basic {
            request.headers_mut().insert(AUTHORIZATION, self.authorization(credentials)?);
        }
        Some(request)
    }
}

/// How a session refreshes: the request that carries its refresh token.
#[derive(Clone, Debug)]
pub struct Refresh {
    name: Cow<'static, str>,
    method: Method,
    path: ServicePath,
    token_in: TokenIn,
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
        let name = Cow::Borrowed("refresh-token");
        Self { name, method, path, token_in, evidence: Evidence::Assumed }
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
        let body = match &self.token_in {
            TokenIn::Body { field } => Body::new(strings(&[(field, token.expose())]).ok()?),
            TokenIn::Bearer => Body::default(),
        };
        let mut request = request(self.method.clone(), uri, body);
        if self.token_in == TokenIn::Bearer {
            request.headers_mut().insert(AUTHORIZATION, bearer_header(token.expose())?);
        }
        Some(request)
    }
}
