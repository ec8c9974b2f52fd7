//! With what a driver reports that no reply came.
//!
//! A request that left may have been processed. A driver needs a [`NotSent`] to report that it did
//! not leave.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// The driver's own error, kept as the source of a [`TransportError`].
pub type Source = Arc<dyn StdError + Send + Sync>;

/// A transport failure: no complete reply was received.
///
/// ```
/// use imts_core::transport_error::NotSent;
/// use imts_core::TransportError;
///
/// let refused = TransportError::not_sent(NotSent::vouch());
/// assert!(refused.is_not_sent());
/// let lost = TransportError::unknown().timed_out();
/// assert!(!lost.is_not_sent() && lost.is_timed_out());
/// ```
#[derive(Clone, Debug)]
pub struct TransportError {
    not_sent: Option<NotSent>,
    timed_out: bool,
    source: Option<Source>,
}

impl TransportError {
    /// Reports that the request never left, as the proof shows.
    #[must_use]
    pub fn not_sent(proof: NotSent) -> Self {
        Self { not_sent: Some(proof), timed_out: false, source: None }
    }

    /// Reports that the request may have left and been processed. Use this whenever the driver
    /// cannot prove more.
    #[must_use]
    pub fn unknown() -> Self {
        Self { not_sent: None, timed_out: false, source: None }
    }

    /// Marks the failure as a timeout.
    #[must_use]
    pub fn timed_out(self) -> Self {
        Self { timed_out: true, ..self }
    }

    /// Adds the driver's error as the [cause](TransportError::cause). Its text must not hold a secret,
    /// because it becomes part of the failure's own text.
    #[must_use]
    pub fn because(self, source: impl StdError + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// Returns the driver's own error, if it gave one.
    ///
    /// The failure's text includes the text of the cause. So the failure's `source()` is the source
    /// of the cause. Code that prints an error and all its sources then prints each of them once.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.source.as_deref()
    }

    /// The proof that the request did not leave, if there is one.
    pub(crate) fn proof(&self) -> Option<&NotSent> {
        self.not_sent.as_ref()
    }

    /// Returns whether the request is known not to have left.
    #[must_use]
    pub fn is_not_sent(&self) -> bool {
        self.not_sent.is_some()
    }

    /// Returns whether it failed by a timeout.
    #[must_use]
    pub fn is_timed_out(&self) -> bool {
        self.timed_out
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.is_not_sent(), self.timed_out) {
            (true, false) => "the service could not be reached",
            (true, true) => "timed out connecting to the service",
            (false, false) => "the connection broke before the reply was complete",
            (false, true) => "timed out waiting for a complete reply",
        })?;
        match &self.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref()?.source()
    }
}

/// Proof that a request never left this machine, so that the service cannot have processed it.
#[derive(Clone, Debug)]
#[must_use]
pub struct NotSent(());

impl NotSent {
    /// Asserts that not one byte of the request was handed to a connection that could have
    /// delivered it. That is so if name resolution, connect or TLS handshake failed, or if the HTTP
    /// client handed the unsent message back.
    ///
    /// Never use it for a pooled connection that died, nor for "connection closed before the
    /// message completed", which proves nothing. If the assertion is wrong, the request may be
    /// sent, and processed, twice.
    pub fn vouch() -> Self {
        Self(())
    }
}
