//! Messages, signed by rules that share nothing with the client's.

use http::Request;
use md5::{Digest, Md5};

pub(crate) const KEY: &str = "the-key-for-accepting";
pub(crate) const PAYOUT_KEY: &str = "the-key-for-payouts";

/// Lower-case hex MD5 of script, values by name, and key.
pub(crate) fn signature(script: &str, fields: &[(&str, &str)], key: &str) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_by_key(|(name, _)| *name);
    let values = sorted.into_iter().map(|(_, value)| value);
    let all: Vec<_> = std::iter::once(script).chain(values).chain([key]).collect();
    Md5::digest(all.join(";")).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Urlencoded pairs with their signature. The values need no escapes.
pub(crate) fn signed(script: &str, fields: &[(&str, &str)], key: &str) -> String {
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}&pg_sig={}", pairs.join("&"), signature(script, fields, key))
}

/// The result of a payment of the order 23, of 20 KZT.
pub(crate) fn paid(payment: &str, amount: &str, salt: &str) -> String {
    let fields = [
        ("pg_order_id", "23"),
        ("pg_payment_id", payment),
        ("pg_amount", amount),
        ("pg_currency", "KZT"),
        ("pg_result", "1"),
        ("pg_can_reject", "1"),
        ("pg_salt", salt),
    ];
    signed("result", &fields, KEY)
}

pub(crate) fn payout(salt: &str) -> String {
    let fields = [
        ("pg_payment_id", "9"),
        ("pg_order_id", "7"),
        ("pg_status", "ok"),
        ("pg_payment_amount", "5"),
        ("pg_salt", salt),
    ];
    signed("payout", &fields, PAYOUT_KEY)
}

pub(crate) fn post(body: impl Into<Vec<u8>>) -> Request<Vec<u8>> {
    Request::post("/pay/result").body(body.into()).unwrap()
}

/// The text of a tag in an answer.
pub(crate) fn tag<'a>(xml: &'a [u8], name: &str) -> Option<&'a str> {
    let xml = std::str::from_utf8(xml).unwrap();
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// Whether an answer has the signature that its values ask for.
pub(crate) fn is_signed(script: &str, xml: &[u8], key: &str) -> bool {
    let names = ["pg_status", "pg_description", "pg_error_description", "pg_salt"];
    let fields: Vec<_> =
        names.into_iter().filter_map(|name| Some((name, tag(xml, name)?))).collect();
    tag(xml, "pg_sig") == Some(signature(script, &fields, key).as_str())
}
