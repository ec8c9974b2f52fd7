//! IMTS's own two clients, with the default policy.

use std::hint::black_box;

use http::HeaderValue;
use imts::tls::Tls;
use imts::{
    AsyncClient, BearerGuard, Builder, Client, Credentials, Endpoint, Handle, HyperTransport,
    UreqTransport,
};

use crate::measure::AGE;
use crate::peer::{Peer, Start, plain};
use crate::service::{Behaviour, Service};

/// The client for tasks over hyper-util.
pub struct ImtsTasks(AsyncClient);

/// The client for threads over ureq.
pub struct ImtsBlocking(Client);

fn builder(service: &Service) -> Builder {
    let endpoint = Endpoint::plain_loopback(&service.url()).expect("it is on loopback");
    let credentials = Credentials::new("agent", "secret").expect("both are given");
    Builder::new(endpoint).credentials(credentials)
}

impl Peer for ImtsTasks {
    const CRATE: &'static str = "imts";
    const SUBJECT: &'static str = "AsyncClient over HyperTransport, renewals spawned";
    const RESULT: &'static str = "BearerGuard (ready header value)";
    const STALE_LIFETIME: u64 = 2 * AGE.as_secs(); // the margin is half the life of so short a token

    type Token = BearerGuard;

    async fn new(service: &Service, start: Start) -> Self {
        let tls = Tls::platform().expect("the platform verifies certificates");
        let transport = HyperTransport::builder(tls).build();
        let builder = builder(service).spawner(|renewal| drop(tokio::spawn(renewal)));
        let client = builder.nonblocking(transport).expect("the parts make a client");
        if start == Start::Refreshing {
            // A token that is dead by the time the next ask comes: only its refresh token is left. One
            // that lives under a second would be followed by quiet.
            let life = std::time::Duration::from_millis(1_100);
            service.behave(Behaviour { lifetime: life, ..Behaviour::default() });
            client.token().await.expect("the service grants");
            tokio::time::sleep(life).await;
        }
        Self(client)
    }

    async fn token(&self) -> Result<BearerGuard, String> {
        self.0.token().await.map_err(|error| error.to_string())
    }

    async fn authorization(&self) -> HeaderValue {
        self.0.token().await.expect("a token is valid").header().clone()
    }

    async fn tokens(&self, times: u32) {
        for _ in 0..times {
            drop(black_box(self.0.token().await));
        }
    }
}

impl Peer for ImtsBlocking {
    const CRATE: &'static str = "imts";
    const SUBJECT: &'static str = "Client over UreqTransport";
    const RESULT: &'static str = ImtsTasks::RESULT;
    const STALE_LIFETIME: u64 = ImtsTasks::STALE_LIFETIME;
    const BLOCKS: bool = true;

    type Token = BearerGuard;

    async fn new(service: &Service, _: Start) -> Self {
        let transport = UreqTransport::new().expect("it has defaults");
        Self(builder(service).blocking(transport).expect("the parts make a client"))
    }

    async fn token(&self) -> Result<BearerGuard, String> {
        self.0.token().map_err(|error| error.to_string())
    }

    async fn authorization(&self) -> HeaderValue {
        self.0.token().expect("a token is valid").header().clone()
    }

    async fn tokens(&self, times: u32) {
        plain(times, || self.0.token());
    }

    async fn authorizations(&self, times: u32) {
        plain(times, || self.0.token().expect("a token is valid").header().clone());
    }
}

/// A handle of [`ImtsBlocking`]'s client, made anew for each row of asks.
pub struct ImtsHandle(ImtsBlocking);

/// A handle of [`ImtsTasks`]' client, made anew for each row of asks.
pub struct ImtsTaskHandle(ImtsTasks);

/// So many asks of a handle, as a thread makes them that keeps it in a variable.
#[inline(never)]
fn asked(handle: &mut Handle, times: u32) {
    for _ in 0..times {
        let _ = black_box(handle.token());
    }
}

impl Peer for ImtsHandle {
    const CRATE: &'static str = "imts";
    const SUBJECT: &'static str = "Handle of a Client";
    const RESULT: &'static str = "&Bearer";
    const STALE_LIFETIME: u64 = ImtsTasks::STALE_LIFETIME;
    const BLOCKS: bool = true;

    type Token = BearerGuard;

    async fn new(service: &Service, start: Start) -> Self {
        Self(ImtsBlocking::new(service, start).await)
    }

    async fn token(&self) -> Result<BearerGuard, String> {
        self.0.token().await
    }

    async fn authorization(&self) -> HeaderValue {
        self.0.authorization().await
    }

    async fn tokens(&self, times: u32) {
        let mut handle = self.0.0.handle();
        asked(&mut handle, times);
    }

    async fn authorizations(&self, times: u32) {
        let mut handle = self.0.0.handle();
        plain(times, || handle.token().expect("a token is valid").header().clone());
    }
}

impl Peer for ImtsTaskHandle {
    const CRATE: &'static str = "imts";
    const SUBJECT: &'static str = "AsyncHandle of an AsyncClient";
    const RESULT: &'static str = ImtsHandle::RESULT;
    const STALE_LIFETIME: u64 = ImtsTasks::STALE_LIFETIME;

    type Token = BearerGuard;

    async fn new(service: &Service, start: Start) -> Self {
        Self(ImtsTasks::new(service, start).await)
    }

    async fn token(&self) -> Result<BearerGuard, String> {
        self.0.token().await
    }

    async fn authorization(&self) -> HeaderValue {
        self.0.authorization().await
    }

    async fn tokens(&self, times: u32) {
        let mut handle = self.0.0.handle();
        for _ in 0..times {
            let _ = black_box(handle.token().await);
        }
    }

    async fn authorizations(&self, times: u32) {
        let mut handle = self.0.0.handle();
        for _ in 0..times {
            drop(black_box(handle.token().await.expect("a token is valid").header().clone()));
        }
    }
}
