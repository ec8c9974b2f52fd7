//! Each payment is decided once, and its answer is given again.

use http::Request;
use imts::callback::{
    Alarm, Answers, AnswersError, Callbacks, Claim, Claimed, Kept, MemoryAnswers, Unverified,
};
use imts::sign::pg_sig::OwnUrl;

use crate::answers::key;
use crate::message::{KEY, PAYOUT_KEY, is_signed, paid, payout, post, signed, tag};
use crate::shop::{Shop, receiver};

fn callbacks(shop: &Shop) -> Callbacks {
    Callbacks::new(receiver(), shop.clone(), MemoryAnswers::new())
}

#[test]
fn a_result_that_comes_twice_is_decided_once_and_answered_with_the_same_bytes() {
    let shop = Shop::default();
    let callbacks = callbacks(&shop);
    let first = callbacks.handle(OwnUrl::Result, &post(paid("1", "20", "one")));
    assert_eq!(
        (first.status(), tag(first.body(), "pg_status")),
        (http::StatusCode::OK, Some("ok"))
    );
    assert_eq!(first.headers()["content-type"], "text/xml; charset=utf-8");
    assert!(is_signed("result", first.body(), KEY));
    // Another salt, and an amount written in another way.
    for again in [paid("1", "20", "two"), paid("1", "20.00", "three"), paid("1", "20", "one")] {
        assert_eq!(callbacks.handle(OwnUrl::Result, &post(again)).body(), first.body());
    }
    assert_eq!(shop.decisions(), [("1".to_owned(), true)]);
    assert_eq!(shop.alarms(), []);
}

#[test]
fn another_payment_and_another_result_are_decided_by_themselves() {
    let shop = Shop::default();
    let callbacks = callbacks(&shop);
    let failed = paid("1", "20", "s");
    let failed = failed.split("&pg_sig").next().unwrap().replace("pg_result=1", "pg_result=0");
    let fields: Vec<_> = failed.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
    let _ = callbacks.handle(OwnUrl::Result, &post(signed("result", &fields, KEY)));
    let _ = callbacks.handle(OwnUrl::Result, &post(paid("1", "20", "s")));
    let _ = callbacks.handle(OwnUrl::Result, &post(paid("2", "20", "s")));
    assert_eq!(shop.decisions().len(), 3);
}

#[test]
fn an_unknown_order_is_rejected_at_the_first_delivery() {
    let shop = Shop::default();
    let answer = callbacks(&shop).handle(OwnUrl::Result, &post(paid("1", "21", "s")));
    assert_eq!(
        (answer.status().as_u16(), tag(answer.body(), "pg_status")),
        (200, Some("rejected"))
    );
    assert_eq!(shop.alarms(), []);
}

#[test]
fn after_a_delivery_that_failed_a_payment_is_accepted_with_an_alarm() {
    let shop = Shop::default();
    let callbacks = callbacks(&shop);
    shop.seen.lock().unwrap().is_down = true;
    let failed = callbacks.handle(OwnUrl::Result, &post(paid("1", "21", "s")));
    assert_eq!(failed.status(), 503);
    assert_eq!(shop.alarms(), [Alarm::Undecided { key: Some(key("1")) }]);
    shop.seen.lock().unwrap().is_down = false;
    let answer = callbacks.handle(OwnUrl::Result, &post(paid("1", "21", "s")));
    assert_eq!(tag(answer.body(), "pg_status"), Some("ok"));
    assert_eq!(shop.alarms()[1..], [Alarm::RefundByHand { key: key("1") }]);
    assert_eq!(shop.decisions(), [("1".to_owned(), true), ("1".to_owned(), false)]);
}

#[test]
fn a_repeat_that_says_something_else_gets_the_first_answer_and_raises_an_alarm() {
    let shop = Shop::default();
    let callbacks = callbacks(&shop);
    let first = callbacks.handle(OwnUrl::Result, &post(paid("1", "20", "s")));
    let other = callbacks.handle(OwnUrl::Result, &post(paid("1", "90000", "s")));
    assert_eq!(other.body(), first.body());
    assert_eq!(shop.alarms(), [Alarm::Contradiction { key: key("1") }]);
    assert_eq!(shop.decisions().len(), 1);
}

#[test]
fn what_is_not_verified_changes_nothing_and_is_answered_by_a_signed_error() {
    let shop = Shop::default();
    let callbacks = callbacks(&shop);
    let wrong = paid("1", "20", "s").replace("pg_amount=20", "pg_amount=21");
    let answer = callbacks.handle(OwnUrl::Result, &post(wrong.clone()));
    assert_eq!((answer.status().as_u16(), tag(answer.body(), "pg_status")), (403, Some("error")));
    assert!(is_signed("result", answer.body(), KEY));
    let lenient = receiver().with_unverified(Unverified::Ok);
    let lenient = Callbacks::new(lenient, shop.clone(), MemoryAnswers::new());
    assert_eq!(lenient.handle(OwnUrl::Result, &post(wrong)).status(), 200);
    assert!(shop.decisions().is_empty() && shop.alarms().is_empty());
    // The true message is still the first.
    let _ = callbacks.handle(OwnUrl::Result, &post(paid("1", "20", "s")));
    assert_eq!(shop.decisions(), [("1".to_owned(), true)]);
}

#[test]
fn no_answer_shows_the_signature_that_was_expected() {
    let callbacks = callbacks(&Shop::default());
    let right = paid("1", "20", "s");
    let sig = right.split("pg_sig=").nth(1).unwrap();
    let wrong = right.replace(sig, &"0".repeat(32));
    let answer = callbacks.handle(OwnUrl::Result, &post(wrong));
    let text = String::from_utf8(answer.body().clone()).unwrap();
    assert!(!text.contains(sig) && !text.contains(KEY), "{text}");
    let debug = format!("{callbacks:?}");
    assert!(!debug.contains(KEY) && !debug.contains(PAYOUT_KEY), "{debug}");
}

#[test]
fn a_check_is_decided_each_time() {
    let shop = Shop::default();
    let callbacks = callbacks(&shop);
    let fields = |amount| {
        [("pg_order_id", "23"), ("pg_amount", amount), ("pg_currency", "KZT"), ("pg_salt", "s")]
    };
    for (amount, word) in [("20", "ok"), ("21", "rejected"), ("20.0", "ok")] {
        let answer = callbacks.handle(OwnUrl::Check, &post(signed("check", &fields(amount), KEY)));
        assert_eq!(tag(answer.body(), "pg_status"), Some(word));
        assert!(is_signed("check", answer.body(), KEY));
    }
    assert_eq!(shop.decisions().len(), 3);
    shop.seen.lock().unwrap().is_down = true;
    let down = callbacks.handle(OwnUrl::Check, &post(signed("check", &fields("20"), KEY)));
    assert_eq!(down.status(), 503);
    assert_eq!(shop.alarms(), [Alarm::Undecided { key: None }]);
}

#[test]
fn a_payout_is_decided_once_and_answered_with_its_own_key() {
    let shop = Shop::default();
    let callbacks = callbacks(&shop);
    let first = callbacks.handle(OwnUrl::Payout, &post(payout("one")));
    assert!(is_signed("payout", first.body(), PAYOUT_KEY));
    assert_eq!(callbacks.handle(OwnUrl::Payout, &post(payout("two"))).body(), first.body());
    assert_eq!(shop.decisions().len(), 1);
}

#[test]
fn a_redirect_shows_a_page_and_changes_nothing() {
    let shop = Shop::default();
    let callbacks = callbacks(&shop);
    let query = signed("success", &[("pg_order_id", "23"), ("pg_salt", "s")], KEY);
    let get = |method: &str, query: &str| {
        let request = Request::builder().method(method).uri(format!("/pay/success?{query}"));
        callbacks.handle(OwnUrl::Success, &request.body(Vec::new()).unwrap())
    };
    let page = get("GET", &query);
    assert_eq!((page.status().as_u16(), page.body().as_slice()), (303, &b"page"[..]));
    let head = get("HEAD", &query);
    assert_eq!((head.status().as_u16(), head.body().len()), (303, 0));
    assert_eq!(get("GET", "pg_order_id=23").status(), 303);
    assert_eq!(get("DELETE", &query).status(), 405);
    assert_eq!(shop.seen.lock().unwrap().redirects, [true, true, false]);
    // The signed query at the URL for results.
    let request = Request::get(format!("/pay/result?{query}")).body(Vec::new()).unwrap();
    assert_eq!(callbacks.handle(OwnUrl::Result, &request).status(), 403);
    assert!(shop.decisions().is_empty() && shop.alarms().is_empty());
}

/// Answers whose server is away, for one of the two steps.
struct Away {
    claims: bool,
    inner: MemoryAnswers,
}

impl Answers for Away {
    fn claim(&self, claim: &Claim) -> Result<Claimed, AnswersError> {
        if self.claims { Err(away()) } else { self.inner.claim(claim) }
    }

    fn settle(&self, _: &Claim, _: &[u8]) -> Result<Kept, AnswersError> {
        Err(away())
    }

    fn release(&self, claim: &Claim) {
        self.inner.release(claim);
    }
}

fn away() -> AnswersError {
    AnswersError::unreachable(std::io::Error::other("away"))
}

#[test]
fn nothing_is_decided_or_sent_if_its_answer_cannot_be_kept() {
    for claims in [true, false] {
        let shop = Shop::default();
        let away = Away { claims, inner: MemoryAnswers::new() };
        let callbacks = Callbacks::new(receiver(), shop.clone(), away);
        let answer = callbacks.handle(OwnUrl::Result, &post(paid("1", "20", "s")));
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"));
        assert_eq!(tag(answer.body(), "pg_status"), None);
        assert_eq!(shop.alarms(), [Alarm::Store { key: key("1") }]);
        assert_eq!(shop.decisions().is_empty(), claims);
    }
}
