//! What the tests share: a signer that shares nothing with the crate's, and short ways to an event.

use http::Request;
use imts_core::callback::{
    Answer, Check, Delivery, Event, Expected, FirstDelivery, Incoming, PaymentResult, PayoutResult,
    ReceiveError, Receiver, Redirect,
};
use imts_core::sign::pg_sig::{AcceptingKey, OwnUrl, OwnUrls, PayoutKey, PgSigner};
use md5::{Digest, Md5};

pub(crate) const KEY: &str = "the-key-for-accepting";
pub(crate) const PAYOUT_KEY: &str = "the-key-for-payouts";

pub(crate) type Fields<'a> = Vec<(&'a str, &'a str)>;

/// Lower-case hex MD5 of script, values by name, and key.
pub(crate) fn signature(script: &str, fields: &[(&str, &str)], key: &str) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_by_key(|(name, _)| *name);
    let values = sorted.into_iter().map(|(_, value)| value);
    let all: Vec<_> = std::iter::once(script).chain(values).chain([key]).collect();
    Md5::digest(all.join(";")).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Urlencoded pairs, each character of a value escaped unless it is a letter or a digit.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| {
        let each = text.bytes().map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        });
        each.collect::<String>()
    };
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A form with its signature behind it.
pub(crate) fn signed(script: &str, fields: &[(&str, &str)], key: &str) -> String {
    format!("{}&pg_sig={}", form(fields), signature(script, fields, key))
}

pub(crate) fn signer() -> PgSigner {
    PgSigner::new()
        .with_accepting(AcceptingKey::new(KEY).unwrap())
        .with_payouts(PayoutKey::new(PAYOUT_KEY).unwrap())
}

pub(crate) fn urls() -> OwnUrls {
    OwnUrls::new([
        (OwnUrl::Check, "https://shop.example/pay/check"),
        (OwnUrl::Result, "https://shop.example/pay/result?shop=1"),
        (OwnUrl::Payout, "https://shop.example/pay/payout"),
        (OwnUrl::Success, "https://shop.example/pay/success"),
        (OwnUrl::Failure, "https://shop.example/pay/failure"),
    ])
    .unwrap()
}

pub(crate) fn receiver() -> Receiver {
    Receiver::new(signer(), urls()).unwrap().with_own_names(["x_note"]).unwrap()
}

/// A paid result of the order 23, with the fields that the page prints.
pub(crate) fn result_fields() -> Fields<'static> {
    vec![
        ("pg_order_id", "23"),
        ("pg_payment_id", "12345"),
        ("pg_amount", "20"),
        ("pg_currency", "KZT"),
        ("pg_net_amount", "19.3"),
        ("pg_ps_amount", "20"),
        ("pg_ps_full_amount", "20"),
        ("pg_ps_currency", "KZT"),
        ("pg_description", "Purchase in the online store Site.kz"),
        ("pg_result", "1"),
        ("pg_payment_date", "2019-01-01 12:00:00"),
        ("pg_can_reject", "1"),
        ("pg_user_phone", "7077777777777"),
        ("pg_need_phone_notification", "0"),
        ("pg_user_contact_email", "mail@customer.kz"),
        ("pg_need_email_notification", "1"),
        ("pg_testing_mode", "0"),
        ("pg_captured", "1"),
        ("pg_card_pan", "5483-18XX-XXXX-0293"),
        ("pg_card_exp", "03/23"),
        ("pg_card_owner", "A CARD HOLDER"),
        ("pg_card_brand", "VI"),
        ("pg_payment_method", "bankcard"),
        ("x_note", "own parameter"),
        ("pg_salt", "a random string"),
    ]
}

pub(crate) fn payout_fields() -> Fields<'static> {
    vec![
        ("pg_status", "ok"),
        ("pg_payment_id", "12345678"),
        ("pg_order_id", "157674271"),
        ("pg_balance", "13476085.15"),
        ("pg_payment_amount", "5000.00"),
        ("pg_to_pay", "5300"),
        ("pg_merchant_id", "123456"),
        ("pg_payment_date", "2018-12-31 15:00:00"),
        ("pg_card_hash", "123456-XX-XXXX-1234"),
        ("pg_salt", "G66PbiRDxqa44tB8"),
    ]
}

/// The fields with this one changed, or added.
pub(crate) fn with<'a>(fields: &[(&'a str, &'a str)], name: &'a str, value: &'a str) -> Fields<'a> {
    let mut fields = fields.to_vec();
    match fields.iter_mut().find(|(known, _)| *known == name) {
        Some((_, there)) => *there = value,
        None => fields.push((name, value)),
    }
    fields
}

pub(crate) fn without<'a>(fields: &[(&'a str, &'a str)], name: &str) -> Fields<'a> {
    fields.iter().copied().filter(|(known, _)| *known != name).collect()
}

/// What a form proves that came as a POST.
pub(crate) fn received(url: OwnUrl, body: &str) -> Result<Event, ReceiveError> {
    let request = Request::post("/pay/anything")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .unwrap();
    receiver().receive(url, Incoming::of(&request))
}

pub(crate) fn result_of(fields: &[(&str, &str)]) -> PaymentResult {
    match received(OwnUrl::Result, &signed("result", fields, KEY)) {
        Ok(Event::Result(result)) => result,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn check_of(fields: &[(&str, &str)]) -> Check {
    match received(OwnUrl::Check, &signed("check", fields, KEY)) {
        Ok(Event::Check(check)) => check,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn payout_of(fields: &[(&str, &str)]) -> PayoutResult {
    match received(OwnUrl::Payout, &signed("payout", fields, PAYOUT_KEY)) {
        Ok(Event::Payout(payout)) => payout,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn redirect_of(url: OwnUrl, script: &str, fields: &[(&str, &str)]) -> Redirect {
    match received(url, &signed(script, fields, KEY)) {
        Ok(Event::Redirect(redirect)) => redirect,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn expected() -> Expected {
    Expected::new("23", "20.00", "KZT").unwrap()
}

pub(crate) fn first() -> Delivery {
    Delivery::First(FirstDelivery::vouch())
}

pub(crate) const RANDOM: [u8; 16] = [7; 16];

/// The text of a tag in an answer, without escapes.
pub(crate) fn tag<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let xml = std::str::from_utf8(answer.body()).unwrap();
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}
