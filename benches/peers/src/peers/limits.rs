//! No clients: what asking one that is published cannot do without, so as to be a limit. A ready value
//! in an arc-swap, and one reading of the coarse clock that it is held to.

use std::hint::black_box;
use std::sync::Arc;

use arc_swap::{ArcSwap, Cache, Guard};
use http::HeaderValue;
use rustix::time::{ClockId, clock_gettime};

use crate::peer::{Peer, Start, bearer, plain};
use crate::service::{Service, TOKEN_BYTES};

/// The limit of a client that is shared.
pub struct SharedLimit(Arc<ArcSwap<Held>>);

/// The limit of a handle, which one thread keeps for itself.
pub struct HandleLimit(SharedLimit);

/// What stands for a token.
pub struct Held {
    value: HeaderValue,
    /// When it is due, in seconds of the monotonic clock.
    due: i64,
}

impl Held {
    /// Itself, unless it is due.
    #[inline]
    fn good(&self) -> Option<&Self> {
        Some(self).filter(|held| clock_gettime(ClockId::MonotonicCoarse).tv_sec < held.due)
    }
}

impl SharedLimit {
    #[inline]
    fn load(&self) -> Option<Guard<Arc<Held>>> {
        Some(self.0.load()).filter(|held| held.good().is_some())
    }
}

impl HandleLimit {
    fn cache(&self) -> Cache<Arc<ArcSwap<Held>>, Arc<Held>> {
        Cache::new(Arc::clone(&self.0.0))
    }
}

/// So many loads from what one thread keeps in a variable.
#[inline(never)]
fn asked(cache: &mut Cache<Arc<ArcSwap<Held>>, Arc<Held>>, times: u32) {
    for _ in 0..times {
        let _ = black_box(cache.load().good());
    }
}

impl Peer for SharedLimit {
    const CRATE: &'static str = "arc-swap";
    const SUBJECT: &'static str = "limit, no client: load + 1 coarse clock";
    const RESULT: &'static str = "Guard (ready header value)";
    const STALE_LIFETIME: u64 = 0;
    const BLOCKS: bool = true;

    type Token = Guard<Arc<Held>>;

    async fn new(_: &Service, _: Start) -> Self {
        let value = bearer(&"x".repeat(TOKEN_BYTES));
        let due = clock_gettime(ClockId::MonotonicCoarse).tv_sec + 86_400;
        Self(Arc::new(ArcSwap::from_pointee(Held { value, due })))
    }

    async fn token(&self) -> Result<Self::Token, String> {
        self.load().ok_or_else(String::new)
    }

    async fn authorization(&self) -> HeaderValue {
        self.load().expect("it is good for a day").value.clone()
    }

    async fn tokens(&self, times: u32) {
        plain(times, || self.load());
    }

    async fn authorizations(&self, times: u32) {
        plain(times, || self.load().expect("it is good for a day").value.clone());
    }
}

impl Peer for HandleLimit {
    const CRATE: &'static str = "arc-swap";
    const SUBJECT: &'static str = "limit, no client: cached load + 1 coarse clock";
    const RESULT: &'static str = "& of a ready header value";
    const STALE_LIFETIME: u64 = 0;
    const BLOCKS: bool = true;

    type Token = Guard<Arc<Held>>;

    async fn new(service: &Service, start: Start) -> Self {
        Self(SharedLimit::new(service, start).await)
    }

    async fn token(&self) -> Result<Self::Token, String> {
        self.0.token().await
    }

    async fn authorization(&self) -> HeaderValue {
        self.0.authorization().await
    }

    async fn tokens(&self, times: u32) {
        asked(&mut self.cache(), times);
    }

    async fn authorizations(&self, times: u32) {
        let mut cache = self.cache();
        plain(times, || cache.load().good().expect("it is good for a day").value.clone());
    }
}
