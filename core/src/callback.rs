//! Callbacks: the signed messages that the gateway sends to the merchant's own URLs.
//!
//! Owns the way from a raw request to a verified, typed event, and from the merchant's decision to
//! the bytes of a signed answer. Does no I/O and stores nothing: its driver keeps the first
//! answer to each payment, by its [`AnswerKey`], and gives it again. Knows no session and no
//! operation.
//!
//! The names of the fields, the repeats and the three answers are published. `docs/signing.md`
//! says what is assumed.

mod answer;
mod check;
mod decimal;
mod decision;
mod doubt;
mod expected;
mod incoming;
mod key;
mod known;
mod message;
mod multipart;
mod payout;
mod receiver;
mod redirect;
mod result;

pub use self::answer::{Answer, AnswerSalt, Unverified};
pub use self::check::Check;
pub use self::decimal::{Decimal, DecimalError};
pub use self::decision::{Alarm, Decision, Delivery, FirstDelivery, Rejection};
pub use self::doubt::Doubt;
pub use self::expected::{Expected, Mismatch};
pub use self::incoming::{Incoming, ReceiveError};
pub use self::key::AnswerKey;
pub use self::payout::{PayoutResult, PayoutVerdict};
pub use self::receiver::{Event, Receiver, ReceiverError};
pub use self::redirect::Redirect;
pub use self::result::{NotPaid, Paid, PaymentResult, Verdict};
