//! A form request whose signature is right: whose it is, and what it is about.

use http::Request;

use super::SignedOperation;
use super::row::{Does, Form};
use super::tree::Tree;

/// The longest id of an intent, in bytes.
const LONGEST_ID: usize = 256;

/// A form request whose signature is right.
pub(super) struct Call<'a> {
    pub(super) operation: SignedOperation,
    pub(super) form: &'static Form,
    pub(super) merchant: String,
    pub(super) key: String,
    pub(super) fields: Tree,
    pub(super) request: &'a Request<Vec<u8>>,
}

impl Call<'_> {
    pub(super) fn idempotency_key(&self) -> Option<&str> {
        self.fields.one("pg_idempotency_key").filter(|_| self.form.has_key)
    }

    /// Returns the id of the request's intent: the order that it creates, or the key, the payment, the
    /// card or the user that it changes.
    pub(super) fn intent(&self) -> Option<&str> {
        let names: &[&str] = match self.form.does {
            Does::Refund => &["pg_idempotency_key", "pg_payment_id", "pg_order_id"],
            Does::Cancel | Does::Clear | Does::Confirm | Does::MobilePay | Does::MobileApprove => {
                &["pg_payment_id", "pg_order_id"]
            }
            _ => &["pg_order_id", "pg_card_id", "pg_card_token", "pg_card_hash", "pg_user_id"],
        };
        let mut values = names.iter().filter_map(|name| self.fields.one(name));
        values.find(|value| (1..=LONGEST_ID).contains(&value.len()))
    }
}
