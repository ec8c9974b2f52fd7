//! A raw request to one of a merchant's own URLs.
//!
//! An input that begins with `g`, `f` or `m` is a query, a form or a multipart body with the boundary
//! `b`, as it comes from anyone. No such message may be accepted: the key is not in it.
//!
//! An input that begins with `=` describes fields: `=f`, `=g`, `=m` or `=x` is the form, and each
//! further line is `NAME=TEXT`. They are signed by rules that share nothing with the client's, and
//! delivered. A second opinion says whether the message proves that the order 23 was paid, of 20 KZT.

use std::collections::BTreeSet;

use http::Request;
use imts_core::callback::{
    Decision, Delivery, Event, Expected, FirstDelivery, Incoming, PaymentResult, ReceiveError,
    Receiver, Verdict,
};
use imts_core::sign::pg_sig::{AcceptingKey, OwnUrl, OwnUrls, PgFields, PgSigner, PgValue};
use md5::{Digest, Md5};

use crate::{Ran, Target};

/// This target.
pub const TARGET: Target = Target { name: "callback", goal: "an order that was paid", run };

const KEY: &str = "fuzz-key-for-accepting";

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    match data.split_first() {
        Some((b'=', lines)) => Ran { structured: true, deepest: signed(lines) },
        Some((form, message)) => {
            raw(*form, message);
            Ran { structured: false, deepest: false }
        }
        None => Ran { structured: false, deepest: false },
    }
}

fn receiver() -> Receiver {
    let signer = PgSigner::new().with_accepting(AcceptingKey::new(KEY).expect("a key"));
    let urls = OwnUrls::new([(OwnUrl::Result, "https://shop.example/pay/result")]);
    let receiver = Receiver::new(signer, urls.expect("a URL")).expect("a key for it");
    receiver.with_own_names(["x_note"]).expect("a name behind the amounts")
}

/// The signature of these values in this order, by this module's own rules.
fn signature(values: &[&str]) -> String {
    let all = [&["result"], values, &[KEY]].concat().join(";");
    Md5::digest(all).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Receives what anyone may send.
fn raw(form: u8, message: &[u8]) {
    let request = match form {
        b'g' => {
            let query: String = message.iter().map(|byte| escaped(*byte)).collect();
            Request::get(format!("/pay/result?{query}")).body(Vec::new())
        }
        b'f' => post("application/x-www-form-urlencoded", message.to_vec()),
        b'm' => post("multipart/form-data; boundary=b", message.to_vec()),
        _ => return,
    };
    let request = request.expect("a request");
    let received = receiver().receive(OwnUrl::Result, Incoming::of(&request));
    let error = received.map(drop).expect_err("a message was accepted that nobody signed");
    let shown = error.to_string();
    assert!(shown.len() < 300 && !shown.contains(KEY), "{shown}");
}

fn post(kind: &str, body: Vec<u8>) -> http::Result<Request<Vec<u8>>> {
    Request::post("/pay/result").header("content-type", kind).body(body)
}

/// A byte of a query: as it is if it may stand there, otherwise with an escape.
fn escaped(byte: u8) -> String {
    match byte {
        b'&' | b'=' | b'%' | b'+' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    }
}

/// Signs the fields that some lines describe, and delivers them. Returns whether they prove that the
/// order was paid.
fn signed(lines: &[u8]) -> bool {
    let text = String::from_utf8_lossy(lines);
    let mut lines = text.lines();
    let form = lines.next().unwrap_or_default();
    let fields: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once('=')).collect();
    // Names in brackets are nested, which is the target `pg_sig`'s subject.
    let is_flat = |name: &str| !name.is_empty() && !name.contains(['[', ']']);
    if !fields.iter().all(|(name, _)| is_flat(name) && *name != "pg_sig") || fields.len() > 64 {
        return false;
    }
    let mut sorted: Vec<_> = fields
        .iter()
        .enumerate()
        .map(|(place, it)| (format!("{}{:03}", it.0, place + 1), it.1))
        .collect();
    sorted.sort();
    let values: Vec<_> = sorted.iter().map(|(_, value)| *value).collect();
    let sig = signature(&values);
    let whole = [&fields[..], &[("pg_sig", sig.as_str())]].concat();
    let Some(request) = delivered(form, &whole) else { return false };
    let result = match receiver().receive(OwnUrl::Result, Incoming::of(&request)) {
        Ok(Event::Result(result)) => result,
        Ok(other) => panic!("not a result: {other:?}"),
        // A form cannot carry each text: XML no control character, multipart no quote in a name.
        Err(error) => {
            let is_form = matches!(form, "f" | "g");
            assert!(!is_form, "a signed message is refused: {error}");
            assert!(matches!(error, ReceiveError::Read(_)), "{error}");
            return false;
        }
    };
    let expected = Expected::new("23", "20.00", "KZT").expect("an amount");
    let is_paid = matches!(result.verdict(&expected), Verdict::Paid(_));
    assert!(!is_paid || may_be_paid(&fields), "paid without a proof");
    assert!(is_paid || !must_be_paid(&fields), "not paid: {:?}", result.verdict(&expected));
    answers(&result, &fields);
    is_paid
}

/// The request in one of its forms; `None` if the form cannot carry the fields.
fn delivered(form: &str, fields: &[(&str, &str)]) -> Option<Request<Vec<u8>>> {
    let all = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{}={}", all(name), all(value))).collect();
    // XML and multipart carry other names in other ways.
    let is_name = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.starts_with(|first: char| first.is_ascii_digit())
    };
    if matches!(form, "m" | "x") && !fields.iter().all(|(name, _)| is_name(name)) {
        return None;
    }
    let request = match form {
        "f" => post("application/x-www-form-urlencoded", pairs.join("&").into_bytes()),
        "g" => Request::get(format!("/pay/result?{}", pairs.join("&"))).body(Vec::new()),
        "m" => {
            let parts = fields.iter().map(|(name, value)| {
                format!(
                    "--b--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                )
            });
            let body = parts.collect::<String>() + "--b--b--\r\n";
            let delimiters = body.matches("--b--b").count();
            if delimiters != fields.len() + 1 {
                return None;
            }
            post("multipart/form-data; boundary=b--b", body.into_bytes())
        }
        "x" => {
            let escape =
                |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('\r', "&#13;");
            let tags =
                fields.iter().map(|(name, value)| format!("<{name}>{}</{name}>", escape(value)));
            let xml = format!("<request>{}</request>", tags.collect::<String>());
            post("application/x-www-form-urlencoded", format!("pg_xml={}", all(&xml)).into_bytes())
        }
        _ => return None,
    };
    // A query may be too long for a URI.
    request.ok()
}

/// Whether everything that a proof needs is there.
fn may_be_paid(fields: &[(&str, &str)]) -> bool {
    let names: BTreeSet<_> = fields.iter().map(|(name, _)| *name).collect();
    let value = |name| fields.iter().find(|it| it.0 == name).map(|it| it.1);
    names.len() == fields.len()
        && names.iter().all(|name| *name == "x_note" || DOCUMENTED.contains(name))
        && fields.iter().all(|(_, value)| !value.contains(';'))
        && value("pg_order_id") == Some("23")
        && value("pg_currency") == Some("KZT")
        && value("pg_result") == Some("1")
        && value("pg_payment_id")
            .is_some_and(|id| !id.is_empty() && id.bytes().all(|it| it.is_ascii_digit()))
        && value("pg_amount").is_some_and(is_20)
}

/// Whether a text is 20 in decimal digits.
fn is_20(text: &str) -> bool {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let zeros = |text: &str| text.bytes().all(|byte| byte == b'0');
    !decimals.is_empty() && zeros(decimals) && whole.strip_suffix("20").is_some_and(zeros)
}

/// Whether it is the plainest message that is a proof.
fn must_be_paid(fields: &[(&str, &str)]) -> bool {
    let plain =
        ["pg_order_id", "pg_payment_id", "pg_amount", "pg_currency", "pg_result", "pg_salt"];
    let all_short = fields.iter().all(|(name, value)| plain.contains(name) && value.len() <= 20);
    all_short && may_be_paid(fields)
}

/// Each answer is signed, and rejects only what can be rejected.
fn answers(result: &PaymentResult, fields: &[(&str, &str)]) {
    let key = result.key().as_str();
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    assert!(key.len() <= 100 && key.bytes().all(is_plain), "{key}");
    let description = fields.first().map_or("", |(_, value)| *value);
    let can_reject = fields.iter().filter(|it| it.0 == "pg_can_reject").collect::<Vec<_>>();
    let first = result.refuse(Delivery::First(FirstDelivery::vouch()), description);
    let may_reject = matches!(can_reject.as_slice(), [(_, "1")]);
    assert_eq!(first.status() == "rejected", may_reject, "{can_reject:?}");
    let again = result.refuse(Delivery::Again, description);
    assert_eq!(again.status(), "ok");
    for decision in [first, again, result.ok(description), result.error(description)] {
        is_answer(&decision);
    }
}

/// The answer is XML, and has the signature that its fields ask for.
fn is_answer(decision: &Decision) {
    let answer = receiver().answer(decision, [7; 16]).expect("an answer is signed");
    let read = PgFields::from_xml(answer.body()).expect("an answer is XML");
    let read = PgValue::from(read);
    let fields = read.inner();
    let text = |name: &str| {
        fields.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_text())
    };
    let names = ["pg_description", "pg_error_description", "pg_salt", "pg_status"];
    let values: Vec<_> = names.iter().filter_map(|name| text(name)).collect();
    assert_eq!(fields.len(), values.len() + 1, "an answer has other fields");
    assert_eq!(text("pg_status"), Some(decision.status()));
    assert!(values.iter().all(|value| !value.contains(';')), "an answer can be split anew");
    assert_eq!(text("pg_sig"), Some(signature(&values).as_str()));
}

const DOCUMENTED: [&str; 31] = [
    "pg_order_id",
    "pg_payment_id",
    "pg_amount",
    "pg_currency",
    "pg_net_amount",
    "pg_ps_amount",
    "pg_ps_full_amount",
    "pg_ps_currency",
    "pg_description",
    "pg_result",
    "pg_payment_date",
    "pg_can_reject",
    "pg_user_phone",
    "pg_user_contact_email",
    "pg_testing_mode",
    "pg_captured",
    "pg_card_id",
    "pg_card_token",
    "pg_card_pan",
    "pg_card_exp",
    "pg_card_owner",
    "pg_card_brand",
    "pg_payment_method",
    "pg_discount_percent",
    "pg_discount_amount",
    "pg_salt",
    "pg_recurring_profile_id",
    "pg_need_phone_notification",
    "pg_need_email_notification",
    "pg_reference",
    "pg_auth_code",
];
