//! What is written down of a call that moves money, before and after it is sent.
//!
//! Owns the entries and the trait of who keeps them. Knows nothing of files. An entry holds no
//! secret: neither token nor body, only the body's digest.

use std::fmt;

use crate::call::Ending;
use crate::time::Wall;
use crate::trouble::Source;

/// Keeps entries so that they outlive the process.
pub trait Journal {
    /// Makes an entry durable: it outlives the process, and the machine's power, once this returns.
    /// Yields the number of the entry's call: a new one for an intent, the entry's own otherwise.
    ///
    /// # Errors
    ///
    /// Whatever failed. A call whose intent or sending could not be written is not sent.
    fn record(&mut self, entry: &Entry) -> Result<u64, Source>;
}

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A call is about to be made. Nothing was sent.
    Intent(Intent),
    /// Its request is about to be sent, for the first time or again: from here on it is in doubt.
    Sending {
        /// The number that the journal gave the call.
        id: u64,
        /// When, by this machine's clock.
        at: Wall,
    },
    /// It has ended.
    Ended {
        /// The number that the journal gave the call.
        id: u64,
        /// When, by this machine's clock.
        at: Wall,
        /// How; [`Ending::Unknown`] leaves it in doubt.
        ending: Ending,
    },
}

/// What is asked of the service, as far as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The operation's name.
    pub operation: String,
    /// The caller's own name for what is asked for.
    pub reference: Option<String>,
    /// The digest of the request's body.
    pub digest: Digest,
    /// When, by this machine's clock.
    pub at: Wall,
}

/// Tells one request's bytes from another's (FNV-1a, 64 bits). It identifies and does not
/// authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        Self(bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
