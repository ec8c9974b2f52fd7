//! A store in memory, for the threads of one process and for tests.
//!
//! Owns the entries and the lock around them. The rule by which a swap changes an entry is the
//! core's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use imts_core::swap::{Register, StoreTime, Swap, Swapped};

use super::{Store, StoreError};
use crate::clock::{self, Clock, SystemClock};

/// Keeps sessions in the memory of this process. Share it among clients with an
/// [`Arc`](std::sync::Arc).
///
/// It is for tests, and for programs with several clients of one agent. It has an entry for each
/// endpoint and agent. All of it is gone when the process ends.
///
/// ```
/// use std::sync::Arc;
/// use imts::{Builder, Credentials, Endpoint, MemoryStore};
/// # let sandbox = imts_sandbox::Front::start(imts_sandbox::Sandbox::default())?;
/// # #[cfg(feature = "ureq")] {
///
/// let store = Arc::new(MemoryStore::new());
/// let client = || {
///     Builder::new(Endpoint::plain_loopback(&sandbox.url())?)
///         .credentials(Credentials::new("sandbox-agent", "sandbox-secret")?)
///         .store(Arc::clone(&store))
///         .blocking(imts::UreqTransport::new()?)
///         .map_err(Box::<dyn std::error::Error>::from)
/// };
/// let (first, second) = (client()?, client()?);
/// assert_eq!(first.token()?.expose_token(), second.token()?.expose_token());
/// assert_eq!(sandbox.log().len(), 1, "the second found what the first had put");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MemoryStore {
    entries: Mutex<BTreeMap<[Option<String>; 4], Register>>,
    clock: clock::Source,
}

impl MemoryStore {
    /// Creates an empty store, timed by the machine's monotonic clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }

    /// Creates an empty store, timed by the monotonic reading of this clock.
    #[must_use]
    pub fn with_clock(clock: impl Clock + 'static) -> Self {
        Self { entries: Mutex::default(), clock: clock::Source::of(clock) }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        let owner = [Some(swap.endpoint()), Some(swap.agent_id()), swap.service(), swap.subject()];
        let key = owner.map(|it| it.map(str::to_owned));
        // A panic of the clock may have poisoned the lock. It left the entries as they were.
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let micros = self.clock.now().mono.as_micros();
        let now = StoreTime::from_micros(i64::try_from(micros).unwrap_or(i64::MAX));
        Ok(entries.entry(key).or_default().swap(swap, now, false))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("MemoryStore").field("entries", &entries.len()).finish_non_exhaustive()
    }
}
