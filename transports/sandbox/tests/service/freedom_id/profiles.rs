//! Profiles and users.

use http::Method;
use serde_json::{Value, json};

use super::{Partner, bearer, request};
use crate::{NOON, at, json_of};

const ID: &str = "0195d0c4-0000-7000-8000-000000000001";

fn ask(method: Method, path: &str, bearer: &str, body: &Value) -> http::Request<Vec<u8>> {
    request(method, path, bearer, Some(body))
}

#[test]
fn a_profile_is_pending_then_completed_then_gone() {
    let mut partner = Partner::default();
    let bearer = bearer(&partner.tokens(NOON, &["read.profile"]));
    let body = json!({ "request_id": ID });
    let asked = ask(Method::POST, "/api/v1/oauth/get-profile", &bearer, &body);
    let accepted = json_of(&partner.send(NOON, &asked));
    assert_eq!(accepted["status_message"], "PROCESS: profile is pending");
    assert_eq!(json_of(&partner.send(at(1), &asked)), accepted, "a repeat changes nothing");
    let status = ask(Method::GET, "/api/v1/oauth/get-profile/status", &bearer, &body);
    for (second, expected) in
        [(4, "pending"), (5, "completed"), (3_604, "completed"), (3_605, "not_found")]
    {
        let reply = json_of(&partner.send(at(second), &status));
        assert_eq!(reply["status"], expected, "{second}");
        let payload = reply["profile"]["payload"].as_str().map(str::len);
        assert_eq!(payload, (expected == "completed").then_some(96));
    }
    let reply = json_of(&partner.send(at(5), &status));
    assert_eq!(reply["datetime"], "2025-07-23T11:17:36.577745Z");
}

#[test]
fn a_status_request_whose_body_was_lost_lacks_a_field() {
    let mut partner = Partner::default();
    let bearer = bearer(&partner.tokens(NOON, &["read.profile"]));
    let bodiless = request(Method::GET, "/api/v1/oauth/get-profile/status", &bearer, None);
    let errors = json_of(&partner.send(NOON, &bodiless))["error"]["errors"].clone();
    assert_eq!(errors, json!({ "request_id": ["The Request id field is required."] }));
}

#[test]
fn a_profile_needs_its_grant_and_a_live_token() {
    let mut partner = Partner::default();
    let bearer = bearer(&partner.tokens(NOON, &["read.email"]));
    let asked =
        ask(Method::POST, "/api/v1/oauth/get-profile", &bearer, &json!({ "request_id": ID }));
    assert!(json_of(&partner.send(NOON, &asked)).get("error").is_some());
    let late = partner.send(at(7 * 86_400), &asked);
    assert!(json_of(&late).get("error").is_some());
    assert_eq!(partner.service.freedom_id_counters().expired_bearers, 1);
}

#[test]
fn users_are_created_and_changed_with_the_printed_fields() {
    let mut partner = Partner::default();
    let bearer = bearer(&partner.tokens(NOON, &["read.email"]));
    let path = "/api/v1/oauth/user";
    let printed = json!({
        "phone": "+1234567890", "email": "user@example.com", "firstname": "John", "lastname": "Doe",
        "date_of_birth": "2000-01-01", "identifier": "123456789", "country": "KAZ", "gender": "M",
        "nationality": "citizen of the world",
    });
    let taken = json_of(&partner.send(NOON, &ask(Method::POST, path, &bearer, &printed)));
    let errors = taken["error"]["errors"].as_object().unwrap();
    assert_eq!(
        errors.keys().collect::<Vec<_>>(),
        ["email", "phone"],
        "the sandbox's user has them"
    );
    let other = json!({ "phone": "+77010000000", "firstname": "Jane" });
    let created = json_of(&partner.send(NOON, &ask(Method::POST, path, &bearer, &other)));
    let id = created["freedom_id"].as_str().unwrap();
    let change = json!({ "freedom_id": id, "phone": "+77010000001", "firstname": "June" });
    let changed = json_of(&partner.send(NOON, &ask(Method::PUT, path, &bearer, &change)));
    assert_eq!(changed["freedom_id"], id);
    let users = partner.control("/_sandbox/freedom-id")["users"].clone();
    assert_eq!((&users[1]["id"], &users[1]["name"]), (&json!(id), &json!("June")));
    for (field, value) in [
        ("phone", json!("77010000000")),
        ("phone", json!("+123456789")),
        ("country", json!("kaz")),
        ("gender", json!("X")),
        ("date_of_birth", json!("01.01.2000")),
        ("date_of_birth", json!("2000-13-01")),
        ("email", json!("nobody")),
        ("shoes", json!("42")),
    ] {
        let mut body = json!({ "phone": "+77020000000" });
        body[field] = value.clone();
        let reply = json_of(&partner.send(NOON, &ask(Method::POST, path, &bearer, &body)));
        let errors = reply["error"]["errors"].as_object().unwrap_or_else(|| panic!("{body}"));
        assert_eq!(errors.keys().collect::<Vec<_>>(), [field], "{value}");
    }
}

#[test]
fn user_info_has_the_granted_fields_once_it_has_a_path() {
    let mut partner = Partner::default();
    let bearer = bearer(&partner.tokens(NOON, &["read.firstname", "read.phone"]));
    let asked = request(Method::GET, "/api/v1/oauth/user-info", &bearer, None);
    assert_eq!(partner.send(NOON, &asked).status(), 404);
    partner.set(&json!({ "user_info_path": "/api/v1/oauth/user-info" }));
    let reply = json_of(&partner.send(NOON, &asked));
    let id = "41790bb3-62ba-461f-9bed-e232e30ad377";
    assert_eq!(reply, json!({ "id": id, "firstname": "John", "phone": "+1234567890" }));
}
