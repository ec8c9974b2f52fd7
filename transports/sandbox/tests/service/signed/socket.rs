//! A signed request over a socket: the bytes that are sent are those that are verified, and a break of
//! the connection leaves what was applied in the ledger.

use http::Request;
use imts_core::sign::jws::Algorithm::Hs512;
use imts_core::sign::pg_sig::Account::Accepting;
use imts_sandbox::{Break, Delivery, Fault, Front, Position, Rule, Sandbox, Verdict, When};
use serde_json::json;

use super::{ID, Signer, fields, form, named};
use crate::front::exchange;

/// The bytes of a request on the wire.
fn wire(request: &Request<Vec<u8>>) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri());
    for (name, value) in request.headers().iter().filter(|(name, _)| *name != "host") {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    head += &format!(
        "host: 127.0.0.1:8080\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        request.body().len()
    );
    [head.as_bytes(), request.body()].concat()
}

/// An operation, the id of its intent, its request, what becomes of a repeat, and how often it is then
/// applied.
type Case = (&'static str, &'static str, Request<Vec<u8>>, Verdict, u64);

fn requests() -> [Case; 2] {
    let body = json!({ "request_id": ID, "card_id": "7", "description": "Утеряна" });
    let close = Signer::Partner(Hs512).post("/v5/card-api/card/close", &body);
    let pay = fields(&[("pg_order_id", "23"), ("pg_description", "Бронь & Co; 1+1")]);
    [
        ("card-api.close-card", ID, close, Verdict::Repeated, 1),
        ("gateway.purchase-card", "23", form(Accepting, "/g2g/payment", pay), Verdict::Applied, 2),
    ]
}

#[test]
fn a_reset_after_the_request_was_applied_leaves_its_repeat_to_its_rule() {
    for (name, id, request, repeated, times) in requests() {
        for (at, applied) in
            [(Position::BeforeRead, 0), (Position::BeforeApply, 0), (Position::AfterApply, 1)]
        {
            let mut service = Sandbox::default();
            let fault = Fault::Delivery(Delivery::Broken { at, by: Break::Close });
            service.set_faults(vec![Rule {
                operation: Some(named(name)),
                when: When::Nth(1),
                fault,
            }]);
            let front = Front::start(service).unwrap();
            let first = exchange(&front, &wire(&request)).unwrap_or_default();
            assert_eq!(first, "", "{name} {at:?}");
            assert_eq!(front.sandbox().ledger().applied(named(name), id), applied, "{name} {at:?}");

            let second = exchange(&front, &wire(&request)).unwrap();
            assert!(second.starts_with("HTTP/1.1 200 "), "{second}");
            let expected = if applied == 1 { repeated } else { Verdict::Applied };
            assert_eq!(front.log().last().unwrap().verdict, expected, "{name} {at:?}");
            let expected = if applied == 1 { times } else { 1 };
            assert_eq!(
                front.sandbox().ledger().applied(named(name), id),
                expected,
                "{name} {at:?}"
            );
        }
    }
}
