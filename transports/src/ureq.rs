//! The ready-made transport of the blocking client, over `ureq`.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use imts_core::{Body, Failure, NotSent};
use ureq::tls::{RootCerts, TlsConfig};

use crate::transport::{Bounds, Transport};

/// Carries requests by `ureq`.
#[derive(Clone, Debug)]
pub struct UreqTransport {
    agent: ureq::Agent,
}

impl UreqTransport {
    /// A transport with the default settings.
    ///
    /// # Errors
    ///
    /// None.
    pub fn new() -> Result<Self, std::convert::Infallible> {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent("")
            .accept("")
            .tls_config(tls)
            .timeout_connect(Some(Duration::from_secs(10)))
            .build();
        Ok(Self { agent: config.new_agent() })
    }
}

impl Transport for UreqTransport {
    fn send(&self, request: Request<Body>, bounds: Bounds) -> Result<Response<Vec<u8>>, Failure> {
        let request = request.map(|body| body.as_ref().to_vec());
        let request =
            self.agent.configure_request(request).timeout_global(Some(bounds.time_limit)).build();
        let response = self.agent.run(request).map_err(|error| match error {
            ureq::Error::Timeout(_) => Failure::unknown().timed_out(),
            ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => {
                Failure::not_sent(NotSent::vouch()).because(io)
            }
            _ => Failure::unknown(),
        })?;
        let (parts, body) = response.into_parts();
        let mut bytes = Vec::new();
        body.into_reader()
            .take(bounds.reply_limit as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::unknown().because(error))?;
        Ok(Response::from_parts(parts, bytes))
    }
}
