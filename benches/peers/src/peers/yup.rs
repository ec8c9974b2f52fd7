//! yup-oauth2: a service account with tokens in memory; and, to refresh, its flow for installed
//! applications over a saved token.

use std::future::{Future, ready};
use std::pin::Pin;

use async_trait::async_trait;
use http::HeaderValue;
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;
use yup_oauth2::authenticator::{Authenticator, InstalledFlowAuthenticator};
use yup_oauth2::authenticator_delegate::InstalledFlowDelegate;
use yup_oauth2::storage::{TokenInfo, TokenStorage, TokenStorageError};
use yup_oauth2::{
    AccessToken, ApplicationSecret, DefaultHyperClientBuilder, HyperClientBuilder,
    InstalledFlowReturnMethod, ServiceAccountAuthenticator, ServiceAccountKey,
};

use super::key::PEM;
use crate::measure::AGE;
use crate::peer::{Peer, Start, bearer};
use crate::service::Service;

const SCOPES: &[&str] = &["scope"];

/// The crate's authenticator.
pub struct Yup(Authenticator<<DefaultHyperClientBuilder as HyperClientBuilder>::Connector>);

impl Peer for Yup {
    const CRATE: &'static str = "yup-oauth2";
    const SUBJECT: &'static str = "ServiceAccountAuthenticator (to refresh: InstalledFlow)";
    const RESULT: &'static str = "AccessToken (String)";
    const STALE_LIFETIME: u64 = 60 + AGE.as_secs();

    type Token = AccessToken;

    async fn new(service: &Service, start: Start) -> Self {
        let authenticator = match start {
            Start::Cold => ServiceAccountAuthenticator::builder(account(service)).build().await,
            Start::Refreshing => {
                let secret = ApplicationSecret {
                    client_id: "agent".to_owned(),
                    client_secret: "secret".to_owned(),
                    token_uri: service.token_url(),
                    ..ApplicationSecret::default()
                };
                let method = InstalledFlowReturnMethod::Interactive;
                InstalledFlowAuthenticator::builder(secret, method)
                    .flow_delegate(Box::new(NoBrowser))
                    .with_storage(Box::new(Saved::dead(service.give_refresh_token())))
                    .build()
                    .await
            }
        };
        Self(authenticator.expect("the parts make an authenticator"))
    }

    async fn token(&self) -> Result<AccessToken, String> {
        self.0.token(SCOPES).await.map_err(|error| error.to_string())
    }

    async fn authorization(&self) -> HeaderValue {
        let token = self.token().await.expect("a token is valid");
        bearer(token.token().expect("the reply had one"))
    }
}

fn account(service: &Service) -> ServiceAccountKey {
    ServiceAccountKey {
        key_type: None,
        project_id: None,
        private_key_id: None,
        private_key: PEM.clone(),
        client_email: "agent".to_owned(),
        client_id: None,
        auth_uri: None,
        token_uri: service.token_url(),
        auth_provider_x509_cert_url: None,
        client_x509_cert_url: None,
    }
}

/// What an earlier process has saved, in memory.
struct Saved(Mutex<TokenInfo>);

impl Saved {
    fn dead(refresh_token: String) -> Self {
        Self(Mutex::new(TokenInfo {
            access_token: Some("dead".to_owned()),
            refresh_token: Some(refresh_token),
            expires_at: Some(OffsetDateTime::now_utc() - Duration::minutes(1)),
            id_token: None,
        }))
    }
}

#[async_trait]
impl TokenStorage for Saved {
    async fn set(&self, _: &[&str], token: TokenInfo) -> Result<(), TokenStorageError> {
        *self.0.lock().await = token;
        Ok(())
    }

    async fn get(&self, _: &[&str]) -> Option<TokenInfo> {
        Some(self.0.lock().await.clone())
    }
}

/// Nobody is there to sign in again.
struct NoBrowser;

impl InstalledFlowDelegate for NoBrowser {
    fn present_user_url<'a>(
        &'a self,
        _: &'a str,
        _: bool,
    ) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>> {
        Box::pin(ready(Err("no browser".to_owned())))
    }
}
