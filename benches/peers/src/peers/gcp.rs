//! gcp_auth: a service account, whose token endpoint may be on loopback. Each fetch signs by RSA.

use std::sync::Arc;

use gcp_auth::{CustomServiceAccount, Token, TokenProvider};
use http::HeaderValue;
use serde_json::json;

use super::key::PEM;
use crate::measure::AGE;
use crate::peer::{Peer, Start, bearer};
use crate::service::Service;

const SCOPES: &[&str] = &["scope"];

/// The crate's service account.
pub struct Gcp(CustomServiceAccount);

impl Peer for Gcp {
    const CRATE: &'static str = "gcp_auth";
    const SUBJECT: &'static str = "CustomServiceAccount";
    const RESULT: &'static str = "Arc<Token>";
    const STALE_LIFETIME: u64 = 20 + AGE.as_secs();

    type Token = Arc<Token>;

    async fn new(service: &Service, _: Start) -> Self {
        let key = json!({
            "project_id": "project",
            "private_key": *PEM,
            "client_email": "agent",
            "token_uri": service.token_url(),
        });
        Self(CustomServiceAccount::from_json(&key.to_string()).expect("the key is whole"))
    }

    async fn token(&self) -> Result<Arc<Token>, String> {
        self.0.token(SCOPES).await.map_err(|error| error.to_string())
    }

    async fn authorization(&self) -> HeaderValue {
        bearer(self.token().await.expect("a token is valid").as_str())
    }
}
