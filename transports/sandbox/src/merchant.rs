//! The merchants of the form services: their two keys.

/// The id of the merchant that a sandbox knows by default.
pub const DEFAULT_MERCHANT: &str = "500000";
/// That merchant's key for accepting payments. It is public and protects nothing.
pub const DEFAULT_MERCHANT_SECRET: &str = "sandbox-merchant-secret";
/// That merchant's key for payouts. It is public and protects nothing.
pub const DEFAULT_PAYOUT_SECRET: &str = "sandbox-payout-secret";

/// A merchant's two keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merchant {
    /// The key for accepting payments, and for what is said about them.
    pub secret: String,
    /// The key for payouts.
    pub payout_secret: String,
}

impl Merchant {
    /// Creates a merchant with these keys.
    #[must_use]
    pub fn new(secret: impl Into<String>, payout_secret: impl Into<String>) -> Self {
        Self { secret: secret.into(), payout_secret: payout_secret.into() }
    }
}

impl Default for Merchant {
    /// The keys of the default merchant.
    fn default() -> Self {
        Self::new(DEFAULT_MERCHANT_SECRET, DEFAULT_PAYOUT_SECRET)
    }
}
