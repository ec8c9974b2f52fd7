//! A layer that adds a client's token to requests, and repeats a request whose token was refused.
//!
//! Owns what follows a 401, and the readiness of the service below. Does not know what that service
//! is, nor how a token is renewed.

use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use crate::authorize::{NoToken, allows, put};
use crate::client::AsyncClient;
use crate::transport::BoxFuture;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Adds an access token to each request of a service: the header `Authorization`, in place of what
/// is there.
///
/// If the answer is a 401, the token is [rejected](AsyncClient::reject). If the caller has marked
/// it as [`Repeatable`], its body could be copied and there is a new token, it is then repeated
/// once with that token. Otherwise the 401 is returned.
///
/// The caller decides where requests go: give the token only to the service that it is for. Put the
/// layer outside anything that changes hosts. Plain http is refused, except to loopback; a URL
/// without a host is not checked. The token is asked for as [`AsyncClient::token`] does.
///
/// An error is a boxed [`NoToken`] if nothing was sent, and otherwise the error of the service
/// below.
///
/// ```
/// use http::{Request, Response};
/// use imts::tower::{BearerLayer, Repeatable};
/// # use imts::{Builder, Credentials, Endpoint};
/// use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main] async fn main() -> Result<(), BoxError> {
/// # let sandbox = std::sync::Mutex::new(imts_sandbox::Sandbox::default());
/// # let send = move |request: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
/// #     let request = request.map(|body| body.as_ref().to_vec());
/// #     let now = std::time::SystemTime::now().into();
/// #     std::future::ready(Ok(sandbox.lock().unwrap().handle(now, &request)))
/// # };
/// # let client = Builder::new(Endpoint::https("https://sandbox.example")?)
/// #     .credentials(Credentials::new("sandbox-agent", "sandbox-secret")?)
/// #     .nonblocking((send, |_: std::time::Duration| std::future::pending()))?;
/// let below = service_fn(|request: Request<String>| async move {
///     let token = request.headers()["authorization"].clone();
///     Ok::<_, BoxError>(Response::new(token))
/// });
/// let mut service = ServiceBuilder::new().layer(BearerLayer::new(client)).service(below);
///
/// let mut request = Request::get("https://service.example/").body(String::new())?;
/// Repeatable::mark(&mut request); // it only reads
/// let response = service.ready().await?.call(request).await?;
/// assert!(response.body().to_str()?.starts_with("Bearer "));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct BearerLayer {
    client: AsyncClient,
}

impl BearerLayer {
    /// Creates a layer that takes its tokens from this client.
    #[must_use]
    pub fn new(client: AsyncClient) -> Self {
        Self { client }
    }
}

impl<S> Layer<S> for BearerLayer {
    type Service = BearerService<S>;

    fn layer(&self, inner: S) -> BearerService<S> {
        BearerService { client: self.client.clone(), inner }
    }
}

/// A service whose requests carry an access token; see [`BearerLayer`].
///
/// It is ready when the service below is. A call uses that service, and waits until it is ready
/// again before it repeats a request. Dropping a call's future abandons the request; a renewal that
/// it waited for goes on for others.
#[derive(Clone, Debug)]
pub struct BearerService<S> {
    client: AsyncClient,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for BearerService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<R>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was made ready is the one to call. Its clone may not be ready.
        let next = self.inner.clone();
        let ready = mem::replace(&mut self.inner, next);
        Box::pin(send(self.client.clone(), ready, request))
    }
}

/// Sends a request over a service that is ready.
async fn send<S, B, R>(
    client: AsyncClient,
    mut service: S,
    mut request: Request<B>,
) -> Result<Response<R>, BoxError>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: 'static,
{
    if !allows(request.uri()) {
        return Err(NoToken::PlainHttp.into());
    }
    let bearer = client.token().await.map_err(NoToken::Token)?;
    let epoch = put(request.headers_mut(), &bearer);
    drop(bearer);
    let copy = copied(&request);
    let first = service.call(request).await.map_err(Into::into)?;
    if first.status() != StatusCode::UNAUTHORIZED {
        return Ok(first);
    }
    client.reject(epoch);
    let Some(mut again) = copy else { return Ok(first) };
    let epoch = match client.token().await {
        Ok(bearer) => put(again.headers_mut(), &bearer),
        Err(_) => return Ok(first),
    };
    // A service may not be ready before its last response is gone.
    drop(first);
    poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
    let second = service.call(again).await.map_err(Into::into)?;
    if second.status() == StatusCode::UNAUTHORIZED {
        client.reject(epoch);
    }
    Ok(second)
}

/// Marks a request as safe to send a second time, if the service refuses its token: it only reads,
/// or the service acts on it once at most. It is an extension of the request
/// ([`http::Extensions`]), for the type of body that the request has when it reaches the layer.
///
/// Do not mark a request that creates something or moves money.
pub struct Repeatable<B> {
    copy: fn(&B) -> Option<B>,
}

impl<B: 'static> Repeatable<B> {
    /// Marks a request whose body can be cloned.
    pub fn mark(request: &mut Request<B>)
    where
        B: Clone,
    {
        Self::mark_by(request, |body| Some(body.clone()));
    }

    /// Marks a request whose body is copied by this function. If it returns `None`, the request is
    /// not repeated.
    pub fn mark_by(request: &mut Request<B>, copy: fn(&B) -> Option<B>) {
        request.extensions_mut().insert(Self { copy });
    }
}

impl<B> Clone for Repeatable<B> {
    fn clone(&self) -> Self {
        Self { copy: self.copy }
    }
}

impl<B> fmt::Debug for Repeatable<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Repeatable")
    }
}

/// Returns a copy of a request, if it is marked and its body can be copied.
fn copied<B: 'static>(request: &Request<B>) -> Option<Request<B>> {
    let Repeatable { copy } = request.extensions().get::<Repeatable<B>>()?;
    let mut copied = Request::new(copy(request.body())?);
    *copied.method_mut() = request.method().clone();
    *copied.uri_mut() = request.uri().clone();
    *copied.version_mut() = request.version();
    *copied.headers_mut() = request.headers().clone();
    *copied.extensions_mut() = request.extensions().clone();
    Some(copied)
}
