//! The token request that those crates make which bring a cache and leave the fetching to their
//! users: OAuth by client credentials over hyper-util, the reply read by serde.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;

use crate::service::Service;

/// Fetches tokens, and keeps nothing.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
}

#[derive(Deserialize)]
struct Reply {
    access_token: String,
    expires_in: u64,
}

impl Fetch {
    pub(super) fn new(service: &Service) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, url: service.token_url() }
    }

    /// A token and its lifetime.
    pub(super) async fn token(&self) -> Result<(String, Duration), String> {
        let body = "grant_type=client_credentials&client_id=agent&client_secret=secret";
        let request = Request::post(&self.url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from_static(body.as_bytes())))
            .map_err(|error| error.to_string())?;
        let response = self.client.request(request).await.map_err(|error| error.to_string())?;
        if !response.status().is_success() {
            return Err(response.status().to_string());
        }
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
        let reply: Reply =
            serde_json::from_slice(&body.to_bytes()).map_err(|error| error.to_string())?;
        Ok((reply.access_token, Duration::from_secs(reply.expires_in)))
    }
}
