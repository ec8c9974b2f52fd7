//! One suite for the ready-made transports: real sockets on loopback, a service that may be
//! hostile, and the same outcome whichever transport carries the request. The transport over reqwest
//! takes part where the suite does not ask for what the two with connections of their own know.
#![cfg(all(feature = "ureq", feature = "hyper-util", feature = "reqwest-rustls"))]

mod causes;
mod client;
#[cfg(feature = "service-file")]
mod deliveries;
mod dialling;
mod evidence;
mod forms;
#[cfg(target_os = "linux")]
mod frozen;
mod heads;
mod hostile;
mod methods;
mod offsets;
mod plain_hosts;
#[cfg(target_os = "linux")]
mod pooled;
mod proxies;
mod raw;
mod replies;
mod sandbox;
#[cfg(all(feature = "jws", feature = "pg-sig"))]
mod signed;
mod tls;

use std::fmt;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use http::{Request, Response};
use imts::proxy::Proxy;
use imts::secret::Body;
use imts::tls::{Certificates, Tls};
use imts::transport::Bounds;
use imts::{
    AsyncTransport, BearerGuard, Builder, Credentials, Endpoint, HyperTransport, ReqwestTransport,
    TokenError, Transport, TransportError, UreqTransport,
};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET};
use tokio::runtime::Runtime;

/// What a transport is made of.
pub(crate) struct Made {
    pub(crate) tls: Tls,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) connect_timeout: Duration,
    /// The addresses of every name; the system's resolver is asked if `None`.
    pub(crate) addresses: Option<Vec<SocketAddr>>,
}

impl Default for Made {
    /// Trusts an authority that has certified nobody.
    fn default() -> Self {
        let connect_timeout = Duration::from_secs(20);
        Self { tls: NOBODY.clone(), proxy: None, connect_timeout, addresses: None }
    }
}

static NOBODY: LazyLock<Tls> = LazyLock::new(|| {
    let nobody = rcgen::generate_simple_self_signed(["nobody.example".to_owned()]).unwrap();
    let roots = Certificates::from_pem(nobody.cert.pem()).unwrap();
    Tls::builder().only_roots(roots).build().unwrap()
});

/// One of the transports.
#[derive(Clone)]
pub(crate) enum Carrier {
    Ureq(UreqTransport),
    Hyper(HyperTransport),
    Reqwest(ReqwestTransport),
}

/// Where hyper's and reqwest's connections live.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

impl Carrier {
    /// Each of the three, without a proxy or addresses.
    pub(crate) fn all(made: &Made) -> [Self; 3] {
        let [ureq, hyper] = Self::both(made);
        let reqwest = reqwest::Client::builder().connect_timeout(made.connect_timeout);
        let reqwest = ReqwestTransport::with_tls(reqwest, &made.tls).unwrap();
        [ureq, hyper, Self::Reqwest(reqwest)]
    }

    /// Each of the three, as they do for plain http.
    pub(crate) fn each() -> [Self; 3] {
        Self::all(&Made::default())
    }

    /// Each of the two with connections of their own.
    pub(crate) fn both(made: &Made) -> [Self; 2] {
        let mut ureq =
            UreqTransport::builder(made.tls.clone()).connect_timeout(made.connect_timeout);
        let mut hyper =
            HyperTransport::builder(made.tls.clone()).connect_timeout(made.connect_timeout);
        if let Some(proxy) = &made.proxy {
            ureq = ureq.proxy(proxy.clone());
            hyper = hyper.proxy(proxy.clone());
        }
        if let Some(addresses) = made.addresses.clone() {
            let known = addresses.clone();
            ureq = ureq.resolver(move |_, _| Ok(known.clone()));
            hyper = hyper.resolver(move |_, _| ready(Ok(addresses.clone())));
        }
        [Self::Ureq(ureq.build()), Self::Hyper(hyper.build())]
    }

    /// Each of those two, as they do for plain http.
    pub(crate) fn untrusting() -> [Self; 2] {
        Self::both(&Made::default())
    }

    pub(crate) fn send(
        &self,
        url: &str,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let body = Body::from(BODY.to_vec());
        let request = Request::post(url).header("content-type", "application/json");
        self.carry(request.body(body).unwrap(), bounds)
    }

    /// Carries a request as it is.
    pub(crate) fn carry(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        match self {
            Self::Ureq(ureq) => ureq.send(request, bounds),
            Self::Hyper(hyper) => RUNTIME.block_on(hyper.send(request, bounds)),
            Self::Reqwest(reqwest) => RUNTIME.block_on(reqwest.send(request, bounds)),
        }
    }

    /// Whether hyper reads the replies as they come.
    pub(crate) fn is_over_reqwest(&self) -> bool {
        matches!(self, Self::Reqwest(_))
    }

    /// The first token that a client over this transport gets.
    pub(crate) fn token(&self, builder: Builder) -> Result<BearerGuard, TokenError> {
        self.client(builder).token()
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ureq(_) => "ureq",
            Self::Hyper(_) => "hyper",
            Self::Reqwest(_) => "reqwest",
        })
    }
}

/// A client of a service on loopback.
pub(crate) fn plain(url: &str) -> Builder {
    builder(Endpoint::plain_loopback(url).unwrap())
}

pub(crate) fn builder(endpoint: Endpoint) -> Builder {
    Builder::new(endpoint).credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
}

/// What is sent where no client sends.
pub(crate) const BODY: &[u8] = br#"{"agent_id":"agent","agent_secret":"secret"}"#;

pub(crate) const BOUNDS: Bounds =
    Bounds { reply_limit: 65_536, time_limit: Duration::from_secs(30) };

/// A grant as the service prints it, for a quarter of an hour.
pub(crate) const GRANT: &str = r#"{"state":true,"response_time":"2026-01-01T00:00:00.000000Z","payload":{"access_token":"access-1","refresh_token":"refresh-1","access_expire_at":"2026-01-01T00:15:00+00:00","refresh_expire_at":"2026-01-31T00:00:00+00:00"}}"#;

/// A whole answer with this body.
pub(crate) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
