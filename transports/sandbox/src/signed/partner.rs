//! The partner whose requests have a JWS.

/// The id of the partner that a sandbox knows by default.
pub const DEFAULT_PARTNER: &str = "600000";
/// That partner's key. It is public and protects nothing.
pub const DEFAULT_PARTNER_SECRET: &str = "sandbox-partner-secret";
