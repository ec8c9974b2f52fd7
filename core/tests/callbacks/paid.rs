//! When an order counts as paid.

use imts_core::callback::{Doubt, Expected, Mismatch, NotPaid, PayoutVerdict, Verdict};
use imts_core::sign::pg_sig::{FieldError, OwnUrl, PgVerifyError};

use crate::support::{
    KEY, PAYOUT_KEY, check_of, expected, payout_fields, payout_of, received, result_fields,
    result_of, signed, with, without,
};

#[test]
fn an_order_is_paid_if_signature_result_order_amount_and_currency_agree() {
    let result = result_of(&result_fields());
    let Verdict::Paid(paid) = result.verdict(&expected()) else { panic!() };
    assert_eq!(paid.payment_id(), "12345");
    assert_eq!((paid.is_test(), paid.is_captured()), (false, Some(true)));
    assert_eq!(result.key().as_str(), "result-12345-1");
}

#[test]
fn only_result_1_is_paid_whatever_the_status_says() {
    let fields = result_fields();
    for (value, end) in
        [("0", Verdict::NotPaid(NotPaid::Failed)), ("2", Verdict::NotPaid(NotPaid::NotCompleted))]
    {
        assert_eq!(result_of(&with(&fields, "pg_result", value)).verdict(&expected()), end);
    }
    for value in ["01", "1.0", "+1", " 1", "1 ", "true", "ok", "3", "", "11"] {
        let verdict = result_of(&with(&fields, "pg_result", value)).verdict(&expected());
        assert_eq!(verdict, Verdict::AskStatus(Doubt::Shape { field: "pg_result" }), "{value:?}");
    }
    let ok = with(&with(&fields, "pg_result", "0"), "pg_status", "ok");
    assert_eq!(result_of(&ok).verdict(&expected()), Verdict::AskStatus(Doubt::Names));
    let missing = with(&without(&fields, "pg_result"), "pg_status", "ok");
    assert!(!matches!(result_of(&missing).verdict(&expected()), Verdict::Paid(_)));
    let missing = result_of(&without(&fields, "pg_result"));
    let lacks = Verdict::AskStatus(Doubt::Missing { field: "pg_result" });
    assert_eq!(missing.verdict(&expected()), lacks);
}

#[test]
fn a_missing_amount_currency_or_order_is_a_mismatch() {
    for (name, mismatch) in [
        ("pg_amount", Mismatch::Amount),
        ("pg_currency", Mismatch::Currency),
        ("pg_order_id", Mismatch::Order),
    ] {
        let result = result_of(&without(&result_fields(), name));
        assert_eq!(result.verdict(&expected()), Verdict::Mismatch(mismatch), "{name}");
    }
}

#[test]
fn amounts_are_compared_as_decimal_numbers() {
    let verdict =
        |amount| result_of(&with(&result_fields(), "pg_amount", amount)).verdict(&expected());
    for amount in ["20", "20.0", "20.00", "020.000"] {
        assert!(matches!(verdict(amount), Verdict::Paid(_)), "{amount}");
    }
    for amount in ["20.01", "19.99", "2", "200", "0", "20.000000000000000001"] {
        assert_eq!(verdict(amount), Verdict::Mismatch(Mismatch::Amount), "{amount}");
    }
    for amount in ["2e1", "+20", "-20", " 20", "20,00", "20.", ".2", "", "20 KZT", "٢٠"] {
        let doubt = Verdict::AskStatus(Doubt::Shape { field: "pg_amount" });
        assert_eq!(verdict(amount), doubt, "{amount}");
    }
}

#[test]
fn an_order_or_currency_that_only_looks_alike_is_a_mismatch() {
    for order in ["023", "23 ", "２３", "24"] {
        let result = result_of(&with(&result_fields(), "pg_order_id", order));
        assert_eq!(result.verdict(&expected()), Verdict::Mismatch(Mismatch::Order), "{order}");
    }
    let result = result_of(&with(&result_fields(), "pg_currency", "USD"));
    assert_eq!(result.verdict(&expected()), Verdict::Mismatch(Mismatch::Currency));
    let result = result_of(&with(&result_fields(), "pg_currency", "kzt"));
    assert!(matches!(result.verdict(&expected()), Verdict::AskStatus(_)));
}

#[test]
fn the_signature_is_over_the_amount_as_it_came() {
    let body = signed("result", &with(&result_fields(), "pg_amount", "20.00"), KEY);
    let reformatted = body.replace("pg_amount=20%2E00", "pg_amount=20");
    assert_ne!(body, reformatted);
    let refused = received(OwnUrl::Result, &reformatted).unwrap_err();
    assert_eq!(refused, PgVerifyError::Signature.into());
}

#[test]
fn a_payment_in_testing_mode_and_a_hold_say_so() {
    let test = with(&with(&result_fields(), "pg_testing_mode", "1"), "pg_captured", "0");
    let Verdict::Paid(paid) = result_of(&test).verdict(&expected()) else { panic!() };
    assert_eq!((paid.is_test(), paid.is_captured()), (true, Some(false)));
    let silent = without(&without(&test, "pg_testing_mode"), "pg_captured");
    let Verdict::Paid(paid) = result_of(&silent).verdict(&expected()) else { panic!() };
    assert_eq!((paid.is_test(), paid.is_captured()), (false, None));
}

#[test]
fn a_time_without_a_zone_stays_a_text() {
    assert_eq!(result_of(&result_fields()).text("pg_payment_date"), Ok("2019-01-01 12:00:00"));
}

#[test]
fn a_payment_is_known_by_its_id_and_not_by_its_order() {
    let fields = result_fields();
    let failed = result_of(&with(&fields, "pg_result", "0"));
    let again = result_of(&with(&fields, "pg_payment_id", "12346"));
    assert_eq!(failed.key().as_str(), "result-12345-0");
    assert_eq!(again.key().as_str(), "result-12346-1");
    let salted = result_of(&with(&fields, "pg_salt", "another"));
    assert_eq!(salted.key(), result_of(&fields).key());
    assert_eq!(salted.fingerprint(), result_of(&fields).fingerprint());
    let decimals = result_of(&with(&fields, "pg_amount", "20.00"));
    assert_eq!(decimals.fingerprint(), salted.fingerprint());
    assert_ne!(result_of(&with(&fields, "pg_amount", "21")).fingerprint(), salted.fingerprint());
}

#[test]
fn a_payment_without_a_usable_id_is_not_paid() {
    for id in ["", "-1", "1e3", "12345;", "123456789012345678901", "abc", "../../etc"] {
        let result = result_of(&with(&result_fields(), "pg_payment_id", id));
        assert!(matches!(result.verdict(&expected()), Verdict::AskStatus(_)), "{id}");
        let key = result.key().as_str();
        assert!(key.starts_with("result-doubt-") && key.len() < 100, "{key}");
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(key.bytes().all(is_plain), "{key}");
    }
    let result = result_of(&without(&result_fields(), "pg_payment_id"));
    let missing = Doubt::Missing { field: "pg_payment_id" };
    assert_eq!(result.verdict(&expected()), Verdict::AskStatus(missing));
}

#[test]
fn a_check_says_whether_it_agrees_with_the_order() {
    let fields = [
        ("pg_order_id", "23"),
        ("pg_payment_id", "7"),
        ("pg_amount", "20"),
        ("pg_currency", "KZT"),
        ("pg_salt", "x"),
    ];
    let check = check_of(&fields);
    assert_eq!((check.agrees(&expected()), check.doubt()), (Ok(()), None));
    assert_eq!(check.order_id(), Ok("23"));
    let other = check_of(&with(&fields, "pg_amount", "21"));
    assert_eq!(other.agrees(&expected()), Err(Mismatch::Amount));
    let lacks = check_of(&without(&fields, "pg_currency"));
    assert_eq!(lacks.agrees(&expected()), Err(Mismatch::Currency));
    assert_eq!(lacks.text("pg_currency"), Err(FieldError::Missing));
}

#[test]
fn a_payout_is_signed_with_its_own_key_and_judged_by_its_own_status() {
    let expected = Expected::new("157674271", "5000", "KZT").unwrap();
    let fields = payout_fields();
    assert_eq!(payout_of(&fields).verdict(&expected), PayoutVerdict::PaidOut);
    assert_eq!(payout_of(&fields).key().as_str(), "payout-12345678-ok");
    let failed = payout_of(&with(&fields, "pg_status", "error"));
    assert_eq!(failed.verdict(&expected), PayoutVerdict::Failed);
    let odd = payout_of(&with(&fields, "pg_status", "OK"));
    let doubt = PayoutVerdict::AskStatus(Doubt::Shape { field: "pg_status" });
    assert_eq!(odd.verdict(&expected), doubt);
    let less = payout_of(&with(&fields, "pg_payment_amount", "50"));
    assert_eq!(less.verdict(&expected), PayoutVerdict::Mismatch(Mismatch::Amount));
    let added = payout_of(&with(&fields, "pg_more", "1"));
    assert_eq!(added.verdict(&expected), PayoutVerdict::AskStatus(Doubt::Names));

    let wrong_key = received(OwnUrl::Payout, &signed("payout", &fields, KEY));
    assert_eq!(wrong_key.unwrap_err(), PgVerifyError::Signature.into());
    let wrong_key = received(OwnUrl::Result, &signed("result", &result_fields(), PAYOUT_KEY));
    assert_eq!(wrong_key.unwrap_err(), PgVerifyError::Signature.into());
}
