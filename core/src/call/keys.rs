//! The keys with which calls are signed. They come with the call, and are no part of a service.
//!
//! Owns which keys there are, and for whom. Does not know which operation needs which.

use std::fmt;

use http::HeaderValue;

use crate::operation::Auth;
use crate::secret::{Credentials, basic_header};
#[cfg(feature = "jws")]
use crate::sign::jws::JwsKey;
#[cfg(feature = "pg-sig")]
use crate::sign::pg_sig::PgSigner;

/// The keys of one partner or merchant, at most one of each kind.
///
/// They are wiped from memory on drop, and `Debug` prints the ids alone.
#[derive(Default)]
pub struct Keys {
    #[cfg(feature = "jws")]
    pub(super) jws: Option<(String, JwsKey)>,
    #[cfg(feature = "pg-sig")]
    pub(super) pg_sig: Option<(String, PgSigner)>,
    basic: Option<Credentials>,
}

impl Keys {
    /// Makes it without any key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the id and the key of a partner or merchant of a v5 API, which signs with a JWS.
    #[cfg(feature = "jws")]
    #[must_use]
    pub fn with_jws(self, party: impl Into<String>, key: JwsKey) -> Self {
        Self { jws: Some((party.into(), key)), ..self }
    }

    /// Adds a merchant's id and its keys for `pg_sig`. If a request has no `pg_merchant_id`, it gets
    /// this id.
    #[cfg(feature = "pg-sig")]
    #[must_use]
    pub fn with_pg_sig(self, merchant_id: impl Into<String>, signer: PgSigner) -> Self {
        Self { pg_sig: Some((merchant_id.into(), signer)), ..self }
    }

    /// Adds an id and a secret for `Authorization: Basic …`.
    #[must_use]
    pub fn with_basic(mut self, credentials: Credentials) -> Self {
        self.basic = Some(credentials);
        self
    }

    /// The id of the one that signs in this way.
    pub(super) fn party(&self, auth: Auth) -> Option<&str> {
        match auth {
            Auth::Basic => self.basic.as_ref().map(Credentials::agent_id),
            #[cfg(feature = "jws")]
            Auth::Jws => self.jws.as_ref().map(|(party, _)| party.as_str()),
            #[cfg(feature = "pg-sig")]
            Auth::PgSig(_) => self.pg_sig.as_ref().map(|(merchant, _)| merchant.as_str()),
            _ => None,
        }
    }

    /// The header with id and secret, and the secret.
    pub(super) fn basic(&self) -> Option<(HeaderValue, &str)> {
        let credentials = self.basic.as_ref()?;
        Some((basic_header(credentials)?, credentials.expose_secret()))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Keys");
        #[cfg(feature = "jws")]
        shown.field("jws", &self.party(Auth::Jws));
        #[cfg(feature = "pg-sig")]
        shown.field("pg_sig", &self.pg_sig.as_ref().map(|(merchant, _)| merchant));
        shown.field("basic", &self.party(Auth::Basic)).finish_non_exhaustive()
    }
}
