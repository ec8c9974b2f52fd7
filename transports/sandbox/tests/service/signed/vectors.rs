//! The vectors of the detached JWS, verified by the sandbox's own reading. Those of `pg_sig` are in a
//! unit test, because their scripts are not those of served paths.

use http::Request;
use imts_sandbox::{Merchant, Sandbox, Verdict};
use serde_json::Value;

use super::asked;
use crate::NOON;

const FILES: [&str; 2] = [
    include_str!("../../../../../core/tests/fixtures/jws.json"),
    include_str!("../../../../../core/tests/fixtures/jws-more.json"),
];

fn vectors() -> Vec<Value> {
    let files = FILES.map(|file| serde_json::from_str::<Value>(file).unwrap());
    files.iter().flat_map(|file| file["vectors"].as_array().unwrap().clone()).collect()
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap()
}

/// A service that knows the vector's key, and the vector's request.
fn scene(vector: &Value) -> (Sandbox, Request<Vec<u8>>) {
    let header: Value = serde_json::from_str(text(vector, "header")).unwrap();
    let id = header.get("auth_id").or(header.get("merchant_id")).unwrap();
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let mut service = Sandbox::default();
    let secret = text(vector, "key").to_owned();
    service.settings_mut().partners.insert(id.clone(), secret.clone());
    let merchant = Merchant::new(secret, "payouts");
    service.settings_mut().merchants.insert(id, merchant);
    let path = header["uri"].as_str().or(header["path"].as_str()).unwrap();
    let request = Request::builder()
        .method(header["method"].as_str().unwrap())
        .uri(path)
        .header("content-type", "application/json")
        .header("x-jws-signature", text(vector, "x_jws_signature"))
        .body(text(vector, "body").as_bytes().to_vec())
        .unwrap();
    (service, request)
}

#[test]
fn each_vector_verifies_if_the_algorithm_is_that_of_its_page() {
    let (mut good, mut wrong_algorithm, mut wrong_method) = (0, 0, 0);
    for vector in vectors() {
        let (mut service, request) = scene(&vector);
        let (verdict, response) = asked(&mut service, NOON, &request);
        let header: Value = serde_json::from_str(text(&vector, "header")).unwrap();
        let is_wallet = request.uri().path() == "/v5/partner/wallet/add";
        if request.method() == "GET" {
            assert_eq!(response.status(), 405, "{}", vector["id"]);
            wrong_method += 1;
        } else if header["alg"] != vector["alg"] || is_wallet && header["alg"] == "HS512" {
            assert_eq!(verdict, Verdict::BadSignature, "{}", vector["id"]);
            wrong_algorithm += 1;
        } else {
            assert_ne!(verdict, Verdict::BadSignature, "{}", vector["id"]);
            good += 1;
        }
    }
    assert_eq!((good, wrong_algorithm, wrong_method), (15, 5, 1));
}

#[test]
fn a_printed_signature_that_is_not_that_of_its_page_does_not_verify() {
    let mut seen = 0;
    for vector in vectors() {
        let Some(printed) = vector["printed_signature"].as_str() else { continue };
        if vector["origin"] == "published" {
            continue;
        }
        let (mut service, mut request) = scene(&vector);
        let (header, _) = text(&vector, "x_jws_signature").split_once("..").unwrap();
        let token = format!("{header}..{printed}").parse().unwrap();
        request.headers_mut().insert("x-jws-signature", token);
        assert_eq!(asked(&mut service, NOON, &request).0, Verdict::BadSignature);
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn each_vector_that_must_not_verify_is_refused() {
    let file: Value = serde_json::from_str(FILES[0]).unwrap();
    let base = |id: &str| vectors().into_iter().find(|vector| vector["id"] == id).unwrap();
    let mut seen = 0;
    for case in file["must_not_verify"].as_array().unwrap() {
        let fallback = match text(case, "id") {
            "neg-alg-none" => "empty-object-body",
            _ => "card-api-status-hs512",
        };
        let based_on = case["based_on"].as_str().unwrap_or(fallback);
        let (mut service, mut request) = scene(&base(based_on));
        match text(case, "id") {
            "neg-body-reserialised" => *request.body_mut() = text(case, "body").into(),
            // The path exists, so that its signature is looked at.
            "neg-uri" => *request.uri_mut() = "/v5/partner/wallet/block".parse().unwrap(),
            // A GET is refused before its signature is.
            "neg-method" => *request.method_mut() = http::Method::GET,
            "neg-standard-base64" => {
                let token = request.headers()["x-jws-signature"].to_str().unwrap();
                let token = token.replace('-', "+").replace('_', "/").parse().unwrap();
                request.headers_mut().insert("x-jws-signature", token);
            }
            _ => {
                let token = text(case, "x_jws_signature").parse().unwrap();
                request.headers_mut().insert("x-jws-signature", token);
            }
        }
        let (verdict, _) = asked(&mut service, NOON, &request);
        let expected = match text(case, "id") {
            "neg-method" => Verdict::BadRequest,
            _ => Verdict::BadSignature,
        };
        assert_eq!(verdict, expected, "{}", case["id"]);
        assert_eq!(service.ledger().intents().count(), 0);
        seen += 1;
    }
    assert_eq!(seen, 8);
}
