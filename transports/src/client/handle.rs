//! A client for one thread or task that asks for a token very often.
//!
//! Owns only what is kept between two asks. If an ask cannot be answered from that, it goes to the
//! client.

use std::fmt;

use imts_core::Bearer;

use crate::client::bearer::TokenCache;
use crate::client::blocking::Client;
use crate::client::nonblocking::AsyncClient;
use crate::token_error::TokenError;

/// A [`Client`] for one thread that asks for a token very often.
///
/// An ask costs little more than one reading of the machine's coarse clock. The client's guarantees
/// hold: if any thread rejected or replaced a token before the ask, that token is not returned. A
/// handle keeps the last token between asks, so drop a handle that is idle for long.
///
/// ```
/// # let sandbox = std::sync::Mutex::new(imts_sandbox::Sandbox::default());
/// # let transport = move |request: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
/// #     let request = request.map(|body| body.as_ref().to_vec());
/// #     Ok(sandbox.lock().unwrap().handle(imts_sandbox::Time::from(std::time::SystemTime::now()), &request))
/// # };
/// # let client = imts::Builder::new(imts::Endpoint::https("https://sandbox.example")?)
/// #     .credentials(imts::Credentials::new("sandbox-agent", "sandbox-secret")?)
/// #     .blocking(transport)?;
/// let mut handle = client.handle();
/// for _ in 0..100_000 {
///     let bearer = handle.token()?;
///     assert_eq!(bearer.epoch().count(), 1); // one request served them all
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Handle {
    client: Client,
    cache: TokenCache,
    /// The answer to the last ask that went to the client.
    answer: Option<Bearer>,
}

/// An [`AsyncClient`] for one task that asks for a token very often. It behaves as a [`Handle`]
/// does.
pub struct AsyncHandle {
    client: AsyncClient,
    cache: TokenCache,
    /// The answer to the last ask that went to the client.
    answer: Option<Bearer>,
}

impl Client {
    /// Returns a handle for one thread that asks very often. It caches the token between asks.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { client: self.clone(), cache: self.token_cache(), answer: None }
    }
}

impl Handle {
    /// Returns a token that is valid now; see [`Client::token`].
    ///
    /// # Errors
    ///
    /// Fails as [`Client::token`] does.
    #[inline]
    pub fn token(&mut self) -> Result<&Bearer, TokenError> {
        if self.answer.is_some() {
            forget(&mut self.answer);
        }
        match self.cache.fresh() {
            Some(bearer) => Ok(bearer),
            None => later(&self.client, &mut self.answer),
        }
    }
}

impl AsyncClient {
    /// Returns a handle for one task that asks very often. It caches the token between asks.
    #[must_use]
    pub fn handle(&self) -> AsyncHandle {
        AsyncHandle { client: self.clone(), cache: self.token_cache(), answer: None }
    }
}

impl AsyncHandle {
    /// Returns a token that is valid now; see [`AsyncClient::token`].
    ///
    /// # Errors
    ///
    /// Fails as [`AsyncClient::token`] does.
    #[inline]
    pub async fn token(&mut self) -> Result<&Bearer, TokenError> {
        if self.answer.is_some() {
            forget(&mut self.answer);
        }
        match self.cache.fresh() {
            Some(bearer) => Ok(bearer),
            // Boxed, so that the future of an ask that the cached token answers is small.
            None => Box::pin(later_in_task(&self.client, &mut self.answer)).await,
        }
    }
}

/// Sends an ask to the client.
#[cold]
fn later<'a>(client: &Client, answer: &'a mut Option<Bearer>) -> Result<&'a Bearer, TokenError> {
    Ok(answer.insert(client.token()?.clone()))
}

async fn later_in_task<'a>(
    client: &AsyncClient,
    answer: &'a mut Option<Bearer>,
) -> Result<&'a Bearer, TokenError> {
    Ok(answer.insert(client.token().await?.clone()))
}

#[cold]
fn forget(answer: &mut Option<Bearer>) {
    *answer = None;
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.client).finish()
    }
}

impl fmt::Debug for AsyncHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncHandle").field(&self.client).finish()
    }
}
