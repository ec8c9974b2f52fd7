//! Messages that someone else has written, or has made from signed ones.

use imts_core::callback::{Doubt, Expected, Incoming, ReceiveError, Receiver, Verdict};
use imts_core::sign::pg_sig::{OwnUrl, PgReadError, PgVerifyError};

use crate::support::{
    KEY, expected, form, received, receiver, redirect_of, result_fields, result_of, signature,
    signed, signer, urls, with, without,
};

fn refusal(url: OwnUrl, body: &str) -> ReceiveError {
    received(url, body).unwrap_err()
}

const WRONG: ReceiveError = ReceiveError::Verify(PgVerifyError::Signature);

#[test]
fn a_callback_without_or_with_a_wrong_signature_is_refused() {
    let fields = result_fields();
    let bare = form(&fields);
    assert_eq!(refusal(OwnUrl::Result, &bare), PgVerifyError::NoSignature.into());
    let right = signature("result", &fields, KEY);
    for wrong in [
        String::new(),
        right[..31].to_owned(),
        format!("{right}0"),
        format!("{right} "),
        right.to_uppercase(),
        format!("{}g", &right[..31]),
    ] {
        let refused = refusal(OwnUrl::Result, &format!("{bare}&pg_sig={wrong}"));
        assert_eq!(refused, PgVerifyError::Malformed.into(), "{wrong}");
        assert!(!refused.to_string().contains(&right));
    }
    let other = "0".repeat(32);
    let refused = refusal(OwnUrl::Result, &format!("{bare}&pg_sig={other}"));
    assert_eq!(refused, WRONG);
    assert!(!format!("{refused} {refused:?}").contains(&right), "an error shows the signature");
}

#[test]
fn two_signatures_are_refused() {
    let body = signed("result", &result_fields(), KEY);
    let twice = format!("{body}&pg_sig={}", signature("result", &result_fields(), KEY));
    assert_eq!(refusal(OwnUrl::Result, &twice), PgVerifyError::Repeated.into());
}

#[test]
fn the_script_is_that_of_the_configured_url() {
    let fields = result_fields();
    for script in ["init_payment.php", "pay/result", "result?shop=1", "anything", "check", ""] {
        assert_eq!(refusal(OwnUrl::Result, &signed(script, &fields, KEY)), WRONG, "{script}");
    }
    // The path of the request is /pay/anything.
    assert!(received(OwnUrl::Result, &signed("result", &fields, KEY)).is_ok());
}

#[test]
fn a_message_for_one_url_is_refused_at_each_other() {
    let all = [OwnUrl::Check, OwnUrl::Result, OwnUrl::Payout, OwnUrl::Success, OwnUrl::Failure];
    for of in all {
        let body = signed(&of.to_string(), &result_fields(), KEY);
        for at in all.into_iter().filter(|at| *at != of) {
            assert_eq!(refusal(at, &body), WRONG, "{of} at {at}");
        }
    }
}

#[test]
fn each_field_is_signed_known_or_not() {
    let fields = with(&result_fields(), "session_token", "abc");
    let body = signed("result", &fields, KEY);
    assert!(received(OwnUrl::Result, &body).is_ok());
    let right = signature("result", &fields, KEY);
    for left_out in ["session_token", "pg_need_phone_notification", "x_note", "pg_card_brand"] {
        let less = format!("{}&pg_sig={right}", form(&without(&fields, left_out)));
        assert_eq!(refusal(OwnUrl::Result, &less), WRONG, "{left_out}");
    }
    let only_pg = fields.iter().copied().filter(|(name, _)| name.starts_with("pg_"));
    let only_pg = signature("result", &only_pg.collect::<Vec<_>>(), KEY);
    let refused = refusal(OwnUrl::Result, &format!("{}&pg_sig={only_pg}", form(&fields)));
    assert_eq!(refused, WRONG);
}

#[test]
fn values_are_signed_in_the_order_of_names() {
    let fields = result_fields();
    let mut values: Vec<_> = fields.iter().map(|(_, value)| ("", *value)).collect();
    values.sort_unstable();
    let by_values = signature("result", &values, KEY);
    let refused = refusal(OwnUrl::Result, &format!("{}&pg_sig={by_values}", form(&fields)));
    assert_eq!(refused, WRONG);
    let mut turned = fields.clone();
    turned.reverse();
    let body = format!("{}&pg_sig={}", form(&turned), signature("result", &fields, KEY));
    assert!(received(OwnUrl::Result, &body).is_ok());
}

#[test]
fn a_separator_in_any_value_makes_the_caller_ask_for_the_status() {
    let fields = result_fields();
    for (name, _) in &fields {
        let verdict = result_of(&with(&fields, name, "1;2")).verdict(&expected());
        assert_eq!(verdict, Verdict::AskStatus(Doubt::Separator), "{name}");
    }
}

#[test]
fn a_message_that_was_split_anew_is_not_paid_and_keeps_its_own_answer() {
    let small = vec![
        ("pg_amount", "10"),
        ("pg_card_owner", "I;90000;KZT;O77"),
        ("pg_currency", "KZT"),
        ("pg_order_id", "O1"),
        ("pg_payment_id", "5"),
        ("pg_result", "1"),
        ("pg_salt", "x"),
    ];
    let right = signature("result", &small, KEY);
    let large = vec![
        ("a", "10"),
        ("b", "I"),
        ("pg_amount", "90000"),
        ("pg_currency", "KZT"),
        ("pg_order_id", "O77"),
        ("pg_order_id2", "KZT"),
        ("pg_order_id3", "O1"),
        ("pg_payment_id", "5"),
        ("pg_result", "1"),
        ("pg_salt", "x"),
    ];
    assert_eq!(signature("result", &large, KEY), right, "the two have one signature");
    let large = result_of(&large);
    let order = Expected::new("O77", "90000", "KZT").unwrap();
    assert_eq!(large.verdict(&order), Verdict::AskStatus(Doubt::Names));
    assert_ne!(large.key(), result_of(&small).key());
    assert_ne!(large.key().as_str(), "result-5-1", "it takes the place of the true result");
}

#[test]
fn fields_that_were_renamed_within_the_known_names_are_not_paid() {
    // The payer chose the card holder, and gives its value the name of the currency.
    let signed_one = vec![
        ("pg_amount", "20"),
        ("pg_card_owner", "USD"),
        ("pg_card_pan", "5483-18XX-XXXX-0293"),
        ("pg_currency", "KZT"),
        ("pg_order_id", "23"),
        ("pg_payment_id", "5"),
        ("pg_result", "1"),
        ("pg_salt", "x"),
    ];
    let mut renamed = signed_one.clone();
    for (place, name) in [(1, "pg_currency"), (2, "pg_description"), (3, "pg_net_amount")] {
        renamed[place].0 = name;
    }
    assert_eq!(signature("result", &renamed, KEY), signature("result", &signed_one, KEY));
    let dollars = Expected::new("23", "20", "USD").unwrap();
    let verdict = result_of(&renamed).verdict(&dollars);
    assert_eq!(verdict, Verdict::AskStatus(Doubt::Shape { field: "pg_net_amount" }));
}

#[test]
fn a_field_twice_is_neither_dropped_nor_used() {
    for name in ["pg_amount", "pg_order_id", "pg_result", "x_note", "pg_payment_id"] {
        let mut fields = result_fields();
        let value = fields.iter().find(|(known, _)| *known == name).unwrap().1;
        fields.push((name, value));
        let result = result_of(&fields);
        assert_eq!(result.verdict(&expected()), Verdict::AskStatus(Doubt::Names), "{name}");
        assert!(result.text(name).is_err(), "{name}");
    }
}

#[test]
fn an_own_parameter_must_be_expected_by_a_name_behind_the_amounts() {
    let foreign = with(&result_fields(), "x_other", "1");
    assert_eq!(result_of(&foreign).verdict(&expected()), Verdict::AskStatus(Doubt::Names));
    for name in ["order_note", "a", "PG_AMOUNT", "pg_aaa", "pg_amount", "pg_card_owner", ""] {
        let receiver = Receiver::new(signer(), urls()).unwrap();
        assert!(receiver.with_own_names([name]).is_err(), "{name}");
    }
}

#[test]
fn a_redirect_proves_nothing_and_is_no_result() {
    let fields = [("pg_order_id", "23"), ("pg_payment_id", "12345"), ("pg_salt", "x")];
    let redirect = redirect_of(OwnUrl::Success, "success", &fields);
    assert_eq!((redirect.url(), redirect.order_id()), (OwnUrl::Success, Ok("23")));
    // The signed query of the redirect, sent to the URL for results.
    assert_eq!(refusal(OwnUrl::Result, &signed("success", &fields, KEY)), WRONG);
    let failure = with(&fields, "pg_error_description", "declined");
    let redirect = redirect_of(OwnUrl::Failure, "failure", &failure);
    assert_eq!(redirect.text("pg_error_description"), Ok("declined"));
}

#[test]
fn entities_of_a_document_and_nested_ids_do_not_count() {
    let bomb =
        "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><request><x>&c;</x></request>";
    let refused = refusal(OwnUrl::Result, &form(&[("pg_xml", bomb)]));
    let document_type = PgReadError::Unsupported { what: "a document type" };
    assert_eq!(refused, document_type.into());
    // result;<nested 1>;<top-level 123456789>;x;key
    let fields = [("pg_a", "1"), ("pg_payment_id", "123456789"), ("pg_salt", "x")];
    let xml = format!(
        "<request><pg_a><pg_payment_id>1</pg_payment_id></pg_a>\
         <pg_payment_id>123456789</pg_payment_id><pg_salt>x</pg_salt><pg_sig>{}</pg_sig></request>",
        signature("result", &fields, KEY)
    );
    let request = http::Request::post("/").body(form(&[("pg_xml", &xml)])).unwrap();
    let event = receiver().receive(OwnUrl::Result, Incoming::of(&request));
    let Ok(imts_core::callback::Event::Result(result)) = event else { panic!("{event:?}") };
    assert_eq!(result.payment_id(), Ok("123456789"));
    assert_eq!(result.verdict(&expected()), Verdict::AskStatus(Doubt::Names));
}
