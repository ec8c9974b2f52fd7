//! reqsign-core: its signer, which holds the credential and puts it into the request. It brings
//! neither a provider nor a signature for bearers: both are written here, as short as they can be.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderValue, Request};
use reqsign_core::{
    Context, Error, ProvideCredential, Result as Outcome, SignRequest, Signer, SigningCredential,
};

use super::oauth::Fetch;
use crate::measure::AGE;
use crate::peer::{Peer, Start, bearer};
use crate::service::Service;

/// How long before its end a credential is not reused: as long as the crate's own services take.
const MARGIN: Duration = Duration::from_secs(20);

/// The crate's signer.
pub struct Reqsign(Signer<Credential>);

#[derive(Clone, Debug)]
struct Credential {
    token: Arc<str>,
    end: SystemTime,
}

impl SigningCredential for Credential {
    fn is_valid(&self) -> bool {
        SystemTime::now() + MARGIN < self.end
    }
}

#[derive(Debug)]
struct Provider(Fetch);

impl ProvideCredential for Provider {
    type Credential = Credential;

    async fn provide_credential(&self, _: &Context) -> Outcome<Option<Credential>> {
        let (token, lifetime) = self.0.token().await.map_err(Error::unexpected)?;
        Ok(Some(Credential { token: token.into(), end: SystemTime::now() + lifetime }))
    }
}

#[derive(Debug)]
struct Bearers;

impl SignRequest for Bearers {
    type Credential = Credential;

    async fn sign_request(
        &self,
        _: &Context,
        request: &mut Parts,
        credential: Option<&Credential>,
        _: Option<Duration>,
    ) -> Outcome<()> {
        let credential = credential.ok_or_else(|| Error::unexpected("no credential"))?;
        request.headers.insert(AUTHORIZATION, bearer(&credential.token));
        Ok(())
    }
}

impl Peer for Reqsign {
    const CRATE: &'static str = "reqsign-core";
    const SUBJECT: &'static str = "Signer (provider and signature are written here)";
    const RESULT: &'static str = "signed head of a request";
    const STALE_LIFETIME: u64 = MARGIN.as_secs() + AGE.as_secs();

    type Token = Parts;

    async fn new(service: &Service, _: Start) -> Self {
        Self(Signer::new(Context::new(), Provider(Fetch::new(service)), Bearers))
    }

    async fn token(&self) -> Result<Parts, String> {
        let (mut head, ()) = Request::new(()).into_parts();
        self.0.sign(&mut head, None).await.map_err(|error| error.to_string())?;
        Ok(head)
    }

    async fn authorization(&self) -> HeaderValue {
        let mut head = self.token().await.expect("a token is valid");
        head.headers.remove(AUTHORIZATION).expect("the head is signed")
    }
}
