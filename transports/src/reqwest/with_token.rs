//! Sends a caller's own request with a client's token.
//!
//! Owns what follows a 401: the token is rejected, and the request is repeated only if the caller
//! said that this is safe. Does not know how a token is renewed.

use http::StatusCode;
use reqwest::{Client, Request, Response, Url};
use thiserror::Error;

use crate::authorize::{NoToken, allows_url, put};
use crate::client::AsyncClient;

/// Whether a request may be sent a second time after the service has refused its token with a 401.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeat {
    /// It is sent once, and the 401 is returned.
    #[default]
    Never,
    /// It is safe to send it twice: it only reads, or the service acts on it once at most. Do not
    /// say this of a request that creates something or moves money.
    Safe,
}

/// Why [`AsyncClient::send_with_token`] has no response.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The request got no token. Nothing was sent.
    #[error(transparent)]
    NoToken(#[from] NoToken),
    /// The request failed in reqwest. It may have been processed, unless reqwest says that there
    /// was no connection ([`reqwest::Error::is_connect`]) and its client follows no redirect.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

impl AsyncClient {
    /// Sends a request of the caller's own over the caller's own client, with an access token in
    /// its header `Authorization`. The caller decides where the request goes: give the token only
    /// to the service that it is for. Plain http is refused, except to loopback.
    ///
    /// If the service answers 401, the token is [rejected](AsyncClient::reject). If it is
    /// [`Repeat::Safe`], reqwest can [clone](reqwest::Request::try_clone) its body and there is a
    /// new token, it is then repeated once with that token. Otherwise the 401 is returned. A 401
    /// from another place, to which the client was redirected, rejects nothing.
    ///
    /// The token is asked for as [`token`](AsyncClient::token) does. Dropping this future abandons
    /// the request, which may have been processed.
    ///
    /// ```
    /// use imts::reqwest::Repeat;
    /// # use imts::{Builder, Credentials, Endpoint, ReqwestTransport};
    ///
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let service = imts_sandbox::Front::start(imts_sandbox::Sandbox::default())?;
    /// # let url = format!("{}{}", service.url(), imts_sandbox::ECHO_PATH);
    /// # let http = reqwest::Client::builder().no_proxy();
    /// # #[cfg(feature = "reqwest-rustls")]
    /// # let http = http.tls_backend_preconfigured((*imts::tls::Tls::platform()?.client_config()).clone());
    /// # let http = http.build()?;
    /// # let client = Builder::new(Endpoint::plain_loopback(&service.url())?)
    /// #     .credentials(Credentials::new("sandbox-agent", "sandbox-secret")?)
    /// #     .nonblocking(ReqwestTransport::over_trusted(http.clone()))?;
    /// let request = http.post(url).header("content-type", "application/json").body("{}").build()?;
    /// let response = client.send_with_token(&http, request, Repeat::Safe).await?;
    /// assert_eq!(response.status(), 200);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`SendError::NoToken`] if nothing was sent, and reqwest's error otherwise. A status
    /// is no error.
    pub async fn send_with_token(
        &self,
        http: &Client,
        mut request: Request,
        repeat: Repeat,
    ) -> Result<Response, SendError> {
        if !allows_url(request.url().scheme(), request.url().host_str()) {
            return Err(NoToken::PlainHttp.into());
        }
        let bearer = self.token().await.map_err(NoToken::Token)?;
        let epoch = put(request.headers_mut(), &bearer);
        drop(bearer);
        let copy = match repeat {
            Repeat::Safe => request.try_clone(),
            Repeat::Never => None,
        };
        let url = request.url().clone();
        let first = http.execute(request).await?;
        if !is_refused(&first, &url) {
            return Ok(first);
        }
        self.reject(epoch);
        let Some(mut again) = copy else { return Ok(first) };
        let epoch = match self.token().await {
            Ok(bearer) => put(again.headers_mut(), &bearer),
            Err(_) => return Ok(first),
        };
        drop(first);
        let second = http.execute(again).await?;
        if is_refused(&second, &url) {
            self.reject(epoch);
        }
        Ok(second)
    }
}

/// Returns whether the place that was given the token refused it.
fn is_refused(response: &Response, url: &Url) -> bool {
    response.status() == StatusCode::UNAUTHORIZED && response.url().origin() == url.origin()
}
