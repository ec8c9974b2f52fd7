//! What the loops of this folder need of a client: how it gets a token, and how it waits.
//!
//! A thread does both in place, so its futures are ready when they are first polled. A
//! task awaits them.

use std::time::Duration;

use super::Common;
use crate::client::bearer::BearerGuard;
use crate::client::changes::Version;
use crate::token_error::TokenError;

/// One kind of client, as a loop uses it.
pub(crate) trait Driver {
    type Flight;

    fn common(&self) -> &Common<Self::Flight>;

    /// Returns a token with this much life left, and waits for a renewal no longer than the
    /// patience.
    fn token_by(
        &self,
        at_least: Duration,
        patience: Duration,
    ) -> impl Future<Output = Result<BearerGuard, TokenError>>;

    /// Waits for a change since `seen`, no longer than this.
    fn wait(&self, seen: Version, at_most: Duration) -> impl Future<Output = ()>;
}
