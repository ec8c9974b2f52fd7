//! Errors for foreign code that panicked.

#[derive(Debug, thiserror::Error)]
#[error("the on_grant hook panicked")]
pub(super) struct HookPanicked;

#[derive(Debug, thiserror::Error)]
#[error("the credentials callback panicked")]
pub(crate) struct CallbackPanicked;

#[derive(Debug, thiserror::Error)]
#[error("the credentials callback did not return within the time limit of an exchange")]
pub(crate) struct CallbackTimedOut;

/// Why an exchange failed: its response came while the clock could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the clock panicked")]
pub(super) struct ClockPanicked;
