//! azure_identity: a client secret. It takes an https authority alone, so its requests are turned to
//! loopback below its pipeline, and carried on by its own HTTP client.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential};
use azure_core::http::{
    AsyncRawResponse, ClientOptions, HttpClient, Request, Transport, Url, new_http_client,
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use http::HeaderValue;

use crate::measure::AGE;
use crate::peer::{Peer, Start, bearer};
use crate::service::Service;

const SCOPES: &[&str] = &["scope"];

/// The crate's credential for a client secret.
pub struct Azure(Arc<ClientSecretCredential>);

#[derive(Debug)]
struct Turned {
    client: Arc<dyn HttpClient>,
    to: Url,
}

#[async_trait]
impl HttpClient for Turned {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut request = request.clone();
        *request.url_mut() = self.to.clone();
        self.client.execute_request(&request).await
    }
}

impl Peer for Azure {
    const CRATE: &'static str = "azure_identity";
    const SUBJECT: &'static str = "ClientSecretCredential (its URL turned to loopback)";
    const RESULT: &'static str = "AccessToken (shared text)";
    const STALE_LIFETIME: u64 = 300 + AGE.as_secs();

    type Token = AccessToken;

    async fn new(service: &Service, _: Start) -> Self {
        let to = service.token_url().parse().expect("it is a URL");
        let turned = Turned { client: new_http_client(None), to };
        let client_options = ClientOptions {
            transport: Some(Transport::new(Arc::new(turned))),
            ..ClientOptions::default()
        };
        let options = ClientSecretCredentialOptions { client_options };
        let credential = ClientSecretCredential::new(
            "00000000-0000-0000-0000-000000000000",
            "agent".to_owned(),
            "secret".into(),
            Some(options),
        );
        Self(credential.expect("the parts make a credential"))
    }

    async fn token(&self) -> Result<AccessToken, String> {
        self.0.get_token(SCOPES, None).await.map_err(|error| error.to_string())
    }

    async fn authorization(&self) -> HeaderValue {
        bearer(self.token().await.expect("a token is valid").token.secret())
    }
}
