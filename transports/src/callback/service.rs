//! Callbacks as a `tower` service, which axum and others mount.
//!
//! Owns the way from a path to one of the merchant's URLs. Does not know what a message says.

use std::convert::Infallible;
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::{self, AnswerBody, NotRead};
use super::nonblocking::AsyncCallbacks;
use super::reply;
use crate::transport::BoxFuture;

/// Answers the requests to all of the merchant's URLs.
///
/// The last part of a request's path says which URL it is; any other path is a 404. At most 256 KiB
/// of a body are read: a longer one is a 413. It never fails and is always ready. Limits on time and
/// on connections are the server's.
///
/// The address of the client plays no part: the signature is the proof. A header such as
/// `X-Forwarded-For` is not looked at, because anyone can write it.
///
/// In axum: `Router::new().route_service("/pay/{name}", CallbackService::new(callbacks))`.
#[derive(Clone, Debug)]
pub struct CallbackService {
    callbacks: AsyncCallbacks,
}

impl CallbackService {
    /// Makes a service of the merchant's callbacks.
    #[must_use]
    pub fn new(callbacks: AsyncCallbacks) -> Self {
        Self { callbacks }
    }
}

impl<B> Service<Request<B>> for CallbackService
where
    B: Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<AnswerBody>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let callbacks = self.callbacks.clone();
        Box::pin(async move { Ok(answered(&callbacks, request).await.map(AnswerBody::new)) })
    }
}

async fn answered<B: Body>(callbacks: &AsyncCallbacks, request: Request<B>) -> Response<Vec<u8>> {
    let Some(url) = callbacks.called_at(request.uri().path()) else {
        return reply::text(404, "no such address");
    };
    let (head, body) = request.into_parts();
    // The message of a GET is in its query.
    let read = match head.method {
        Method::POST => body::read(body, LONGEST).await,
        _ => Ok(Vec::new()),
    };
    match read {
        Ok(bytes) => callbacks.handle(url, &Request::from_parts(head, bytes)).await,
        Err(NotRead::TooLarge) => reply::text(413, "the message is too large"),
        Err(NotRead::Broken) => reply::text(400, "the message is not whole"),
    }
}

/// The longest message, in bytes.
const LONGEST: usize = 262_144;
