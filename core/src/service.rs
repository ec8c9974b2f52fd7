//! A service: data and readers that the engine takes.
//!
//! Owns what a service consists of: how it writes replies, its operations and, if it has them, its
//! tokens. Names no field and no path: each service in [`services`](crate::services) does, or an
//! integrator's own. Does not know about sessions.
//!
//! ```
//! use http::Method;
//! use imts_core::service::{CredentialsIn, Refresh, SignIn, TokenIn};
//! use imts_core::{ServicePath, services};
//!
//! // The service as the vendor prints it, with another way to refresh:
//! let path = ServicePath::new("/v5/partner/transfer/agent/auth")?;
//! let refresh = Refresh::new(Method::PATCH, path, TokenIn::Bearer);
//! let tokens = services::transfer::tokens().with_refresh(refresh);
//! let service = services::transfer().with_tokens(tokens);
//! assert!(service.tokens().is_some_and(|tokens| tokens.has_way_back()));
//! # Ok::<(), imts_core::EndpointError>(())
//! ```

mod exchanges;

pub use self::exchanges::{CredentialsIn, Refresh, SignIn, TokenIn};
use crate::catalogue::Catalogue;
use crate::endpoint::ServicePath;
use crate::wire;
pub use crate::wire::{
    Envelope, EnvelopeReader, ErrorForm, Field, Format, GrantReader, Granted, Object,
    RefusalFields, Success, Text, Times,
};

/// How a service writes replies, how its tokens are obtained, and its operations.
#[derive(Clone, Debug)]
pub struct Service {
    pub(crate) format: &'static Format,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) operations: Catalogue,
}

impl Service {
    /// Makes a service without tokens. Its operations can be called without a session.
    #[must_use]
    pub fn new(format: &'static Format, operations: Catalogue) -> Self {
        Self { format, tokens: None, operations }
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

/// How the tokens of a service are obtained: by a sign-in, and perhaps by a refresh.
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
        reply: crate::exchange::Reply<'_>,
        asked: wire::Asked<'_>,
        error_refuses: bool,
    ) -> Result<Granted, crate::error::ReplyError> {
        wire::read_grant(reply, asked, self.grant, error_refuses)
    }
}
