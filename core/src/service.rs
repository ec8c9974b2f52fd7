//! How to sign in and how to refresh: data, each part with its evidence.
//!
//! Owns what is known about the service's two token exchanges, and how certain it is. Does not know
//! about sessions: for another service with the same kind of token pair, make another [`Service`].

use http::Method;

use crate::catalogue::Catalogue;
use crate::endpoint::ServicePath;
use crate::evidence::Evidence;

/// The names of the token exchanges in the catalogue.
const SIGN_IN: &str = "get-token";
const REFRESH: &str = "refresh-token";

/// The two token exchanges of a session, and the operations that accept its token.
#[derive(Clone, Debug)]
pub struct Service {
    pub(crate) sign_in: SignIn,
    pub(crate) refresh: Option<Refresh>,
    pub(crate) operations: Catalogue,
}

impl Service {
    /// Makes a service with token exchanges and operations.
    pub(crate) fn of(sign_in: SignIn, refresh: Refresh, operations: Catalogue) -> Self {
        Self { sign_in, refresh: Some(refresh), operations }
    }

    /// Sets another way to sign in.
    #[must_use]
    pub fn with_sign_in(mut self, sign_in: SignIn) -> Self {
        let (path, evidence) = (Some(sign_in.path.clone()), sign_in.evidence);
        self.operations.set_session_path(SIGN_IN, path, evidence);
        Self { sign_in, ..self }
    }

    /// Sets another way to refresh, or none. Without one, a session renews by signing in.
    #[must_use]
    pub fn with_refresh(mut self, refresh: impl Into<Option<Refresh>>) -> Self {
        let refresh = refresh.into();
        let path = refresh.as_ref().map(|refresh| refresh.path.clone());
        let evidence = refresh.as_ref().map_or(Evidence::Unknown, |refresh| refresh.evidence);
        self.operations.set_session_path(REFRESH, path, evidence);
        Self { refresh, ..self }
    }

    /// Sets other operations, or other paths for them. The two token exchanges do not change.
    #[must_use]
    pub fn with_operations(self, operations: Catalogue) -> Self {
        let (sign_in, refresh) = (self.sign_in.clone(), self.refresh.clone());
        Self { operations, ..self }.with_sign_in(sign_in).with_refresh(refresh)
    }

    /// Returns the operations that may be called.
    #[must_use]
    pub fn operations(&self) -> &Catalogue {
        &self.operations
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
}

/// Get token: `POST` of `{"agent_id": …, "agent_secret": …}`, without `Authorization`.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub(crate) path: ServicePath,
    pub(crate) evidence: Evidence,
}

impl SignIn {
    /// Returns Get token's exchange at another path.
    #[must_use]
    pub fn at(path: ServicePath) -> Self {
        Self { path, evidence: Evidence::Assumed }
    }

    /// Sets the integrator's own label for how certain it is.
    #[must_use]
    pub fn with_evidence(self, evidence: Evidence) -> Self {
        Self { evidence, ..self }
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
}

/// Refresh token: how the refresh token is sent. The reply has the shape of Get token's reply.
#[derive(Clone, Debug)]
pub struct Refresh {
    pub(crate) method: Method,
    pub(crate) path: ServicePath,
    pub(crate) token_in: TokenIn,
    pub(crate) evidence: Evidence,
}

impl Refresh {
    /// Makes a refresh from what the integrator knows about it.
    #[must_use]
    pub fn new(method: Method, path: ServicePath, token_in: TokenIn) -> Self {
        Self { method, path, token_in, evidence: Evidence::Assumed }
    }

    /// Sets the integrator's own label for how certain it is.
    #[must_use]
    pub fn with_evidence(self, evidence: Evidence) -> Self {
        Self { evidence, ..self }
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
}

/// Where a request carries the refresh token.
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
