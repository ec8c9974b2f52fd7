//! IMTS's own two clients, with the default policy.

use http::HeaderValue;
use imts::{
    AsyncClient, Bearer, Builder, Client, Credentials, Endpoint, HyperTransport, Tls, UreqTransport,
};

use crate::measure::AGE;
use crate::peer::{Peer, Start};
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
    const RESULT: &'static str = "Bearer (header value, shared)";
    const STALE_LIFETIME: u64 = 2 * AGE.as_secs(); // the margin is half the life of so short a token

    type Token = Bearer;

    async fn new(service: &Service, start: Start) -> Self {
        let tls = Tls::platform().expect("the platform verifies certificates");
        let transport = HyperTransport::builder(tls.client_config()).build();
        let builder = builder(service).spawner(|renewal| drop(tokio::spawn(renewal)));
        let client = builder.nonblocking(transport).expect("the parts make a client");
        if start == Start::Refreshing {
            // A token that is dead by the time the next ask comes: only its refresh token is left.
            let life = std::time::Duration::from_millis(200);
            service.behave(Behaviour { lifetime: life, ..Behaviour::default() });
            client.token().await.expect("the service grants");
            tokio::time::sleep(life + life).await;
        }
        Self(client)
    }

    async fn token(&self) -> Result<Bearer, String> {
        self.0.token().await.map_err(|error| error.to_string())
    }

    async fn authorization(&self) -> HeaderValue {
        self.0.token().await.expect("a token is valid").header().clone()
    }
}

impl Peer for ImtsBlocking {
    const CRATE: &'static str = "imts";
    const SUBJECT: &'static str = "Client over UreqTransport";
    const RESULT: &'static str = ImtsTasks::RESULT;
    const STALE_LIFETIME: u64 = ImtsTasks::STALE_LIFETIME;

    type Token = Bearer;

    async fn new(service: &Service, _: Start) -> Self {
        let transport = UreqTransport::new().expect("it has defaults");
        Self(builder(service).blocking(transport).expect("the parts make a client"))
    }

    async fn token(&self) -> Result<Bearer, String> {
        self.0.token().map_err(|error| error.to_string())
    }

    async fn authorization(&self) -> HeaderValue {
        self.0.token().expect("a token is valid").header().clone()
    }
}
