//! How to sign in and how to refresh: data, each part with its evidence.
//!
//! Owns what is known about the service's two token exchanges, and how certain it is. Does not know
//! about sessions: for another service with the same kind of token pair, make another [`Service`].

use http::Method;

use crate::catalogue::Catalogue;
use crate::endpoint::ServicePath;
use crate::evidence::Evidence;
use crate::operation::Operation;
pub use crate::operations::TokenIn;
use crate::operations::{GET_TOKEN_PATH, GetToken, REFRESH_TOKEN_PATH, RefreshToken};

/// The vendor's production base URL (published, on the pages of sibling APIs and of Fees).
///
/// Pass it explicitly: nothing in this crate uses it by itself.
pub const PRODUCTION_URL: &str = "https://api.freedompay.kz";

/// The vendor's test base URL (assumed: published for sibling APIs only).
pub const TEST_URL: &str = "https://test-api.freedompay.kz";

/// The two token exchanges of a session, and the operations that accept its token.
#[derive(Clone, Debug)]
pub struct Service {
    pub(crate) sign_in: SignIn,
    pub(crate) refresh: Option<Refresh>,
    pub(crate) operations: Catalogue,
}

impl Service {
    /// Returns IMTS as its pages print it: Get token as published, Refresh token as assumed.
    #[must_use]
    pub fn imts() -> Self {
        let (sign_in, refresh) = (SignIn::imts(), Some(Refresh::imts()));
        Self { sign_in, refresh, operations: Catalogue::imts() }
    }

    /// Sets another way to sign in.
    #[must_use]
    pub fn with_sign_in(mut self, sign_in: SignIn) -> Self {
        let (path, evidence) = (Some(sign_in.path.clone()), sign_in.evidence);
        self.operations.set_session_path(GetToken::NAME, path, evidence);
        Self { sign_in, ..self }
    }

    /// Sets another way to refresh, or none. Without one, a session renews by signing in.
    #[must_use]
    pub fn with_refresh(mut self, refresh: impl Into<Option<Refresh>>) -> Self {
        let refresh = refresh.into();
        let path = refresh.as_ref().map(|refresh| refresh.path.clone());
        let evidence = refresh.as_ref().map_or(Evidence::Unknown, |refresh| refresh.evidence);
        self.operations.set_session_path(RefreshToken::NAME, path, evidence);
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

impl Default for Service {
    /// [`Service::imts`].
    fn default() -> Self {
        Self::imts()
    }
}

/// Get token: `POST` of `{"agent_id": …, "agent_secret": …}`, without `Authorization`.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub(crate) path: ServicePath,
    pub(crate) evidence: Evidence,
}

impl SignIn {
    /// Returns Get token as published in full: `POST /v5/partner/transfer/agent/auth`.
    #[must_use]
    pub fn imts() -> Self {
        let path = ServicePath::constant(GET_TOKEN_PATH);
        Self { path, evidence: GetToken::EVIDENCE }
    }

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
    /// Returns the assumed refresh (the page prints only the operation's name and purpose):
    /// `POST /v5/partner/transfer/agent/refresh` with `{"refresh_token": …}`.
    #[must_use]
    pub fn imts() -> Self {
        let path = ServicePath::constant(REFRESH_TOKEN_PATH);
        Self::new(Method::POST, path, TokenIn::Body { field: "refresh_token".to_owned() })
    }

    /// Makes a refresh from what the integrator knows about it.
    #[must_use]
    pub fn new(method: Method, path: ServicePath, token_in: TokenIn) -> Self {
        Self { method, path, token_in, evidence: RefreshToken::EVIDENCE }
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
