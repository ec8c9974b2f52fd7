//! Payments from a phone's balance: `/init_payment.php`, `/mfs/pay`, `/mfs/approve`.
//!
//! The replies of the last two are printed without a signature, so what they say of money is not
//! believed: ask for the status.

use crate::operation::{Account, Auth};
use crate::services::pg::{Callbacks, Charge, Flag, Language, OrderId, PaymentId, Price, UserId};
use crate::services::request::request;
use crate::services::values::{Currency, Hidden, Limited};

request! {
    /// Creates a payment from a phone's balance (published).
    InitMobile = "mobile-init", Money, Auth::PgSig(Account::Accepting), Some("/init_payment.php"), Published => Charge;
    reference "pg_order_id";
    fixed {
        request_method: "pg_request_method" = "POST",
        payment_method: "pg_payment_method" = "mobile_commerce",
    }
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
        /// Sets the merchant's own id of the user.
        with_user_id(user_id: UserId) = "pg_user_id",
        /// Sets the user's address.
        with_user_ip(user_ip: Hidden) = "pg_user_ip",
        /// Sets the user's phone, as digits.
        with_user_phone(user_phone: Hidden) = "pg_user_phone",
        /// Sets the user's e-mail address.
        with_user_contact_email(user_contact_email: Hidden) = "pg_user_contact_email",
        /// Sets the first text of the merchant's own.
        with_param1(param1: Limited<255>) = "pg_param1",
        /// Sets the second text of the merchant's own.
        with_param2(param2: Limited<255>) = "pg_param2",
        /// Sets the third text of the merchant's own.
        with_param3(param3: Limited<255>) = "pg_param3",
    }
    parts {
        /// Sets the merchant's own URLs.
        with_callbacks(callbacks: Callbacks),
    }
}

request! {
    /// Charges the balance of a phone (published).
    PayMobile = "mobile-pay", Money, Auth::PgSig(Account::Accepting), Some("/mfs/pay"), Published => Charge;
    reference "pg_payment_id";
    required {
        payment_id: PaymentId = "pg_payment_id",
        phone: Hidden = "pg_abonent_phone",
    }
    optional {
        /// Sets the operator, such as `KCELLKZT`.
        with_operator(operator: Limited<50>) = "pg_payment_system_code",
    }
}

request! {
    /// Confirms a charge with the code that the phone received (published).
    ApproveMobile = "mobile-approve", Money, Auth::PgSig(Account::Accepting), Some("/mfs/approve"), Published => Charge;
    reference "pg_payment_id";
    required {
        payment_id: PaymentId = "pg_payment_id",
        code: Hidden = "pg_approval_code",
    }
    optional {}
}
