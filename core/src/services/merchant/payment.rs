//! `POST /init_payment.php`: a payment, which its payer completes on the vendor's page.

use crate::operation::{Account, Auth};
use crate::services::pg::{Callbacks, Charge, Flag, Language, OrderId, Price, Receipt, UserId};
use crate::services::request::request;
use crate::services::values::{Currency, FieldError, Hidden, Limited};

request! {
    /// Creates a payment (published). The service calls the merchant back by `POST`: this is set
    /// always, and there is no field that could be spelled wrong.
    CreatePayment = "create-payment", Money, Auth::PgSig(Account::Accepting), Some("/init_payment.php"), Published => Charge;
    reference "pg_order_id";
    fixed { request_method: "pg_request_method" = "POST", }
    required {
        order_id: OrderId = "pg_order_id",
        amount: Price = "pg_amount",
        description: Limited<1024> = "pg_description",
    }
    optional {
        /// Sets the currency.
        with_currency(currency: Currency) = "pg_currency",
        /// Sets the test mode.
        with_testing_mode(testing_mode: Flag) = "pg_testing_mode",
        /// Sets how long it can be paid: 300 to 604,800 seconds.
        with_lifetime(lifetime: u32) = "pg_lifetime",
        /// Sets the language of the page.
        with_language(language: Language) = "pg_language",
        /// Sets whether the money is taken at once. If not, a hold is cleared by itself after 5 days.
        with_auto_clearing(auto_clearing: Flag) = "pg_auto_clearing",
        /// Sets whether a profile for further payments is made.
        with_recurring_start(recurring_start: Flag) = "pg_recurring_start",
        /// Sets how long that profile lives: 1 to 156 months.
        with_recurring_lifetime(recurring_lifetime: u8) = "pg_recurring_lifetime",
        /// Sets how many seconds the page waits after the payment.
        with_timeout_after_payment(timeout_after_payment: u32) = "pg_timeout_after_payment",
        /// Sets whether the payer must confirm at the card's bank.
        with_3ds_challenge(challenge: Flag) = "pg_3ds_challenge",
        /// Sets the merchant's own id of the user.
        with_user_id(user_id: UserId) = "pg_user_id",
        /// Sets the user's address.
        with_user_ip(user_ip: Hidden) = "pg_user_ip",
        /// Sets the user's phone, as digits.
        with_user_phone(user_phone: Hidden) = "pg_user_phone",
        /// Sets the user's e-mail address.
        with_user_contact_email(user_contact_email: Hidden) = "pg_user_contact_email",
        /// Sets how it is paid, such as `bankcard`.
        with_payment_method(payment_method: Limited<50>) = "pg_payment_method",
        /// Sets the page to which the payer can go back.
        with_site_url(site_url: Limited<255>) = "pg_site_url",
        /// Sets the positions of the receipt.
        with_receipt(receipt: Receipt) = "pg_receipt_positions",
        /// Sets the first text of the merchant's own.
        with_param1(param1: Limited<255>) = "pg_param1",
        /// Sets the second text of the merchant's own.
        with_param2(param2: Limited<255>) = "pg_param2",
        /// Sets the third text of the merchant's own.
        with_param3(param3: Limited<255>) = "pg_param3",
        /// Sets the idempotency key. Whether a repeated one replays or is refused is unknown.
        with_idempotency_key(idempotency_key: Limited<255>) = "pg_idempotency_key",
    }
    own own = 255;
    parts {
        /// Sets the merchant's own URLs.
        with_callbacks(callbacks: Callbacks),
    }
}

impl CreatePayment {
    /// Adds a field of the merchant's own, which comes back with each callback. Let its name come after
    /// `pg_` in the alphabet, such as `x_note`.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if the name begins with `pg_`, or does not begin with a letter, or has other
    /// characters than letters, digits and `_`.
    pub fn with_own(mut self, name: &str, value: Limited<255>) -> Result<Self, FieldError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let ok = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(is_plain)
            && !name.to_ascii_lowercase().starts_with("pg_");
        let form = "named with letters, digits and _, and not with pg_ at the beginning";
        FieldError::require(ok, (), "own field", form)?;
        self.own.insert(name.to_owned(), value);
        Ok(self)
    }
}
