//! What a reply to a typed operation with `pg_sig` proves: a charge that is accepted is not paid.

use http::Response;
use imts_core::services::merchant;
use imts_core::services::merchant::{ChargeState, Status};
use imts_core::sign::pg_sig::{Account, PgFields, Salt, Script, XmlRoot};
use imts_core::{CallStep, Operation, Outcome, Reply, Service};

use crate::signed_messages::{call, payment, sent, signer};
use crate::support::START;

/// What a signed XML reply with these fields comes to.
fn replied<O: Operation>(
    service: Service,
    operation: &O,
    account: Account,
    reply: &[(&str, &str)],
) -> Outcome<O::Reply> {
    let mut call = call(service, operation);
    let request = sent(&mut call);
    let script = Script::of(request.uri().path()).unwrap();
    let reply = reply.iter().fold(PgFields::new(), |all, (name, it)| all.with(*name, *it));
    let salt = Salt::new("V9UG2EPB").unwrap();
    let reply = signer().sign(account, &script, reply, &salt).unwrap();
    let body = reply.to_xml(XmlRoot::Response).unwrap().as_ref().to_vec();
    let response = Response::builder().header("content-type", "application/xml").body(body);
    call.on_reply(Reply::from(&response.unwrap()), START);
    let CallStep::Over(outcome) = call.poll(START) else { panic!("it is over") };
    outcome
}

#[test]
fn a_charge_that_is_accepted_is_not_paid() {
    let reply = [("pg_status", "ok"), ("pg_payment_id", "4567788")];
    let outcome = replied(merchant::service(), &payment(), Account::Accepting, &reply);
    let Outcome::Done(charge) = outcome else { panic!("{:?}", outcome.ending()) };
    assert_eq!(charge.state(), ChargeState::Accepted);
    assert_eq!(charge.payment_id.unwrap().as_str(), "4567788");
    let reply = [("pg_status", "ok"), ("pg_redirect_url", "https://api.freedompay.kz/pay.html")];
    let outcome = replied(merchant::service(), &payment(), Account::Accepting, &reply);
    let Outcome::Done(charge) = outcome else { panic!("{:?}", outcome.ending()) };
    assert_eq!(charge.state(), ChargeState::NeedsPayer);
    assert!(!format!("{charge:?}").contains("pay.html"));
}

#[test]
fn a_payment_is_paid_only_if_its_own_state_says_so_and_it_exists() {
    let status = || Status::of_order("23".parse().unwrap());
    let is_paid = |reply: &[(&str, &str)]| {
        let outcome = replied(merchant::service(), &status(), Account::Accepting, reply);
        let Outcome::Done(payment) = outcome else { panic!("{:?}", outcome.ending()) };
        payment.is_paid()
    };
    let ok = ("pg_status", "ok");
    assert!(is_paid(&[ok, ("pg_payment_id", "1"), ("pg_payment_status", "success")]));
    assert!(!is_paid(&[ok, ("pg_payment_id", "1")]));
    assert!(!is_paid(&[ok, ("pg_payment_id", "0"), ("pg_payment_status", "success")]));
    assert!(!is_paid(&[ok, ("pg_payment_status", "success")]));
    for word in ["process", "error", "failed", "new", "revoked", "partial", "pending", "later"] {
        assert!(!is_paid(&[ok, ("pg_payment_id", "1"), ("pg_payment_status", word)]), "{word}");
    }
}

#[test]
fn a_refusal_that_says_done_already_is_no_proof_that_nothing_was_done() {
    let refused = |code: &str| {
        let reply =
            [("pg_status", "error"), ("pg_error_code", code), ("pg_error_description", "no")];
        replied(merchant::service(), &payment(), Account::Accepting, &reply)
    };
    assert!(matches!(refused("9992"), Outcome::Refused(_)));
    for code in ["9991", "10015", "10033", "10036", "11013", "11017", "11018"] {
        assert!(!matches!(refused(code), Outcome::Refused(_) | Outcome::Done(_)), "{code}");
    }
}

#[test]
fn the_codes_of_a_refusal_are_opaque() {
    // Integrators give 10006 and 11016 different meanings: the code and the vendor's text are kept.
    for code in ["10006", "11016"] {
        let reply =
            [("pg_status", "error"), ("pg_error_code", code), ("pg_error_description", "Отказ")];
        let outcome = replied(merchant::service(), &payment(), Account::Accepting, &reply);
        let Outcome::Refused(refusal) = outcome else { panic!("{:?}", outcome.ending()) };
        assert_eq!((refusal.code(), refusal.message()), (Some(code), Some("Отказ")));
    }
}
