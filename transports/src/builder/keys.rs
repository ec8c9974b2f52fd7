//! The keys with which a client signs its calls.
//!
//! Owns the settings. Does not know which operation needs which key.

use imts_core::Credentials;
use imts_core::call::Keys;
#[cfg(feature = "jws")]
use imts_core::sign::jws::JwsKey;
#[cfg(feature = "pg-sig")]
use imts_core::sign::pg_sig::PgSigner;

use super::Builder;

impl Builder {
    /// Sets the id and the key of a partner or merchant of a v5 API, which signs its requests with
    /// a JWS. Such calls need no credentials and no token.
    ///
    /// ```
    /// use imts::operation::Json;
    /// use imts::services::card_api;
    /// use imts::sign::jws::JwsKey;
    /// use imts::{Builder, Endpoint, Outcome};
    ///
    /// let client = Builder::new(Endpoint::https("https://service.example")?)
    ///     .service(card_api::service())
    ///     .jws("123456", JwsKey::new("the partner's key")?)
    ///     .blocking(|request: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
    ///         assert!(request.headers().contains_key("x-jws-signature"));
    ///         Ok(http::Response::new(br#"{"status":"ok","request_status":"success"}"#.to_vec()))
    ///     })?;
    /// let request = Json::parse(r#"{"request_id":"828cf71d-a447-4a67-a149-c1df8bc197ca"}"#)?;
    /// let call = client.call_named("request-status", &request)?;
    /// assert!(matches!(client.perform(call)?, Outcome::Done(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "jws")]
    #[must_use]
    pub fn jws(self, party: impl Into<String>, key: JwsKey) -> Self {
        self.with_keys(|keys| keys.with_jws(party, key))
    }

    /// Sets a merchant's id and its keys for `pg_sig`. The client draws a new salt for each call. If
    /// a request has no `pg_merchant_id`, it gets this id.
    #[cfg(feature = "pg-sig")]
    #[must_use]
    pub fn pg_sig(self, merchant_id: impl Into<String>, signer: PgSigner) -> Self {
        self.with_keys(|keys| keys.with_pg_sig(merchant_id, signer))
    }

    /// Sets the id and the secret of operations that are called with `Authorization: Basic …`. They
    /// are not the credentials of a session.
    #[must_use]
    pub fn basic(self, credentials: Credentials) -> Self {
        self.with_keys(|keys| keys.with_basic(credentials))
    }

    fn with_keys(self, add: impl FnOnce(Keys) -> Keys) -> Self {
        Self { keys: Some(add(self.keys.unwrap_or_default())), ..self }
    }
}
