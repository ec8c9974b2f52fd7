//! An entry that a journal has accepted, and when it will be durable.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::RecordError;

/// A future that is ready once an entry is durable, or has failed. Dropping it does not change the
/// entry.
pub type Durable = Pin<Box<dyn Future<Output = Result<(), RecordError>> + Send>>;

/// An entry that a journal has accepted.
#[must_use = "it may not be durable yet"]
pub struct Submitted {
    id: u64,
    durable: Option<Durable>,
}

impl Submitted {
    /// Makes an entry that is durable, or for which no one has to wait.
    pub fn durable(id: u64) -> Self {
        Self { id, durable: None }
    }

    /// Makes an entry that will be durable later.
    pub fn later(id: u64, durable: Durable) -> Self {
        Self { id, durable: Some(durable) }
    }

    /// Returns the number of the entry's call, as [`Journal::record`](super::Journal::record)
    /// returns it.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Returns what to wait for. `None` if there is nothing to wait for.
    #[must_use]
    pub fn into_durable(self) -> Option<Durable> {
        self.durable
    }
}

impl fmt::Debug for Submitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_durable = self.durable.is_none();
        f.debug_struct("Submitted").field("id", &self.id).field("is_durable", &is_durable).finish()
    }
}
