//! Where all processes of one agent keep their session: one register with one operation.
//!
//! Owns the two traits, for threads and for tasks, and the error of a store. A store compares,
//! puts and answers. It decides nothing: the session says what a swap is for. Does not know about
//! clients.

#[cfg(any(feature = "store-file", feature = "store-postgres", feature = "store-redis"))]
mod entry;
#[cfg(feature = "store-file")]
pub mod file;
mod memory;
mod pointers;
#[cfg(feature = "store-postgres")]
pub mod postgres;
pub mod raw;
#[cfg(feature = "store-redis")]
pub mod redis;
#[cfg(feature = "store-seal")]
pub mod sealed;

use std::error::Error as StdError;
use std::fmt;

use imts_core::swap::{Swap, Swapped};
use imts_core::transport_error::Source;

pub use self::memory::MemoryStore;
use crate::transport::BoxFuture;

/// Keeps the session of an agent for all processes that share it.
///
/// A store has one register for each endpoint and agent, and one operation on it. A closure is a
/// store. A store must do this, all of it in one step that no other swap can interrupt:
///
/// - If the swap has [nothing to put](Swap::put), answer [`Swapped::Other`]. Change nothing.
/// - If another holder has a lease that still runs, answer [`Swapped::Other`].
/// - If the stamp in the register is not the [expected](Swap::expects) one, answer
///   [`Swapped::Other`]. An empty register has the stamp of zeros.
/// - Otherwise put the state and the lease in place of what was there, and answer
///   [`Swapped::Done`]. What was put must outlive a crash of the store's server, as far as the
///   store promises to keep anything.
///
/// The store's own clock measures leases and ages. A swap that arrives after its
/// [time](Swap::within) must not be done. A state is a secret: a store must not log it, and its
/// errors must not quote it.
///
/// ```
/// use imts::MemoryStore;
/// use imts::store::{Store, StoreError};
/// use imts::swap::{Swap, Swapped};
///
/// let inner = MemoryStore::new();
/// let counted = std::sync::atomic::AtomicUsize::new(0);
/// let store = move |swap: &Swap| -> Result<Swapped, StoreError> {
///     counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
///     inner.swap(swap)
/// };
/// let look = Swap::look("https://service.example", "agent", std::time::Duration::from_secs(1));
/// assert!(matches!(Store::swap(&store, &look), Ok(Swapped::Other(_)))); // nothing is there
/// ```
pub trait Store: Send + Sync {
    /// Puts a state in place of the expected one, or says what is there instead.
    ///
    /// It may block the thread for [`Swap::within`] at most. The client calls it on a thread that
    /// holds no lock, and goes on without an answer once that time is over.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if it is not known what is in the register, or whether the swap was
    /// done.
    fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError>;
}

impl<F> Store for F
where
    F: Fn(&Swap) -> Result<Swapped, StoreError> + Send + Sync,
{
    fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        self(swap)
    }
}

/// A [`Store`] over an async client of the caller's own, for an [`AsyncClient`](crate::AsyncClient).
///
/// A closure from a swap to a future is one. The rules for a [`Store`] hold here too. The client
/// drops the future once [`Swap::within`] is over; the swap may then be done or not.
pub trait AsyncStore: Send + Sync {
    /// Puts a state in place of the expected one, or says what is there instead.
    fn swap<'a>(&'a self, swap: &'a Swap) -> BoxFuture<'a, Result<Swapped, StoreError>>;
}

impl<F, Fut> AsyncStore for F
where
    F: Fn(&Swap) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Swapped, StoreError>> + Send + 'static,
{
    fn swap<'a>(&'a self, swap: &'a Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(self(swap))
    }
}

/// Why a store did not answer. Its text never quotes a state, a key or a password.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The store could not be read or written. The source says why.
    Unreachable(Source),
    /// The store did not answer in time. The swap may have been done.
    TimedOut,
    /// The store holds the state of another endpoint or agent. Give each agent a store of its own.
    Foreign,
    /// A newer version of this library wrote the state. It is left as it is.
    Newer {
        /// The version of the form that was found.
        version: u32,
    },
    /// The state is sealed with a key that this process does not have. It is left as it is.
    UnknownKey,
    /// What is stored is not a state, and cannot be replaced.
    Damaged,
    /// Others could read or change what is stored. The source says which file, and what to change.
    Permissions(Source),
    /// The file is on a network file system, whose locks may hang or lock nothing.
    NetworkFileSystem,
    /// The server does not say which life of it answers, so a lost write could not be noticed.
    NoIncarnation,
}

impl StoreError {
    /// Returns an error for a store that could not be read or written, for this reason. The
    /// reason's text must not hold a secret.
    #[must_use]
    pub fn unreachable(why: impl StdError + Send + Sync + 'static) -> Self {
        Self::Unreachable(std::sync::Arc::new(why))
    }

    /// Returns the kind of error, in one to three words that do not change: `unreachable`,
    /// `timed out`, `foreign`, `newer`, `unknown key`, `damaged`, `permissions`,
    /// `network file system` or `no incarnation`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut => "timed out",
            Self::Foreign => "foreign",
            Self::Newer { .. } => "newer",
            Self::UnknownKey => "unknown key",
            Self::Damaged => "damaged",
            Self::Permissions(_) => "permissions",
            Self::NetworkFileSystem => "network file system",
            Self::NoIncarnation => "no incarnation",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "the store cannot be reached: {why}"),
            Self::TimedOut => f.write_str("the store did not answer in time"),
            Self::Foreign => f.write_str(
                "the store holds the session of another endpoint or agent: give each agent a \
                 store of its own",
            ),
            Self::Newer { version } => write!(
                f,
                "the stored session has version {version}, which this library cannot read: \
                 update the library"
            ),
            Self::UnknownKey => f.write_str(
                "the stored session is sealed with a key that was not given: add that key as an \
                 old one",
            ),
            Self::Damaged => f.write_str("what is stored is not a session"),
            Self::Permissions(why) => write!(f, "others could read or change the store: {why}"),
            Self::NetworkFileSystem => f.write_str(
                "the store's file is on a network file system, whose locks cannot be relied on: \
                 use a local disk, or a server as the store",
            ),
            Self::NoIncarnation => f.write_str(
                "the store's server does not say whether it restarted: allow the command INFO, or \
                 declare that it never loses a write",
            ),
        }
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            // Their texts are part of this error's own text.
            Self::Unreachable(why) | Self::Permissions(why) => why.source(),
            _ => None,
        }
    }
}
