//! Paths with parameters: which request fills them with what, and what is refused.

use http::Method;
use imts_core::call::NotCallable;
use imts_core::endpoint::ServicePath;
use imts_core::operation::Json;
use imts_core::{Catalogue, Class, Evidence, Outcome, services};

use crate::support::{Desk, TIME, done, policy};

const PATH: &str = "/v5/payments/:payment_id/status";

/// An operation at this path.
fn catalogue(method: Method, class: Class) -> Catalogue {
    let mut catalogue = services::transfer::catalogue();
    let path = ServicePath::new(PATH).unwrap();
    catalogue.add("payment-status", class, path, Evidence::Published).unwrap();
    catalogue.set_method("payment-status", method).unwrap();
    catalogue
}

/// The path and the body of the request that this JSON makes.
fn sent(method: Method, name: &str, json: &str) -> Result<(String, String), NotCallable> {
    let mut desk = Desk::with(policy(), catalogue(method, Class::Read));
    let json = Json::parse(json).unwrap();
    let call = desk.session.call_named(name, &json, desk.now.mono.after(TIME))?;
    assert!(matches!(desk.drive(call, vec![done()]), Outcome::Done(_)));
    let request = desk.requests.pop().unwrap();
    let body = String::from_utf8(request.body().as_ref().to_vec()).unwrap();
    Ok((request.uri().path().to_owned(), body))
}

#[test]
fn a_field_of_the_request_fills_the_path_and_stays_in_the_body() {
    let json = r#"{"payment_id":"MSG-1_a","x":1}"#;
    let (path, body) = sent(Method::POST, "payment-status", json).unwrap();
    assert_eq!((path.as_str(), body.as_str()), ("/v5/payments/MSG-1_a/status", json));
    let (path, _) = sent(Method::POST, "payment-status", r#"{"payment_id":17}"#).unwrap();
    assert_eq!(path, "/v5/payments/17/status");
}

#[test]
fn a_safe_method_sends_no_body_because_the_fields_are_in_the_path() {
    let (path, body) = sent(Method::GET, "payment-status", r#"{"payment_id":"7"}"#).unwrap();
    assert_eq!((path.as_str(), body.as_str()), ("/v5/payments/7/status", ""));
}

#[test]
fn a_value_that_is_not_one_plain_segment_is_refused() {
    let long = format!(r#"{{"payment_id":"{}"}}"#, "7".repeat(65));
    for json in [
        "{}",
        r#"{"payment_id":""}"#,
        r#"{"payment_id":"a/b"}"#,
        r#"{"payment_id":".."}"#,
        r#"{"payment_id":"a%2fb"}"#,
        r#"{"payment_id":"a?b=c"}"#,
        r#"{"payment_id":":x"}"#,
        r#"{"payment_id":null}"#,
        r#"{"payment_id":"1","payment_id":"2"}"#,
        &long,
    ] {
        let error = sent(Method::POST, "payment-status", json).unwrap_err();
        let (name, field) = ("payment-status".to_owned(), "payment_id".to_owned());
        assert_eq!(error, NotCallable::PathField { name, field }, "{json}");
        assert!(error.to_string().contains("`payment_id`"));
    }
}

#[test]
fn another_name_for_a_place_that_a_parameter_reaches_has_no_lower_class() {
    let mut catalogue = catalogue(Method::POST, Class::Money);
    for path in ["/v5/payments/17/status", "/v5/payments/:other/status"] {
        let path = ServicePath::new(path).unwrap();
        catalogue.add("cheap", Class::Read, path.clone(), Evidence::Assumed).unwrap();
        let desk = Desk::with(policy(), catalogue.clone());
        let json = Json::parse(r#"{"other":"17"}"#).unwrap();
        let call = desk.session.call_named("cheap", &json, desk.now.mono.after(TIME));
        let Err(NotCallable::ClassLowered { has, claimed, .. }) = call else { panic!("{path}") };
        assert_eq!((has, claimed), (Class::Money, Class::Read));
    }
    let elsewhere = ServicePath::new("/v5/payments/17/state").unwrap();
    catalogue.add("cheap", Class::Read, elsewhere, Evidence::Assumed).unwrap();
    let desk = Desk::with(policy(), catalogue);
    let json = Json::parse("{}").unwrap();
    assert!(desk.session.call_named("cheap", &json, desk.now.mono.after(TIME)).is_ok());
}
