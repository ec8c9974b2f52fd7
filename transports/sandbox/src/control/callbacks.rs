//! The part of the control interface about payments and callbacks.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, parse};
use crate::callbacks::{NewPayment, NewPayout, PAY_PATH, Payment};
use crate::outbox::MessageKind;
use crate::sandbox::Sandbox;
use crate::time::Time;

fn bad(message: String) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, message)
}

/// Takes a payment. Returns its number, and the path of the page where it is paid.
pub(super) fn add(sandbox: &mut Sandbox, now: Time, body: &[u8]) -> Outcome {
    let asked: NewPayment = parse(body)?;
    let payment_id = sandbox.add_payment(now, asked).map_err(bad)?;
    let path = format!("{PAY_PATH}?payment_id={payment_id}");
    Ok(json!({ "payment_id": payment_id, "pay_path": path }))
}

pub(super) fn list(sandbox: &Sandbox) -> Value {
    json!({ "payments": sandbox.payments().collect::<Vec<&Payment>>() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    payment_id: u64,
}

/// Acts as the payer: pays, or declines.
pub(super) fn decide(sandbox: &mut Sandbox, now: Time, body: &[u8], pays: bool) -> Outcome {
    let Which { payment_id } = parse(body)?;
    let is_done = match pays {
        true => sandbox.pay(now, payment_id),
        false => sandbox.decline(now, payment_id),
    };
    match is_done {
        true => Ok(json!({})),
        false => Err((StatusCode::CONFLICT, "no such payment is open".to_owned())),
    }
}

/// A message to send now, whatever the payment's state.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Say {
    payment_id: u64,
    kind: MessageKind,
    #[serde(default = "paid")]
    result: u8,
}

fn paid() -> u8 {
    1
}

pub(super) fn say(sandbox: &mut Sandbox, now: Time, body: &[u8]) -> Outcome {
    let Say { payment_id, kind, result } = parse(body)?;
    if result > 2 {
        return Err(bad("result is 0, 1 or 2".to_owned()));
    }
    match sandbox.say(now, payment_id, kind, result) {
        true => Ok(json!({})),
        false => {
            Err((StatusCode::NOT_FOUND, "no such payment, or it has no URL for it".to_owned()))
        }
    }
}

pub(super) fn pay_out(sandbox: &mut Sandbox, now: Time, body: &[u8]) -> Outcome {
    let payout: NewPayout = parse(body)?;
    let payment_id = sandbox.pay_out(now, &payout).map_err(bad)?;
    Ok(json!({ "payment_id": payment_id }))
}
