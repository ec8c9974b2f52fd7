//! The client for tasks over hyper-util: crowds, runtimes and events over the sandbox's socket.
//! What holds for both transports is in the suite `conformance`.
#![cfg(feature = "hyper-util")]

mod crowd;
mod runtimes;
#[cfg(feature = "tracing")]
mod traced;
mod transport;

use std::sync::Arc;

use imts::hyper::HyperBuilder;
use imts::{Builder, Credentials, Endpoint, HyperTransport};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET};

/// Trusts nobody: these tests speak plain HTTP.
fn hyper() -> HyperBuilder {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    HyperTransport::builder(Arc::new(config).into())
}

fn builder(url: &str) -> Builder {
    Builder::new(Endpoint::plain_loopback(url).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
}
