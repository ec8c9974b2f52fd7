//! aws-smithy: its cache of identities as SDKs use it, and the expiring cache inside. Both bring no
//! way to fetch a bearer: the resolver is written here.

use std::time::SystemTime;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::expiring_cache::ExpiringCache;
use aws_smithy_runtime_api::client::identity::http::Token;
use aws_smithy_runtime_api::client::identity::{
    Identity, IdentityFuture, ResolveCachedIdentity, ResolveIdentity, SharedIdentityCache,
    SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_types::config_bag::ConfigBag;
use http::HeaderValue;

use super::oauth::Fetch;
use crate::measure::AGE;
use crate::peer::{Peer, Start, bearer};
use crate::service::Service;

/// The crate's lazy cache of identities, with its defaults.
pub struct AwsSmithyIdentity {
    cache: SharedIdentityCache,
    resolver: SharedIdentityResolver,
    components: RuntimeComponents,
    config: ConfigBag,
}

/// The crate's expiring cache alone, with the lazy cache's default margin.
pub struct AwsSmithyCache {
    cache: ExpiringCache<Token, String>,
    fetch: Fetch,
}

#[derive(Debug)]
struct Resolver(Fetch);

impl ResolveIdentity for Resolver {
    fn resolve_identity<'a>(
        &'a self,
        _: &'a RuntimeComponents,
        _: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async {
            let (token, lifetime) = self.0.token().await?;
            let end = Some(SystemTime::now() + lifetime);
            Ok(Identity::new(Token::new(token, end), end))
        })
    }
}

/// The margin is 10 s less a random half of it at most: stale from then on, whatever was drawn.
const STALE_LIFETIME: u64 = 5 + AGE.as_secs();

impl Peer for AwsSmithyIdentity {
    const CRATE: &'static str = "aws-smithy-runtime";
    const SUBJECT: &'static str = "IdentityCache::lazy (the resolver is written here)";
    const RESULT: &'static str = "Identity (Arc of a Token)";
    const STALE_LIFETIME: u64 = STALE_LIFETIME;

    type Token = Identity;

    async fn new(service: &Service, _: Start) -> Self {
        let components = RuntimeComponentsBuilder::for_tests()
            .with_time_source(Some(SystemTimeSource::new()))
            .with_sleep_impl(Some(TokioSleep::new()))
            .build()
            .expect("the components are whole");
        Self {
            cache: IdentityCache::lazy().build(),
            resolver: SharedIdentityResolver::new(Resolver(Fetch::new(service))),
            components,
            config: ConfigBag::base(),
        }
    }

    async fn token(&self) -> Result<Identity, String> {
        self.cache
            .resolve_cached_identity(self.resolver.clone(), &self.components, &self.config)
            .await
            .map_err(|error| error.to_string())
    }

    async fn authorization(&self) -> HeaderValue {
        let identity = self.token().await.expect("a token is valid");
        bearer(identity.data::<Token>().expect("the resolver made one").token())
    }
}

impl Peer for AwsSmithyCache {
    const CRATE: &'static str = "aws-smithy-runtime";
    const SUBJECT: &'static str = "ExpiringCache (the fetching is written here)";
    const RESULT: &'static str = "Token (Arc)";
    const STALE_LIFETIME: u64 = STALE_LIFETIME;

    type Token = Token;

    async fn new(service: &Service, _: Start) -> Self {
        let cache = ExpiringCache::new(std::time::Duration::from_secs(10));
        Self { cache, fetch: Fetch::new(service) }
    }

    async fn token(&self) -> Result<Token, String> {
        if let Some(token) = self.cache.yield_or_clear_if_expired(SystemTime::now()).await {
            return Ok(token);
        }
        let load = || async {
            let (token, lifetime) = self.fetch.token().await?;
            let end = SystemTime::now() + lifetime;
            Ok((Token::new(token, Some(end)), end))
        };
        self.cache.get_or_load(load).await
    }

    async fn authorization(&self) -> HeaderValue {
        bearer(self.token().await.expect("a token is valid").token())
    }
}
