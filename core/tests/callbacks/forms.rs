//! The forms in which a callback comes: a query, urlencoded pairs, multipart, XML.

use http::{Method, Request};
use imts_core::callback::{Event, Incoming, ReceiveError, Verdict};
use imts_core::sign::pg_sig::{OwnUrl, PgReadError};

use crate::support::{
    KEY, PAYOUT_KEY, expected, form, payout_fields, receiver, result_fields, signature, signed,
};

fn at(url: OwnUrl, request: &Request<Vec<u8>>) -> Result<Event, ReceiveError> {
    receiver().receive(url, Incoming::of(request))
}

fn is_paid(request: &Request<Vec<u8>>) -> bool {
    match at(OwnUrl::Result, request) {
        Ok(Event::Result(result)) => matches!(result.verdict(&expected()), Verdict::Paid(_)),
        other => panic!("{other:?}"),
    }
}

fn get(query: &str) -> Request<Vec<u8>> {
    Request::get(format!("/pay/result?{query}")).body(Vec::new()).unwrap()
}

fn post(content_type: &str, body: impl Into<Vec<u8>>) -> Request<Vec<u8>> {
    Request::post("/pay/result").header("content-type", content_type).body(body.into()).unwrap()
}

fn xml() -> String {
    let fields = result_fields();
    let sig = signature("result", &fields, KEY);
    let tags = fields.into_iter().chain([("pg_sig", sig.as_str())]);
    let tags: String = tags.map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><request>{tags}</request>")
}

/// A multipart body of these fields.
fn multipart(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!(
            "--bound\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    (body + "--bound--\r\n").into_bytes()
}

const MULTIPART: &str = "multipart/form-data; boundary=bound";
const URLENCODED: &str = "application/x-www-form-urlencoded";

#[test]
fn a_result_comes_in_each_published_form() {
    let fields = result_fields();
    let body = signed("result", &fields, KEY);
    assert!(is_paid(&get(&body)));
    assert!(is_paid(&post(URLENCODED, body.clone())));
    assert!(is_paid(&post("Application/X-WWW-Form-Urlencoded; charset=UTF-8", body.clone())));
    assert!(is_paid(&Request::post("/").body(body.into_bytes()).unwrap()), "no content type");
    let sig = signature("result", &fields, KEY);
    let all = [fields, vec![("pg_sig", sig.as_str())]].concat();
    assert!(is_paid(&post(MULTIPART, multipart(&all))));
    assert!(is_paid(&post(
        "multipart/form-data; charset=utf-8; boundary=\"bound\"",
        multipart(&all)
    )));
    let xml = xml();
    assert!(is_paid(&post(URLENCODED, form(&[("pg_xml", &xml)]))));
    assert!(is_paid(&post(MULTIPART, multipart(&[("pg_xml", &xml)]))));
    assert!(is_paid(&get(&form(&[("pg_xml", &xml)]))));
}

#[test]
fn the_query_of_a_post_and_the_body_of_a_get_do_not_count() {
    let body = signed("result", &result_fields(), KEY);
    let mut request = post(URLENCODED, body.clone());
    *request.uri_mut() = "/pay/result?pg_amount=1&shop=1".parse().unwrap();
    assert!(is_paid(&request));
    let mut request = get(&body);
    *request.body_mut() = b"pg_amount=1".to_vec();
    assert!(is_paid(&request));
    let mut request = get("");
    *request.body_mut() = body.into_bytes();
    assert!(at(OwnUrl::Result, &request).is_err());
}

#[test]
fn other_methods_and_content_types_are_refused() {
    let body = signed("result", &result_fields(), KEY);
    for method in [Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let mut request = post(URLENCODED, body.clone());
        *request.method_mut() = method.clone();
        assert_eq!(at(OwnUrl::Result, &request).unwrap_err(), ReceiveError::Method, "{method}");
    }
    let payout = get(&signed("payout", &payout_fields(), PAYOUT_KEY));
    assert_eq!(at(OwnUrl::Payout, &payout).unwrap_err(), ReceiveError::Method);
    for kind in [
        "application/json",
        "text/xml",
        "",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"bound",
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary=\"a\u{7f}\"",
        "multipart/mixed; boundary=bound",
    ] {
        let request = post_raw(kind, body.as_bytes());
        assert_eq!(at(OwnUrl::Result, &request).unwrap_err(), ReceiveError::ContentType, "{kind}");
    }
    let mut twice = post(URLENCODED, body);
    twice.headers_mut().append("content-type", URLENCODED.parse().unwrap());
    assert_eq!(at(OwnUrl::Result, &twice).unwrap_err(), ReceiveError::ContentType);
}

fn post_raw(kind: &str, body: &[u8]) -> Request<Vec<u8>> {
    let mut request = Request::post("/pay/result").body(body.to_vec()).unwrap();
    let value = http::HeaderValue::from_bytes(kind.replace('\u{7f}', "\u{e9}").as_bytes()).unwrap();
    request.headers_mut().insert("content-type", value);
    request
}

#[test]
fn a_multipart_body_is_read_strictly() {
    let part = "--bound\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    let ok = |body: &str| at(OwnUrl::Result, &post(MULTIPART, body)).unwrap_err();
    let unsigned = ReceiveError::Verify(imts_core::sign::pg_sig::PgVerifyError::NoSignature);
    for body in [
        format!("{part}--bound--\r\n"),
        format!("{part}--bound--"),
        format!("\r\n{part}--bound--\r\n"),
        format!("{}--bound--", part.replace("Content-Disposition", "content-disposition")),
        format!("{}--bound--", part.replace("1\r\n", "\r\n")),
        format!("{}--bound--", part.replace("\r\n\r\n", "\r\nContent-Type: text/plain\r\n\r\n")),
        "--bound--".to_owned(),
    ] {
        assert_eq!(ok(&body), unsigned, "{body:?}");
    }
    for body in [
        String::new(),
        part.to_owned(),
        format!("{part}--bound"),
        format!("{part}--bound--x"),
        format!("x{part}--bound--"),
        part.replace("\r\n", "\n") + "--bound--",
        format!("{}--bound--", part.replace("name=\"a\"", "name=a")),
        format!("{}--bound--", part.replace("name=\"a\"", "name=\"a\\\"\"")),
        format!("{}--bound--", part.replace("name=\"a\"", "name=\"%22\"")),
        format!("{}--bound--", part.replace("form-data; name=\"a\"", "form-data")),
        format!("{}--bound--", part.replace("Content-Disposition: ", "X: ")),
        format!("{}--bound--", part.replace("Content-Disposition", "no colon")),
    ] {
        assert!(matches!(ok(&body), ReceiveError::Read(_)), "{body:?}");
    }
    for (change, what) in [
        ("name=\"a\"; filename=\"b\"", "a file"),
        ("name=\"a\"\r\nContent-Transfer-Encoding: base64", "a part with a transfer encoding"),
    ] {
        let body = format!("{}--bound--", part.replace("name=\"a\"", change));
        assert_eq!(ok(&body), PgReadError::Unsupported { what }.into());
    }
}

#[test]
fn a_message_is_bounded() {
    let long = |most: usize| format!("a={}", "x".repeat(most));
    let too_large = ReceiveError::Read(PgReadError::TooLarge);
    let refused = |request| at(OwnUrl::Result, &request).unwrap_err();
    assert_eq!(refused(post(URLENCODED, long(262_143))), too_large);
    assert_ne!(refused(post(URLENCODED, long(262_142))), too_large);
    assert_eq!(refused(post(MULTIPART, multipart(&[("a", &"x".repeat(262_144))]))), too_large);
    let many = vec![("a", "1"); 4_097];
    assert_eq!(refused(post(MULTIPART, multipart(&many))), too_large);
    let head = format!("--bound\r\nX: {}\r\n\r\n1\r\n--bound--", "x".repeat(1_024));
    assert_eq!(refused(post(MULTIPART, head)), too_large);
    let not_utf8 = ReceiveError::Read(PgReadError::Encoding);
    assert_eq!(refused(post(URLENCODED, "a=%ff")), not_utf8);
}
