//! Revocation: the user signs out, and the client gets a message.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use http::{Method, Request, Response};
use imts_sandbox::{Front, MessageState, Sandbox};
use serde_json::{Value, json};

use super::{Partner, bearer, request};
use crate::{NOON, at, json_of, post};

fn registered(url: &str) -> Partner {
    let mut partner = Partner::default();
    partner.set(&json!({ "clients": { "sandbox-client": { "revoke_uri": url } } }));
    partner
}

fn status(code: u16) -> Response<Vec<u8>> {
    Response::builder().status(code).body(Vec::new()).unwrap()
}

#[test]
fn signing_out_ends_the_tokens_and_names_the_newest_token_id() {
    let mut partner = registered("http://127.0.0.1:9/revoked");
    let first = partner.tokens(NOON, &["read.profile"]);
    let second = json_of(&partner.refresh(at(1), &first["refresh_token"]));
    let form = b"user=41790bb3-62ba-461f-9bed-e232e30ad377".to_vec();
    let _ = partner.send(at(2), &Request::post("/account").body(form).unwrap());
    let outgoing = partner.service.take_outgoing(at(2)).unwrap();
    assert_eq!(outgoing.request.uri(), "http://127.0.0.1:9/revoked");
    assert_eq!(outgoing.request.method(), Method::POST);
    let body: Value = serde_json::from_slice(outgoing.request.body()).unwrap();
    assert_eq!(body, json!({ "id": second["id"] }));
    assert!(partner.service.take_outgoing(at(2)).is_none());
    assert!(json_of(&partner.refresh(at(3), &second["refresh_token"])).get("error").is_some());
    let body = json!({ "request_id": "0195d0c4-0000-7000-8000-000000000001" });
    let asked = request(Method::POST, "/api/v1/oauth/get-profile", &bearer(&second), Some(&body));
    assert!(json_of(&partner.send(at(3), &asked)).get("error").is_some());
}

#[test]
fn a_revocation_is_repeated_as_asked_and_retried_for_two_hours() {
    let mut partner = registered("http://127.0.0.1:9/revoked");
    let _ = partner.tokens(NOON, &["read.email"]);
    let asked = post("/_sandbox/freedom-id/sign-out", &json!({ "times": 2 }));
    assert_eq!(json_of(&partner.send(NOON, &asked)), json!({ "ended": 1 }));
    let minutes = |minutes: i64| at(minutes * 60);
    let mut sent = Vec::new();
    for minute in 0..300 {
        while let Some(outgoing) = partner.service.take_outgoing(minutes(minute)) {
            sent.push(minute);
            let answer = if minute < 90 { None } else { Some(status(200)) };
            partner.service.on_answer(minutes(minute), outgoing.number, answer.as_ref());
        }
    }
    assert_eq!(sent, [0, 30, 60, 90, 90]);
    let mut partner = registered("http://127.0.0.1:9/revoked");
    let _ = partner.tokens(NOON, &["read.email"]);
    let _ = partner.send(NOON, &post("/_sandbox/freedom-id/sign-out", &json!({})));
    let mut sent = Vec::new();
    for minute in 0..300 {
        if let Some(outgoing) = partner.service.take_outgoing(minutes(minute)) {
            sent.push(minute);
            partner.service.on_answer(minutes(minute), outgoing.number, Some(&status(500)));
        }
    }
    assert_eq!(sent, [0, 30, 60, 90, 120]);
    assert_eq!(partner.service.messages().next().unwrap().state, MessageState::GivenUp);
}

#[test]
fn a_revocation_never_leaves_the_private_network() {
    let mut partner = Partner::default();
    for uri in ["http://203.0.113.7/r", "https://127.0.0.1/r", "http://api.freedompay.kz/r"] {
        let clients = json!({ "sandbox-client": { "revoke_uri": uri } });
        let change = post("/_sandbox/settings", &json!({ "freedom_id": { "clients": clients } }));
        assert_eq!(partner.send(NOON, &change).status(), 400, "{uri}");
        // By the settings, nobody checks it: it is then not sent.
        let settings = &mut partner.service.settings_mut().freedom_id;
        settings.clients.get_mut("sandbox-client").unwrap().revoke_uri = Some(uri.to_owned());
        let _ = partner.tokens(NOON, &["read.email"]);
        let _ = partner.send(NOON, &post("/_sandbox/freedom-id/sign-out", &json!({})));
        assert!(partner.service.take_outgoing(NOON).is_none(), "{uri}");
    }
}

#[test]
fn the_front_delivers_it_over_a_socket() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/revoked", receiver.local_addr().unwrap());
    let receiving = std::thread::spawn(move || {
        let (mut stream, _) = receiver.accept().unwrap();
        let (mut bytes, mut chunk) = (Vec::new(), [0; 1_024]);
        while !bytes.ends_with(b"\"}") {
            let read = stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the request ends early");
            bytes.extend_from_slice(&chunk[..read]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8(bytes).unwrap()
    });
    let front = Front::start(Sandbox::default()).unwrap();
    let id = {
        let mut partner = registered(&url);
        let tokens = partner.tokens(NOON, &["read.email"]);
        *front.sandbox() = partner.service;
        tokens["id"].as_str().unwrap().to_owned()
    };
    let _ = front.sandbox().handle(NOON, &post("/_sandbox/freedom-id/sign-out", &json!({})));
    // The thread of the front may have taken it already; then the call waits for its end.
    let _ = front.send_due();
    let received = receiving.join().unwrap();
    assert!(received.starts_with("POST /revoked HTTP/1.1\r\nhost: 127.0.0.1:"), "{received}");
    assert!(received.ends_with(&format!("{{\"id\":\"{id}\"}}")), "{received}");
    assert_eq!(front.sandbox().messages().next().unwrap().state, MessageState::Delivered);
}
