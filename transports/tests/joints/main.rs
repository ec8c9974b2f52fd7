//! What joins a client to other crates: a transport over reqwest, requests of the caller's own over
//! reqwest, and a layer for tower. What holds for all transports is in the suite `conformance`.
#![cfg(all(feature = "reqwest-rustls", feature = "tower"))]

mod below;
mod canary;
mod layer;
mod transport;
mod with_token;

use std::future::{pending, ready};
use std::sync::{Arc, Mutex, MutexGuard};

use http::{Request, Response};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{AsyncClient, Builder, Credentials, Endpoint, ReqwestTransport, TransportError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Sandbox, Time};

/// A builder of reqwest's that trusts nobody: these tests speak plain HTTP.
fn http() -> reqwest::ClientBuilder {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().no_proxy().tls_backend_preconfigured(config)
}

fn transport() -> ReqwestTransport {
    ReqwestTransport::new(http()).unwrap()
}

fn builder(url: &str) -> Builder {
    Builder::new(Endpoint::plain_loopback(url).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
}

/// A client over reqwest.
fn client(url: &str) -> AsyncClient {
    builder(url).nonblocking(transport()).unwrap()
}

/// A sandbox in process.
#[derive(Clone, Default)]
struct Service(Arc<Mutex<Sandbox>>);

impl Service {
    fn sandbox(&self) -> MutexGuard<'_, Sandbox> {
        self.0.lock().unwrap()
    }

    fn answer(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        self.sandbox().handle(Time::from(std::time::SystemTime::now()), request)
    }

    /// A client that gets its tokens there, and has no timer.
    fn client(&self) -> AsyncClient {
        let service = self.clone();
        let send = move |request: Request<Body>, _: Bounds| {
            let request = request.map(|body| body.as_ref().to_vec());
            ready(Ok::<_, TransportError>(service.answer(&request)))
        };
        Builder::new(Endpoint::https("https://sandbox.example").unwrap())
            .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
            .nonblocking((send, |_| pending()))
            .unwrap()
    }
}
