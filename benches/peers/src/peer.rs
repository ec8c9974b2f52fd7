//! What every client under comparison is asked to do.
//!
//! Owns the trait, and the walk over all its implementations. Knows no client.

use std::future::Future;
use std::hint::black_box;

use http::HeaderValue;

use crate::service::Service;

/// In which state a client starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// It holds credentials and has asked for nothing.
    Cold,
    /// Its next ask spends a rotating refresh token, if the crate has such a flow.
    Refreshing,
}

/// A client that gets, caches and renews tokens.
pub trait Peer: Send + Sync + Sized + 'static {
    /// The crate's name, as in the lock file.
    const CRATE: &'static str;
    /// Which of the crate's types is asked, and which part had to be written here.
    const SUBJECT: &'static str;
    /// In which form an ask yields the token.
    const RESULT: &'static str;
    /// The lifetime, in seconds, of a token that is stale [`AGE`](crate::measure::AGE) after it was
    /// given and not yet dead: the crate's own margin and that age.
    const STALE_LIFETIME: u64;

    /// Whether an ask blocks its thread: then its future waits for nothing.
    const BLOCKS: bool = false;

    /// What an ask yields.
    type Token: Send;

    /// A client of this service.
    fn new(service: &Service, start: Start) -> impl Future<Output = Self> + Send;

    /// One ask, as a caller makes it. The error's text is for the reader.
    fn token(&self) -> impl Future<Output = Result<Self::Token, String>> + Send;

    /// The value of `Authorization`, sensitive, by the shortest way that the crate offers.
    fn authorization(&self) -> impl Future<Output = HeaderValue> + Send;

    /// So many asks in a row, each answer let go before the next.
    fn tokens(&self, times: u32) -> impl Future<Output = ()> + Send {
        async move {
            for _ in 0..times {
                drop(black_box(self.token().await));
            }
        }
    }

    /// So many values in a row, each let go before the next.
    fn authorizations(&self, times: u32) -> impl Future<Output = ()> + Send {
        async move {
            for _ in 0..times {
                drop(black_box(self.authorization().await));
            }
        }
    }
}

/// So many asks in a row that wait for nothing, without a future around each or around all of them.
#[inline(never)]
pub fn plain<T>(times: u32, mut ask: impl FnMut() -> T) {
    for _ in 0..times {
        drop(black_box(ask()));
    }
}

/// Something to do with each kind of client.
pub trait Visit {
    /// Does it with this one.
    fn visit<P: Peer>(&mut self);
}

/// A sensitive value of `Authorization` made anew, as callers do who are given text.
///
/// # Panics
///
/// If the token is not header text; the service returns no such token.
#[must_use]
pub fn bearer(token: &str) -> HeaderValue {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).expect("the token is ASCII");
    value.set_sensitive(true);
    value
}
