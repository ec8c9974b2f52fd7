//! Which answers a message admits, and their bytes.

use imts_core::callback::{Alarm, AnswerSalt, Delivery, Receiver, Unverified};
use imts_core::sign::pg_sig::{Account, OwnUrl, PgFields};

use crate::support::{
    KEY, PAYOUT_KEY, RANDOM, check_of, first, payout_fields, payout_of, receiver, result_fields,
    result_of, signature, signer, tag, urls, with, without,
};

#[test]
fn an_answer_is_signed_xml_with_the_salt_of_the_message() {
    let answer = receiver().answer(&result_of(&result_fields()).ok("Order paid"), RANDOM).unwrap();
    let fields =
        [("pg_status", "ok"), ("pg_description", "Order paid"), ("pg_salt", "a random string")];
    let sig = signature("result", &fields, KEY);
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><response><pg_status>ok</pg_status>\
         <pg_description>Order paid</pg_description><pg_salt>a random string</pg_salt>\
         <pg_sig>{sig}</pg_sig></response>"
    );
    assert_eq!((answer.status().as_u16(), answer.body()), (200, xml.as_bytes()));
}

#[test]
fn a_new_salt_can_be_chosen_and_replaces_one_that_cannot_be_sent_back() {
    let new = receiver().with_answer_salt(AnswerSalt::New);
    let result = result_of(&result_fields());
    let answer = new.answer(&result.ok("x"), RANDOM).unwrap();
    assert_eq!(tag(&answer, "pg_salt"), Some("hhhhhhhhhhhhhhhh"));
    for salt in ["", "a;b", "a\u{ffff}", &"x".repeat(200)] {
        let result = result_of(&with(&result_fields(), "pg_salt", salt));
        let answer = receiver().answer(&result.ok("x"), RANDOM).unwrap();
        assert_eq!(tag(&answer, "pg_salt"), Some("hhhhhhhhhhhhhhhh"), "{salt}");
    }
}

#[test]
fn a_description_is_escaped_in_xml_and_signed_unescaped() {
    let text = "Бронь & Co <b>";
    let answer = receiver().answer(&result_of(&result_fields()).ok(text), RANDOM).unwrap();
    assert_eq!(tag(&answer, "pg_description"), Some("Бронь &amp; Co &lt;b&gt;"));
    let fields = [("pg_status", "ok"), ("pg_description", text), ("pg_salt", "a random string")];
    assert_eq!(tag(&answer, "pg_sig"), Some(signature("result", &fields, KEY).as_str()));
    // The body is read by a parser, and verifies.
    let read = PgFields::from_xml(answer.body()).unwrap();
    let script = urls();
    let script = script.script(OwnUrl::Result).unwrap();
    let verified = signer().verify(Account::Accepting, script, read).unwrap();
    assert_eq!(verified.text("pg_description"), Ok(text));
}

#[test]
fn a_description_has_no_separator_and_no_control_character_and_an_end() {
    let text = format!(" a;b\r\n\0c\u{ffff}{} ", "й".repeat(400));
    let answer = receiver().answer(&result_of(&result_fields()).ok(&text), RANDOM).unwrap();
    let shown = tag(&answer, "pg_description").unwrap();
    assert!(shown.starts_with("a,b   c й"), "{shown}");
    assert_eq!(shown.chars().count(), 255);
    let empty = receiver().answer(&result_of(&result_fields()).ok(" \n"), RANDOM).unwrap();
    assert_eq!((tag(&empty, "pg_description"), tag(&empty, "pg_status")), (None, Some("ok")));
}

#[test]
fn a_rejection_is_offered_only_if_it_is_possible_and_the_first_delivery() {
    let can = result_of(&result_fields());
    let rejected = can.rejection(first()).unwrap().reject("Sold out");
    assert_eq!((rejected.status(), rejected.alarm()), ("rejected", None));
    assert_eq!(rejected.key(), Some(can.key()));
    assert!(can.rejection(Delivery::Again).is_none());
    for cannot in ["0", "2", "", "true"] {
        let cannot = result_of(&with(&result_fields(), "pg_can_reject", cannot));
        assert!(cannot.rejection(first()).is_none());
    }
    assert!(result_of(&without(&result_fields(), "pg_can_reject")).rejection(first()).is_none());
}

#[test]
fn what_cannot_be_rejected_is_accepted_with_an_alarm() {
    let can = result_of(&result_fields());
    assert_eq!(can.refuse(first(), "x").status(), "rejected");
    let cannot = result_of(&with(&result_fields(), "pg_can_reject", "0"));
    for (result, delivery) in [(&can, Delivery::Again), (&cannot, first())] {
        let decision = result.refuse(delivery, "x");
        assert_eq!(decision.status(), "ok");
        let refund = Alarm::RefundByHand { key: result.key().clone() };
        assert_eq!(decision.alarm(), Some(&refund));
        assert!(refund.to_string().contains("refund it by hand"), "{refund}");
    }
    // A payment that failed took no money.
    let failed = with(&with(&result_fields(), "pg_can_reject", "0"), "pg_result", "0");
    assert_eq!(result_of(&failed).refuse(first(), "x").alarm(), None);
}

#[test]
fn a_check_may_be_answered_in_each_way() {
    let check = check_of(&[("pg_order_id", "23"), ("pg_salt", "s")]);
    for (decision, word) in
        [(check.ok("d"), "ok"), (check.reject("d"), "rejected"), (check.error("d"), "error")]
    {
        assert_eq!(decision.key(), None);
        let answer = receiver().answer(&decision, RANDOM).unwrap();
        assert_eq!(tag(&answer, "pg_status"), Some(word));
        let mut fields = vec![("pg_status", word), ("pg_description", "d"), ("pg_salt", "s")];
        if word == "error" {
            fields.push(("pg_error_description", "d"));
        }
        assert_eq!(tag(&answer, "pg_sig"), Some(signature("check", &fields, KEY).as_str()));
    }
}

#[test]
fn the_answer_to_a_payout_is_signed_with_its_key() {
    let answer = receiver().answer(&payout_of(&payout_fields()).ok("d"), RANDOM).unwrap();
    let fields = [("pg_status", "ok"), ("pg_description", "d"), ("pg_salt", "G66PbiRDxqa44tB8")];
    assert_eq!(tag(&answer, "pg_sig"), Some(signature("payout", &fields, PAYOUT_KEY).as_str()));
}

#[test]
fn what_is_not_verified_is_answered_by_a_signed_error_that_quotes_nothing() {
    let text = "The signature is not right";
    let fields = [
        ("pg_status", "error"),
        ("pg_description", text),
        ("pg_error_description", text),
        ("pg_salt", "hhhhhhhhhhhhhhhh"),
    ];
    let sig = signature("result", &fields, KEY);
    let forbidden = receiver().answer_unverified(OwnUrl::Result, RANDOM).unwrap();
    assert_eq!(forbidden.status(), 403);
    assert_eq!(tag(&forbidden, "pg_sig"), Some(sig.as_str()));
    let ok = receiver().with_unverified(Unverified::Ok);
    let ok = ok.answer_unverified(OwnUrl::Result, RANDOM).unwrap();
    assert_eq!((ok.status().as_u16(), ok.body()), (200, forbidden.body()));
    assert!(
        Receiver::new(signer(), imts_core::sign::pg_sig::OwnUrls::new([]).unwrap())
            .unwrap()
            .answer_unverified(OwnUrl::Result, RANDOM)
            .is_err()
    );
}
