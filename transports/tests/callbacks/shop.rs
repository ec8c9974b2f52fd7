//! A merchant of the tests: one order of 20 KZT, and a list of what it was asked.

use std::sync::{Arc, Mutex};

use http::Response;
use imts::callback::{
    Alarm, Check, Decision, Delivery, Expected, Handler, PaymentResult, PayoutResult, Receiver,
    Redirected, Undecided, Verdict,
};
use imts::sign::pg_sig::{AcceptingKey, OwnUrl, OwnUrls, PayoutKey, PgSigner};

use crate::message::{KEY, PAYOUT_KEY};

#[derive(Clone, Default)]
pub(crate) struct Shop {
    pub(crate) seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
pub(crate) struct Seen {
    /// Payments that were decided, and whether it was their first delivery.
    pub(crate) decided: Vec<(String, bool)>,
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) redirects: Vec<bool>,
    pub(crate) is_down: bool,
}

impl Shop {
    pub(crate) fn decisions(&self) -> Vec<(String, bool)> {
        self.seen.lock().unwrap().decided.clone()
    }

    pub(crate) fn alarms(&self) -> Vec<Alarm> {
        self.seen.lock().unwrap().alarms.clone()
    }

    fn decide(&self, id: &str, is_first: bool) -> Result<(), Undecided> {
        let mut seen = self.seen.lock().unwrap();
        seen.decided.push((id.to_owned(), is_first));
        if seen.is_down { Err(Undecided::new("the database is down")) } else { Ok(()) }
    }
}

impl Handler for Shop {
    fn check(&self, check: &Check) -> Result<Decision, Undecided> {
        self.decide("check", true)?;
        Ok(match check.agrees(&order()) {
            Ok(()) => check.ok("Yes"),
            Err(_) => check.reject("No"),
        })
    }

    fn result(&self, result: &PaymentResult, delivery: Delivery) -> Result<Decision, Undecided> {
        let id = result.payment_id().unwrap_or_default();
        self.decide(id, matches!(delivery, Delivery::First(_)))?;
        Ok(judge(result, delivery))
    }

    fn payout(&self, payout: &PayoutResult) -> Result<Decision, Undecided> {
        self.decide("payout", true)?;
        Ok(payout.ok("Noted"))
    }

    fn redirect(&self, redirect: Redirected<'_>) -> Response<Vec<u8>> {
        let is_signed = matches!(redirect, Redirected::Signed(_));
        self.seen.lock().unwrap().redirects.push(is_signed);
        Response::builder()
            .status(303)
            .header("location", "/thanks")
            .body(b"page".to_vec())
            .unwrap()
    }

    fn alarm(&self, alarm: &Alarm) {
        self.seen.lock().unwrap().alarms.push(alarm.clone());
    }
}

pub(crate) fn judge(result: &PaymentResult, delivery: Delivery) -> Decision {
    match result.verdict(&order()) {
        Verdict::Paid(_) => result.ok("Order paid"),
        Verdict::NotPaid(_) => result.ok("Noted"),
        Verdict::Mismatch(_) | Verdict::AskStatus(_) => result.refuse(delivery, "Not ordered"),
    }
}

pub(crate) fn order() -> Expected {
    Expected::new("23", "20.00", "KZT").unwrap()
}

pub(crate) fn receiver() -> Receiver {
    let signer = PgSigner::new()
        .with_accepting(AcceptingKey::new(KEY).unwrap())
        .with_payouts(PayoutKey::new(PAYOUT_KEY).unwrap());
    let urls = OwnUrls::new([
        (OwnUrl::Check, "https://shop.example/pay/check"),
        (OwnUrl::Result, "https://shop.example/pay/result"),
        (OwnUrl::Payout, "https://shop.example/pay/payout"),
        (OwnUrl::Success, "https://shop.example/pay/success"),
        (OwnUrl::Failure, "https://shop.example/pay/failure"),
    ]);
    Receiver::new(signer, urls.unwrap()).unwrap()
}
