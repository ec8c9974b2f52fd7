//! What the sandbox makes of an answer: retries, rejections, and what it records in red.

use http::Response;
use imts_sandbox::{CallbackFault, MessageState, PaymentState};

use super::{Shop, answer};
use crate::NOON;

fn paid() -> Shop {
    let mut shop = Shop::default();
    let id = shop.payment(|_| {});
    shop.service.pay(NOON, id);
    shop
}

#[test]
fn a_result_is_sent_every_30_minutes_for_two_hours_until_200() {
    let mut shop = paid();
    shop.three_hours(|_, _| None);
    assert_eq!(shop.heard, [0, 30, 60, 90, 120]);
    assert_eq!(shop.message_state(), MessageState::GivenUp);
    let mut shop = paid();
    shop.three_hours(|delivery, request| match delivery {
        0 => None,
        1 => Some(Response::builder().status(500).body(Vec::new()).unwrap()),
        _ => Some(answer(request, "ok")),
    });
    assert_eq!(shop.heard, [0, 30, 60]);
    assert_eq!((shop.message_state(), shop.state()), (MessageState::Delivered, PaymentState::Paid));
    assert!(shop.mistakes().is_empty());
}

#[test]
fn an_answer_that_differs_from_the_first_is_recorded() {
    let mut shop = paid();
    shop.fault(CallbackFault::Repeats(2));
    let id = shop.payment(|_| {});
    shop.service.pay(NOON, id);
    shop.three_hours(|delivery, request| {
        Some(answer(request, if delivery == 3 { "error" } else { "ok" }))
    });
    assert_eq!(shop.heard.len(), 4, "one for the first payment, three for the second");
    assert_eq!(shop.mistakes(), ["AnswerChanged"]);
    assert_eq!(shop.service.findings()[0].payment_id, Some(id));
}

#[test]
fn equal_answers_to_repeats_are_right_even_if_the_first_got_lost() {
    let mut shop = Shop::default();
    shop.fault(CallbackFault::LostAnswers(2));
    shop.fault(CallbackFault::Repeats(1));
    let id = shop.payment(|_| {});
    shop.service.pay(NOON, id);
    shop.three_hours(|_, request| Some(answer(request, "ok")));
    assert_eq!(shop.heard, [0, 30, 60, 60]);
    assert!(shop.mistakes().is_empty());
}

#[test]
fn a_rejection_counts_at_the_first_delivery_alone() {
    let mut shop = paid();
    shop.three_hours(|_, request| Some(answer(request, "rejected")));
    assert_eq!(shop.state(), PaymentState::Rejected);
    assert!(shop.mistakes().is_empty());
    let mut shop = paid();
    shop.three_hours(|delivery, request| (delivery > 0).then(|| answer(request, "rejected")));
    assert_eq!(shop.state(), PaymentState::Paid, "the money stays taken");
}

#[test]
fn a_rejection_that_the_message_forbids_is_recorded() {
    let mut shop = Shop::default();
    let id = shop.payment(|asked| asked.can_reject = false);
    shop.service.pay(NOON, id);
    shop.three_hours(|_, request| Some(answer(request, "rejected")));
    assert_eq!(
        (shop.state(), shop.mistakes()),
        (PaymentState::Paid, vec!["RejectedTooLate".into()])
    );
    let mut shop = Shop::default();
    shop.fault(CallbackFault::Repeats(1));
    let id = shop.payment(|_| {});
    shop.service.pay(NOON, id);
    shop.three_hours(|delivery, request| {
        Some(answer(request, if delivery == 0 { "ok" } else { "rejected" }))
    });
    assert_eq!(shop.mistakes(), ["AnswerChanged", "RejectedTooLate"]);
}

#[test]
fn what_is_not_the_printed_answer_is_recorded() {
    let signed = |change: fn(String) -> String| {
        let mut shop = paid();
        shop.three_hours(|_, request| {
            let text = String::from_utf8(answer(request, "ok").into_body()).unwrap();
            Some(Response::new(change(text).into_bytes()))
        });
        assert_eq!(shop.heard, [0], "200 ends the deliveries");
        shop.mistakes()
    };
    assert!(signed(|text| text).is_empty());
    assert_eq!(signed(|_| "INVALID_SIGNATURE".to_owned()), ["AnswerUnreadable"]);
    assert_eq!(signed(|_| "{\"pg_status\":\"ok\"}".to_owned()), ["AnswerUnreadable"]);
    assert_eq!(signed(|text| text.replace("response>", "root>")), ["AnswerUnreadable"]);
    assert_eq!(
        signed(|text| text.replace("<pg_status>ok", "<pg_status>fine")),
        ["AnswerUnreadable"]
    );
    assert_eq!(signed(|text| text.replace("&lt;b&gt;", "&lt;i&gt;")), ["AnswerUnsigned"]);
    assert_eq!(signed(|text| text.replace("pg_sig>", "pg_signature>")), ["AnswerUnsigned"]);
}
