//! Errors for foreign code that panicked.

#[derive(Debug, thiserror::Error)]
#[error("the on_grant hook panicked")]
pub(super) struct HookPanicked;

/// Why an exchange failed: its response came while the clock could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the clock panicked")]
pub(super) struct ClockPanicked;
