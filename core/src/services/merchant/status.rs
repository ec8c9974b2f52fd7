//! `POST /get_status3.php`: the state of a payment.

use serde::Serialize;

use crate::error::{EncodeError, Malformed};
use crate::evidence::Evidence;
use crate::operation::{Account, Auth, Class, Operation};
use crate::secret::Body;
use crate::services::pg::{OrderId, Payment, PaymentId};
use crate::wire::Success;

/// Asks for the state of a payment (published). By order, the service finds the payment alone; by its
/// own id it also finds a refund.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    #[serde(rename = "pg_payment_id", skip_serializing_if = "Option::is_none")]
    payment_id: Option<PaymentId>,
    #[serde(rename = "pg_order_id", skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
}

impl Status {
    /// Names the payment by the merchant's order.
    #[must_use]
    pub fn of_order(order_id: OrderId) -> Self {
        Self { payment_id: None, order_id: Some(order_id) }
    }

    /// Names the payment by the service's id.
    #[must_use]
    pub fn of_payment(payment_id: PaymentId) -> Self {
        Self { payment_id: Some(payment_id), order_id: None }
    }
}

impl Operation for Status {
    const NAME: &'static str = "status";
    const PATH: Option<&'static str> = Some("/get_status3.php");
    const AUTH: Auth = Auth::PgSig(Account::Accepting);
    const CLASS: Class = Class::Read;
    const EVIDENCE: Evidence = Evidence::Published;
    type Reply = Payment;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(self)
    }

    fn decode(success: Success<'_>) -> Result<Payment, Malformed> {
        success.payload()
    }
}
