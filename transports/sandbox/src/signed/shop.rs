//! What a shop asks for in a form message: the payment whose page the sandbox shows, and the URLs at
//! which the shop hears of it.
//!
//! Owns which form fields these are. Does not know how callbacks are made.

use super::form_call::Call;
use super::row::{Account, Does};
use super::tree::Node;
use crate::callbacks::{BackMethod, NewPayment, NewPayout, RequestMethod};

/// What a message asks for.
pub(super) enum Asked {
    /// A payment that a payer makes on a page.
    Payment(NewPayment),
    /// A payment that is taken at once, and of which the shop hears.
    Charge(NewPayment),
    /// A payout of which the shop hears.
    Payout(NewPayout),
    /// Nothing of which the shop hears.
    Silent,
}

/// Reads what a message asks for. The text of an error says what is wrong with it.
pub(super) fn asked(call: &Call<'_>) -> Result<Asked, String> {
    let (has, accounts) = (|name| call.fields.has(name), call.form.account);
    let is_charge = call.form.does == Does::Charge;
    if is_charge && accounts == Account::Payouts && has("pg_post_link") {
        let payout = payout(call);
        payout.check()?;
        return Ok(Asked::Payout(payout));
    }
    let hears =
        is_charge && accounts != Account::Payouts && (has("pg_result_url") || has("pg_check_url"));
    if !hears && call.form.does != Does::Create {
        return Ok(Asked::Silent);
    }
    let payment = payment(call);
    payment.check()?;
    Ok(if hears { Asked::Charge(payment) } else { Asked::Payment(payment) })
}

fn payment(call: &Call<'_>) -> NewPayment {
    let text = |name: &str| call.fields.one(name).map(str::to_owned);
    let back = |name: &str| match call.fields.one(name) {
        Some("POST") => BackMethod::Post,
        _ => BackMethod::Get,
    };
    let mut payment = NewPayment::new(
        text("pg_order_id").unwrap_or_default(),
        text("pg_amount").unwrap_or_default(),
    );
    payment.merchant_id.clone_from(&call.merchant);
    payment.currency = text("pg_currency").unwrap_or(payment.currency);
    payment.description = text("pg_description").unwrap_or_default();
    payment.check_url = text("pg_check_url");
    payment.result_url = text("pg_result_url");
    payment.success_url = text("pg_success_url");
    payment.failure_url = text("pg_failure_url");
    payment.request_method = match call.fields.one("pg_request_method") {
        Some("POST") => RequestMethod::Post,
        Some("XML") => RequestMethod::Xml,
        _ => RequestMethod::Get,
    };
    payment.success_url_method = back("pg_success_url_method");
    payment.failure_url_method = back("pg_failure_url_method");
    payment.own = call.fields.0.iter().filter_map(own).collect();
    payment
}

fn payout(call: &Call<'_>) -> NewPayout {
    let text = |name: &str| call.fields.one(name).unwrap_or_default();
    let mut payout = NewPayout::new(text("pg_order_id"), text("pg_amount"), text("pg_post_link"));
    payout.merchant_id.clone_from(&call.merchant);
    payout
}

/// Returns a parameter of the shop's own.
fn own((name, node): &(String, Node)) -> Option<(String, String)> {
    match node {
        Node::Text(text) if !name.starts_with("pg_") => Some((name.clone(), text.clone())),
        _ => None,
    }
}
