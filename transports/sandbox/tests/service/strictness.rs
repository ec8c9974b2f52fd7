//! What a strict server does not take.

use http::{Method, Request};
use imts_sandbox::{
    ECHO_PATH, ErrorShape, GET_TOKEN_PATH, Operation, Outage, REFRESH_PATH, RetryAfter, Sandbox,
    Verdict,
};
use serde_json::{Value, json};

use crate::{NOON, at, credentials, json_of, post};

fn status(request: &Request<Vec<u8>>) -> u16 {
    Sandbox::default().handle(NOON, request).status().as_u16()
}

#[test]
fn a_wrong_method_path_or_content_type_is_refused() {
    let mut get = post(GET_TOKEN_PATH, &credentials());
    *get.method_mut() = Method::GET;
    let response = Sandbox::default().handle(NOON, &get);
    assert_eq!(
        (response.status().as_u16(), &response.headers()["allow"]),
        (405, &"POST".parse().unwrap())
    );
    assert_eq!(status(&post("/v5/partner/transfer/agent/auth/", &credentials())), 404);
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        let mut request = post(GET_TOKEN_PATH, &credentials());
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        assert_eq!(status(&request), 415, "{content_type}");
    }
    let mut request = post(GET_TOKEN_PATH, &credentials());
    request
        .headers_mut()
        .insert("content-type", "Application/JSON; charset=utf-8".parse().unwrap());
    assert_eq!(status(&request), 200);
}

#[test]
fn a_body_that_is_not_exactly_as_printed_is_refused() {
    let bodies: [(Value, u16); 8] = [
        (json!([]), 400),
        (json!({ "agent_id": "sandbox-agent" }), 422),
        (json!({ "agent_id": 1, "agent_secret": "sandbox-secret" }), 422),
        (json!({ "agent_id": "sandbox-agent", "agent_secret": null }), 422),
        (json!({ "agent_id": "", "agent_secret": "sandbox-secret" }), 422),
        (json!({ "agent_id": "sandbox-agent", "agent_secret": "sandbox-secret", "x": 1 }), 422),
        (json!({ "agent_id": "sandbox-agent", "agent_secret": "wrong" }), 401),
        (json!({ "agent_id": "other", "agent_secret": "sandbox-secret" }), 401),
    ];
    for (body, expected) in bodies {
        assert_eq!(status(&post(GET_TOKEN_PATH, &body)), expected, "{body}");
    }
    let mut request = post(GET_TOKEN_PATH, &credentials());
    request.body_mut().push(b'}');
    assert_eq!(status(&request), 400);
}

#[test]
fn signing_in_and_refreshing_take_no_authorization_header() {
    for path in [GET_TOKEN_PATH, REFRESH_PATH] {
        let mut request = post(path, &credentials());
        request.headers_mut().insert("authorization", "Bearer x".parse().unwrap());
        assert_eq!(status(&request), 400, "{path}");
    }
}

#[test]
fn a_protected_operation_takes_one_bearer_in_its_exact_form() {
    for header in [None, Some("Basic x"), Some("bearer x"), Some("Bearer"), Some("Bearer a b")] {
        let mut request = post(ECHO_PATH, &json!({}));
        if let Some(header) = header {
            request.headers_mut().insert("authorization", header.parse().unwrap());
        }
        assert_eq!(status(&request), 401, "{header:?}");
    }
}

#[test]
fn an_outage_answers_everything_until_it_is_over() {
    let mut service = Sandbox::default();
    let mut outage = Outage::default();
    outage.until = Some(at(10));
    outage.retry_after = Some(RetryAfter::Seconds(7));
    service.settings_mut().outage = Some(outage);
    let response = service.handle(at(9), &post(GET_TOKEN_PATH, &credentials()));
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"7".parse().unwrap())
    );
    assert_eq!(service.handle(at(10), &post(GET_TOKEN_PATH, &credentials())).status(), 200);
}

#[test]
fn a_refusal_has_the_shape_that_is_asked_for_and_quotes_nothing_unasked() {
    let wrong = post(GET_TOKEN_PATH, &json!({ "agent_id": "a", "agent_secret": "hush-hush" }));
    for (shape, pointer) in [
        (ErrorShape::V5, "/error_description"),
        (ErrorShape::Nested, "/error/message"),
        (ErrorShape::Fields, "/error/errors/body/0"),
        (ErrorShape::State, "/message"),
    ] {
        let mut service = Sandbox::default();
        service.settings_mut().error_shape = shape;
        let body = json_of(&service.handle(NOON, &wrong));
        assert!(!body.to_string().contains("hush-hush"), "{body}");
        service.settings_mut().quote_secrets = true;
        let body = json_of(&service.handle(NOON, &wrong));
        assert!(body.pointer(pointer).unwrap().as_str().unwrap().contains("hush-hush"), "{body}");
    }
    let mut service = Sandbox::default();
    service.settings_mut().error_shape = ErrorShape::Bare;
    assert!(service.handle(NOON, &wrong).body().is_empty());
}

#[test]
fn the_log_has_every_request_and_no_secret() {
    let mut service = Sandbox::default();
    let _ = service.handle(NOON, &post(GET_TOKEN_PATH, &credentials()));
    let _ = service.handle(at(1), &post("/elsewhere", &json!({})));
    let entries: Vec<_> =
        service.log().iter().map(|e| (e.number, e.operation, e.status, e.verdict)).collect();
    assert_eq!(
        entries,
        [
            (1, Operation::GetToken, 200, Verdict::Granted),
            (2, Operation::Other, 404, Verdict::NoSuchPath),
        ]
    );
    assert!(!format!("{:?}", service.log()).contains("sandbox-secret"));
}
