//! A transport over reqwest, and requests of the caller's own with a client's token.
//!
//! Owns what it switches off in reqwest, and what a failure of reqwest proves. `once` is a
//! request's body, `response` reads the response, and `with_token` sends a caller's request.
//! Does not know about sessions.

mod once;
mod response;
mod with_token;

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use http::{Request, Response};
use imts_core::TransportError;
use imts_core::secret::Body;
use imts_core::transport_error::NotSent;
use reqwest::{Client, ClientBuilder, redirect, retry};
use thiserror::Error;
use tokio::runtime::Handle;

use self::once::{Once, Untouched};
use self::response::read;
pub use self::with_token::{Repeat, SendError};
use crate::authorize::{NoToken, allows};
use crate::reason::Reason;
#[cfg(feature = "reqwest-rustls")]
use crate::tls::Tls;
use crate::transport::{AsyncTransport, Bounds, BoxFuture};
use crate::within::within;

/// Sends requests with reqwest: HTTP/1.1, over TLS except to loopback, on tokio.
///
/// It follows no redirect, repeats no request, uses no proxy and decompresses nothing, whatever the
/// builder and the environment say. Everything else is the builder's: TLS, timeouts, the pool,
/// the resolver. Without TLS in your features of reqwest, no `https` URL can be reached; or use the
/// feature `reqwest-rustls` and [`with_tls`](Self::with_tls). Clones share their connections.
///
/// Set a [`connect_timeout`]: reqwest has none. If the time limit of a request ends before there is
/// a connection, the request counts as possibly sent. A request counts as not sent only if reqwest
/// opened no connection for it, or could not use its URL.
///
/// Use it in one runtime. reqwest keeps idle connections that nobody watches while the runtime
/// stands still: a request over a dead one is in doubt. [`HyperTransport`] has neither limit. What
/// reqwest has sent and read stays in its buffers, which are not wiped.
///
/// ```
/// use std::time::Duration;
/// use imts::ReqwestTransport;
///
/// let http = reqwest::Client::builder()
///     .connect_timeout(Duration::from_secs(10))
///     .pool_idle_timeout(Duration::from_secs(30)); // shorter than the service keeps one
/// # #[cfg(feature = "reqwest-rustls")]
/// let transport = ReqwestTransport::with_tls(http, &imts::tls::Tls::platform()?)?;
/// # #[cfg(feature = "reqwest-rustls")]
/// # assert_eq!(format!("{transport:?}"), "ReqwestTransport { .. }");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`connect_timeout`]: reqwest::ClientBuilder::connect_timeout
/// [`HyperTransport`]: crate::HyperTransport
#[derive(Clone)]
pub struct ReqwestTransport {
    client: Client,
    /// Whether the client may answer one request with several exchanges.
    is_foreign: bool,
}

impl ReqwestTransport {
    /// Builds a client, and a transport over it. Of the builder's settings, this replaces redirects,
    /// retries, proxies, decompression, the protocol (HTTP/1.1) and the number of headers that a
    /// response may have (512). `localhost` is this machine, and is not looked up.
    ///
    /// # Errors
    ///
    /// Returns reqwest's error if a setting of the builder cannot be used.
    ///
    /// # Panics
    ///
    /// reqwest panics if it has rustls and no crypto provider: its feature `rustls` brings one. With
    /// `reqwest-rustls` alone, use [`with_tls`](Self::with_tls).
    pub fn new(builder: ClientBuilder) -> Result<Self, reqwest::Error> {
        let client = builder
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .http1_only()
            .http1_max_headers(MOST_HEADERS)
            .resolve_to_addrs("localhost", &[([127, 0, 0, 1], 0).into(), (LOOPBACK_6, 0).into()])
            .build()?;
        Ok(Self { client, is_foreign: false })
    }

    /// Builds a transport as [`new`](Self::new) does, with these TLS settings instead of the
    /// builder's.
    ///
    /// The feature `reqwest-rustls` compiles rustls into reqwest, without a crypto provider. If your
    /// own features of reqwest bring no TLS, give each client that you build elsewhere its TLS
    /// settings too, by [`tls_backend_preconfigured`] and [`Tls::client_config`]: without them,
    /// reqwest panics.
    ///
    /// # Errors
    ///
    /// Returns reqwest's error if a setting of the builder cannot be used.
    ///
    /// [`tls_backend_preconfigured`]: reqwest::ClientBuilder::tls_backend_preconfigured
    #[cfg(feature = "reqwest-rustls")]
    pub fn with_tls(builder: ClientBuilder, tls: &Tls) -> Result<Self, reqwest::Error> {
        let config = tls.client_config().as_ref().clone();
        Self::new(builder.tls_backend_preconfigured(config))
    }

    /// Creates a transport over the caller's own client, which is trusted with secrets. Nothing of
    /// it can be checked or changed: its redirects, retries, proxies, TLS and decompression are the
    /// caller's responsibility. Build it without redirects, retries and proxies, or use
    /// [`new`](Self::new).
    ///
    /// The body of a request is given out once, so such a client cannot send it twice. A request
    /// counts as not sent only if its body was not taken either, because this client may have had
    /// another exchange before the one that failed.
    #[must_use]
    pub fn over_trusted(client: Client) -> Self {
        Self { client, is_foreign: true }
    }

    /// Runs one exchange.
    async fn exchange(
        &self,
        request: Request<Body>,
        limit: usize,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let not_sent = || TransportError::not_sent(NotSent::vouch());
        if Handle::try_current().is_err() {
            return Err(not_sent().because(NoTokio));
        }
        if !allows(request.uri()) {
            return Err(not_sent().because(NoToken::PlainHttp));
        }
        let (request, untouched) = prepared(request, self.is_foreign);
        let request = request.map_err(|error| failure(error, &untouched))?;
        let response = self.client.execute(request).await;
        let response = response.map_err(|error| failure(error, &untouched))?;
        read(response, limit).await.map_err(|error| timed(TransportError::unknown(), error))
    }
}

impl AsyncTransport for ReqwestTransport {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        Box::pin(async move {
            let exchange = pin!(self.exchange(request, bounds.reply_limit));
            let outcome = within(bounds.time_limit, |beat| self.sleep(beat), exchange).await;
            outcome.unwrap_or_else(|| Err(TransportError::unknown().timed_out()))
        })
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport").finish_non_exhaustive()
    }
}

/// Converts a request to reqwest's, and returns what knows whether its body was taken. Header
/// values stay marked as sensitive.
fn prepared(
    request: Request<Body>,
    is_foreign: bool,
) -> (Result<reqwest::Request, reqwest::Error>, Untouched) {
    let (head, body) = request.into_parts();
    let (body, untouched) = Once::new(body, is_foreign);
    let request = Request::from_parts(head, reqwest::Body::wrap(body));
    (reqwest::Request::try_from(request), untouched)
}

/// Returns what a failure before a response proves.
///
/// The request was not sent if reqwest could not use it, or opened no connection for it. A client of
/// the caller's own can report both of a later exchange, after a redirect: then the body was taken.
fn failure(error: reqwest::Error, untouched: &Untouched) -> TransportError {
    if (error.is_builder() || error.is_connect()) && untouched.is_certain() {
        timed(TransportError::not_sent(NotSent::vouch()), error)
    } else {
        timed(TransportError::unknown(), error)
    }
}

/// Adds why the exchange failed, and whether a time limit ended it.
fn timed(failure: TransportError, error: reqwest::Error) -> TransportError {
    let failure = if error.is_timeout() { failure.timed_out() } else { failure };
    failure.because(Reason::of(&error.without_url()))
}

#[derive(Debug, Error)]
#[error("no tokio runtime: poll the client inside one")]
struct NoTokio;

/// How many header lines a response may have.
const MOST_HEADERS: usize = 512;

/// The address `::1`.
const LOOPBACK_6: [u16; 8] = [0, 0, 0, 0, 0, 0, 0, 1];

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;
    use http::{HeaderValue, Request};
    use imts_core::secret::Body;

    use super::prepared;

    #[test]
    fn a_header_that_is_sensitive_stays_so() {
        let mut token = HeaderValue::from_static("Bearer canary");
        token.set_sensitive(true);
        let request = Request::post("https://service.example/").header(AUTHORIZATION, token);
        let request = prepared(request.body(Body::from(b"{}".to_vec())).unwrap(), false).0.unwrap();
        assert!(request.headers()[AUTHORIZATION].is_sensitive());
        assert!(!format!("{request:?}").contains("canary"));
    }
}
