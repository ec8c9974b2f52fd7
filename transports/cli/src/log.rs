//! What `-v` prints on stderr: requests and replies as they happen, and nothing that could be
//! secret.
//!
//! A server may quote a secret anywhere in its reply, so only numbers of a reply are printed.

use std::time::{Duration, Instant};

use http::{Request, Response};
use imts::endpoint::PlainHost;
use imts::secret::Body;
use imts::transport::{Bounds, BoxFuture, Progress};
use imts::{AsyncTransport, Transport, TransportError};

use crate::out;

/// How much to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    level: u8,
    is_quiet: bool,
}

impl Log {
    pub(crate) fn new(level: u8, is_quiet: bool) -> Self {
        Self { level, is_quiet }
    }

    /// Returns whether to print results and errors only.
    pub(crate) fn is_quiet(self) -> bool {
        self.is_quiet
    }

    /// Wraps a transport. The wrapper logs each request at this log's level.
    pub(crate) fn wrap<T>(self, transport: T) -> Logged<T> {
        Logged { log: self, transport }
    }

    /// Returns whether nothing is logged.
    pub(crate) fn is_silent(self) -> bool {
        self.level == 0
    }

    /// Logs a text at the given level.
    pub(crate) fn tell(self, level: u8, text: impl FnOnce() -> String) {
        if self.level >= level {
            out::note(format_args!("imts: {}", text()));
        }
    }

    fn request(self, request: &Request<Body>, bounds: Bounds) {
        let bytes = request.body().as_ref().len();
        self.tell(1, || format!("> {} {} ({bytes} bytes)", request.method(), request.uri()));
        self.tell(2, || {
            let names: Vec<_> = request.headers().keys().map(http::HeaderName::as_str).collect();
            format!("  headers {}; {bounds:?}", names.join(", "))
        });
    }

    fn outcome(self, outcome: &Result<Response<Vec<u8>>, TransportError>, began: Instant) {
        let millis = began.elapsed().as_millis();
        match outcome {
            Ok(response) => {
                self.tell(1, || {
                    let (status, bytes) = (response.status().as_u16(), response.body().len());
                    format!("< {status} ({bytes} bytes) after {millis} ms")
                });
                self.tell(2, || {
                    let (version, headers) = (response.version(), response.headers().len());
                    format!("  {version:?}, {headers} headers")
                });
            }
            Err(failure) => {
                self.tell(1, || format!("< no reply after {millis} ms: {failure}"));
                self.tell(2, || format!("  proven not sent: {}", failure.is_not_sent()));
            }
        }
    }
}

/// A transport that logs its requests and replies.
pub(crate) struct Logged<T> {
    log: Log,
    transport: T,
}

impl<T: Transport> Transport for Logged<T> {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let began = Instant::now();
        self.log.request(&request, bounds);
        let outcome = self.transport.send(request, bounds);
        self.log.outcome(&outcome, began);
        outcome
    }

    fn checks_plain_host(&self, host: &PlainHost) -> bool {
        self.transport.checks_plain_host(host)
    }
}

impl<T: AsyncTransport> AsyncTransport for Logged<T> {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        self.send_reporting(request, bounds, Progress::default())
    }

    fn send_reporting(
        &self,
        request: Request<Body>,
        bounds: Bounds,
        progress: Progress,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        Box::pin(async move {
            let began = Instant::now();
            self.log.request(&request, bounds);
            let outcome = self.transport.send_reporting(request, bounds, progress).await;
            self.log.outcome(&outcome, began);
            outcome
        })
    }

    fn keeps_time(&self) -> bool {
        self.transport.keeps_time()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.transport.sleep(duration)
    }

    fn checks_plain_host(&self, host: &PlainHost) -> bool {
        self.transport.checks_plain_host(host)
    }
}
