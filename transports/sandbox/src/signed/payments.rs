//! The payments that a merchant has made.
//!
//! Owns their numbers and states. Does not know how they are asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::callbacks::PaymentState;
use crate::time::Time;

/// All payments, by number and by order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Payments {
    payments: BTreeMap<u64, Payment>,
    orders: BTreeMap<(String, String), u64>,
}

/// One payment, payout or stored card.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    pub(crate) merchant: String,
    pub(crate) order: Option<String>,
    pub(crate) amount: Option<String>,
    pub(crate) currency: Option<String>,
    pub(crate) made: Time,
    pub(crate) state: State,
}

/// What became of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody has paid yet.
    New,
    /// It was taken at this time, and is done after the time for processing.
    Taken(Time),
    /// It was cancelled or refunded.
    Revoked,
}

impl Payments {
    /// Adds a payment under its number. Of several with one order, a search by the order finds the
    /// first, the parent (published).
    pub(crate) fn add(&mut self, id: u64, payment: Payment) {
        if let Some(order) = &payment.order {
            self.orders.entry((payment.merchant.clone(), order.clone())).or_insert(id);
        }
        self.payments.insert(id, payment);
    }

    pub(crate) fn len(&self) -> usize {
        self.payments.len()
    }

    /// Returns the payment of this merchant with this number, or with this order.
    pub(crate) fn find(
        &mut self,
        merchant: &str,
        id: Option<&str>,
        order: Option<&str>,
    ) -> Option<(u64, &mut Payment)> {
        let by_id = id.and_then(|id| id.parse().ok());
        let by_order = || self.orders.get(&(merchant.to_owned(), order?.to_owned())).copied();
        let id = by_id.or_else(by_order)?;
        let payment = self.payments.get_mut(&id)?;
        (payment.merchant == merchant).then_some((id, payment))
    }
}

impl Payment {
    /// Returns the status in words, as the page prints them. What became of a payment of which the shop
    /// hears is `heard`.
    pub(crate) fn status(
        &self,
        now: Time,
        processing: Duration,
        heard: Option<PaymentState>,
    ) -> &'static str {
        match (self.state, heard) {
            (State::Revoked, _) | (_, Some(PaymentState::Rejected)) => return "revoked",
            (_, Some(PaymentState::Refused | PaymentState::Failed)) => return "failed",
            (_, Some(PaymentState::Checking)) => return "process",
            (State::New, Some(PaymentState::Paid)) => return "success",
            _ => {}
        }
        match self.state {
            State::New => "new",
            State::Taken(at) if now < at.after(processing) => "process",
            State::Taken(_) => "success",
            State::Revoked => "revoked",
        }
    }
}
