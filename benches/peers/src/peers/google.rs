//! google-cloud-auth: user credentials, whose token endpoint may be on loopback.

use google_cloud_auth::credentials::user_account::Builder;
use google_cloud_auth::credentials::{AccessToken, AccessTokenCredentials};
use http::HeaderValue;
use serde_json::json;

use crate::measure::AGE;
use crate::peer::{Peer, Start, bearer};
use crate::service::Service;

/// The crate's user credentials. They begin to fetch when they are made.
pub struct Google(AccessTokenCredentials);

impl Peer for Google {
    const CRATE: &'static str = "google-cloud-auth";
    const SUBJECT: &'static str = "user_account::Builder (its refresh token is fixed)";
    const RESULT: &'static str = "AccessToken (String)";
    const STALE_LIFETIME: u64 = 240 + AGE.as_secs();

    type Token = AccessToken;

    async fn new(service: &Service, _: Start) -> Self {
        let user = json!({
            "type": "authorized_user",
            "client_id": "agent",
            "client_secret": "secret",
            "refresh_token": "fixed",
        });
        let credentials = Builder::new(user)
            .with_token_uri(service.token_url())
            .build_access_token_credentials()
            .expect("the credentials are whole");
        Self(credentials)
    }

    async fn token(&self) -> Result<AccessToken, String> {
        self.0.access_token().await.map_err(|error| error.to_string())
    }

    async fn authorization(&self) -> HeaderValue {
        bearer(&self.token().await.expect("a token is valid").token)
    }
}
