//! A client over either HTTP client: for threads over ureq, for tasks over hyper-util.
//!
//! A command uses both in the same way, from threads. The tasks run inside.

use std::time::Duration;

use imts::call::NotCallable;
use imts::client::StoreCounts;
use imts::journal::IntentError;
use imts::operation::Json;
use imts::transport_error::Source;
use imts::{AsyncClient, BearerGuard, Call, Epoch, Outcome, Phase, TokenError};

use crate::tasks::Tasks;

#[derive(Clone)]
pub(crate) enum Client {
    Threads(imts::Client),
    Tasks(AsyncClient, Tasks),
}

impl Client {
    pub(crate) fn token(&self) -> Result<BearerGuard, TokenError> {
        self.token_valid_for(Duration::ZERO)
    }

    pub(crate) fn token_valid_for(&self, at_least: Duration) -> Result<BearerGuard, TokenError> {
        match self {
            Self::Threads(client) => client.token_valid_for(at_least),
            Self::Tasks(client, tasks) => tasks.wait_for(client.token_valid_for(at_least)),
        }
    }

    /// Creates a call of the operation of this name.
    pub(crate) fn call_named(&self, name: &str, request: &Json) -> Result<Call<Json>, NotCallable> {
        match self {
            Self::Threads(client) => client.call_named(name, request),
            Self::Tasks(client, _) => client.call_named(name, request),
        }
    }

    /// Performs a call to its end.
    pub(crate) fn perform<R>(&self, call: Call<R>) -> Result<Outcome<R>, IntentError> {
        match self {
            Self::Threads(client) => client.perform(call),
            Self::Tasks(client, tasks) => tasks.wait_for(client.perform(call)),
        }
    }

    /// Returns the same client with another time limit for its caller.
    pub(crate) fn with_patience(&self, patience: Duration) -> Self {
        match self {
            Self::Threads(client) => Self::Threads(client.with_patience(patience)),
            Self::Tasks(client, tasks) => {
                Self::Tasks(client.with_patience(patience), tasks.clone())
            }
        }
    }

    pub(crate) fn reject(&self, epoch: Epoch) {
        match self {
            Self::Threads(client) => client.reject(epoch),
            Self::Tasks(client, _) => client.reject(epoch),
        }
    }

    /// Ends all waiting for a token, and requests no other token.
    pub(crate) fn close(&self) {
        self.close_within(Duration::ZERO);
    }

    /// Closes the client. Waits within the limit for a renewal, and until a store has its outcome.
    pub(crate) fn close_within(&self, limit: Duration) {
        match self {
            Self::Threads(client) => drop(client.close(limit)),
            Self::Tasks(client, tasks) => drop(tasks.wait_for(client.close(limit))),
        }
    }

    /// Returns why the store's last answer did not come, if it did not.
    pub(crate) fn store_failure(&self) -> Option<Source> {
        match self {
            Self::Threads(client) => client.store_failure(),
            Self::Tasks(client, _) => client.store_failure(),
        }
    }

    pub(crate) fn store_counts(&self) -> StoreCounts {
        match self {
            Self::Threads(client) => client.store_counts(),
            Self::Tasks(client, _) => client.store_counts(),
        }
    }

    pub(crate) fn phase<R>(&self, read: impl FnOnce(Phase<'_>) -> R) -> R {
        match self {
            Self::Threads(client) => client.phase(read),
            Self::Tasks(client, _) => client.phase(read),
        }
    }
}
