//! A second opinion: JSON, dates and headers read by rules of their own.
//!
//! Owns no rule of the session's and uses no function of the client's, so that the two can be
//! compared. Slow and plain on purpose.

pub(crate) mod date;
pub(crate) mod envelope;
pub(crate) mod json;
pub(crate) mod lenient;
