//! The built-in HTTP clients, and their settings for TLS and proxies.
//!
//! Owns the files and the environment variables for these settings. Does not know what is sent.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{Request, Response};
use imts::endpoint::PlainHost;
use imts::proxy::{Proxy, ProxyError};
use imts::secret::Body;
use imts::tls::{Certificates, Tls, TlsError};
use imts::transport::Bounds;
use imts::ureq::UreqBuilder;
use imts::{AsyncTransport, Builder, HyperTransport, Transport, UreqTransport};
use rustls::{ClientConfig, RootCertStore};

use crate::args::{ProxyFrom, ServiceArgs, TransportName};
use crate::client::Client;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::input::Source;
use crate::log::Log;
use crate::tasks::Tasks;

/// The longest file of certificates that is read, in bytes.
const MAX_CERTIFICATES: u64 = 4 * 1_048_576;

/// The longest file of a proxy's URL that is read, in bytes.
const MAX_URL: u64 = 65_536;

/// The settings of a transport.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    ca_file: Option<PathBuf>,
    proxy: Option<ProxyFrom>,
    plain_host: Option<PlainHost>,
    /// Whether every request is plain http: to this machine, or to the named host.
    plain: bool,
}

impl Network {
    /// Takes the settings from flags, for an endpoint if that is known.
    pub(crate) fn of(service: &ServiceArgs, endpoint: Option<&imts::Endpoint>) -> Self {
        Self {
            ca_file: service.ca_file.clone(),
            proxy: service.proxy.clone(),
            plain_host: endpoint.and_then(imts::Endpoint::plain_host),
            plain: endpoint.is_some_and(is_plain),
        }
    }

    /// Returns the settings for the server of a store or a journal: which certificates are trusted.
    pub(crate) fn of_server(ca_file: Option<PathBuf>) -> Self {
        Self { ca_file, ..Self::default() }
    }

    /// Returns the settings for a sandbox on this machine.
    pub(crate) fn loopback() -> Self {
        Self { plain: true, ..Self::default() }
    }

    /// Builds the TLS settings. If every request is plain http, the machine needs no certificates.
    pub(crate) fn tls(&self) -> Result<Tls, Failure> {
        let extra = self.ca_file.as_deref().map(certificates).transpose()?;
        if self.plain {
            return trusting_nobody();
        }
        let tls = match extra {
            Some(extra) => Tls::builder().extra_roots(extra).build(),
            None => Tls::platform(),
        };
        tls.map_err(|error| match (error, &self.ca_file) {
            (TlsError::PlatformRoots, _) => Failure::usage(
                "this machine has no trusted certificates: install the package `ca-certificates`, \
                 or set SSL_CERT_FILE to a PEM file",
            ),
            (error, Some(path)) => unusable(path, &error),
            (error, None) => Failure::usage(error),
        })
    }

    pub(crate) fn proxy(&self) -> Result<Option<Proxy>, Failure> {
        // The message never quotes the value: it may hold a password.
        match &self.proxy {
            None => Ok(None),
            Some(ProxyFrom::Environment) => Proxy::from_env().map_err(|error| match error {
                ProxyError::Variable(..) => Failure::usage(error),
                error => {
                    Failure::usage(format!("the proxy in the environment cannot be used: {error}"))
                }
            }),
            Some(ProxyFrom::File(path)) => {
                let url = Source::File(path.clone()).line("the proxy's URL", MAX_URL)?;
                Proxy::new(&url).map(Some).map_err(|error| {
                    Failure::usage(format!("--proxy @{} cannot be used: {error}", path.display()))
                })
            }
            Some(ProxyFrom::Given(url)) => Proxy::new(url).map(Some).map_err(|error| {
                Failure::usage(format!("--proxy cannot be used: {error}, nor `env`"))
            }),
        }
    }

    /// Returns the settings of the blocking HTTP client.
    pub(crate) fn ureq(&self, tls: Tls, proxy: Option<Proxy>) -> UreqBuilder {
        let mut builder = UreqTransport::builder(tls);
        if let Some(proxy) = proxy {
            builder = builder.proxy(proxy);
        }
        match self.plain_host.clone() {
            Some(host) => builder.plain_http_host(host),
            None => builder,
        }
    }
}

/// An HTTP client that is ready to send.
#[derive(Clone)]
pub(crate) enum Carrier {
    Ureq(UreqTransport),
    HyperUtil(HyperTransport, Tasks),
}

impl Carrier {
    pub(crate) fn new(name: TransportName, network: &Network) -> Result<Self, Failure> {
        let (tls, proxy) = (network.tls()?, network.proxy()?);
        match name {
            TransportName::Ureq => Ok(Self::Ureq(network.ureq(tls, proxy).build())),
            TransportName::HyperUtil => {
                let mut builder = HyperTransport::builder(tls);
                if let Some(proxy) = proxy {
                    builder = builder.proxy(proxy);
                }
                if let Some(host) = network.plain_host.clone() {
                    builder = builder.plain_http_host(host);
                }
                Ok(Self::HyperUtil(builder.build(), Tasks::start()?))
            }
        }
    }

    /// Builds a client that sends its requests with this HTTP client.
    pub(crate) fn client(&self, builder: Builder, log: Log) -> Result<Client, Failure> {
        self.gated_client(builder, log, &Gate::default())
    }

    /// Builds the same client, behind a gate.
    pub(crate) fn gated_client(
        &self,
        builder: Builder,
        log: Log,
        gate: &Gate,
    ) -> Result<Client, Failure> {
        match self {
            Self::Ureq(transport) => {
                builder.blocking(log.wrap(gate.wrap(transport.clone()))).map(Client::Threads)
            }
            Self::HyperUtil(transport, tasks) => {
                let spawning = tasks.handle();
                builder
                    .spawner(move |renewal| drop(spawning.spawn(renewal)))
                    .nonblocking(log.wrap(gate.wrap(transport.clone())))
                    .map(|client| Client::Tasks(client, tasks.clone()))
            }
        }
        .map_err(Failure::endpoint)
    }

    /// Sends one request that does not belong to a client.
    pub(crate) fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, imts::TransportError> {
        match self {
            Self::Ureq(transport) => transport.send(request, bounds),
            Self::HyperUtil(transport, tasks) => tasks.wait_for(transport.send(request, bounds)),
        }
    }
}

/// Returns whether the endpoint uses plain http.
pub(crate) fn is_plain(endpoint: &imts::Endpoint) -> bool {
    endpoint.as_str().starts_with("http:")
}

fn trusting_nobody() -> Result<Tls, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Failure::usage)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(Tls::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Certificates, Failure> {
    let pem = Source::File(path.to_owned()).bytes_of("--ca-file", MAX_CERTIFICATES)?;
    Certificates::from_pem(&*pem).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &TlsError) -> Failure {
    let why: &dyn fmt::Display = match error {
        TlsError::Text(why) => why,
        error => error,
    };
    Failure::usage(format!("--ca-file {} cannot be used: {why}", path.display()))
}
