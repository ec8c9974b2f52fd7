//! OIDC: the authorization endpoint and the token exchange.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Request};
use serde_json::{Value, json};

use super::{Partner, basic, request};
use crate::{NOON, json_of};

const QUERY: &str = "scope=openid%20read.email&state=s%261&response_type=code&client_id=sandbox-client&redirect_uri=https://example.com/login&nonce=n1";

fn begin(partner: &mut Partner, query: &str) -> http::Response<Vec<u8>> {
    let request = Request::get(format!("/openid?{query}")).body(Vec::new()).unwrap();
    partner.send(NOON, &request)
}

fn code(partner: &mut Partner) -> String {
    let response = begin(partner, QUERY);
    assert_eq!(response.status(), 303);
    let link = response.headers()["location"].to_str().unwrap().to_owned();
    let back = partner.press(NOON, &link, "user=41790bb3-62ba-461f-9bed-e232e30ad377");
    let (_, code) = back.split_once("https://example.com/login?code=").unwrap();
    code.strip_suffix("&state=s%261").unwrap().to_owned()
}

fn exchange(partner: &mut Partner, code: &str, redirect_uri: &str) -> Value {
    let body =
        json!({ "code": code, "redirect_uri": redirect_uri, "grant_type": "authorization_code" });
    let request = request(Method::POST, "/api/v1/oidc/token", &basic(), Some(&body));
    json_of(&partner.send(NOON, &request))
}

fn claims(token: &str) -> (Value, Value, String) {
    let parts: Vec<_> = token.split('.').collect();
    let read = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (read(parts[0]), read(parts[1]), parts[2].to_owned())
}

#[test]
fn a_code_brings_tokens_and_a_sample_of_an_id_token() {
    let mut partner = Partner::default();
    let code = code(&mut partner);
    let reply = exchange(&mut partner, &code, "https://example.com/login");
    assert_eq!((&reply["expires_in"], &reply["token_type"]), (&json!(604_800), &json!("Bearer")));
    let (head, claims, signature) = claims(reply["id_token"].as_str().unwrap());
    assert_eq!((&head["alg"], signature.len()), (&json!("HS256"), 43));
    assert_eq!((&claims["nonce"], &claims["aud"]), (&json!("n1"), &json!("sandbox-client")));
    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lifetime, 604_800);
    let refreshed = json_of(&partner.refresh(NOON, &reply["refresh_token"]));
    assert!(refreshed.get("error").is_some(), "a refresh in OIDC is unknown");
    assert!(exchange(&mut partner, &code, "https://example.com/login").get("error").is_some());
    assert_eq!(partner.mistakes(), ["code_reused"]);
}

#[test]
fn an_unsigned_id_token_is_a_setting() {
    let mut partner = Partner::default();
    partner.set(&json!({ "id_tokens": "unsigned" }));
    let code = code(&mut partner);
    let reply = exchange(&mut partner, &code, "https://example.com/login");
    let (head, _, signature) = claims(reply["id_token"].as_str().unwrap());
    assert_eq!((&head["alg"], signature.as_str()), (&json!("none"), ""));
}

#[test]
fn a_code_is_for_its_redirect_uri_and_its_own_exchange() {
    let mut partner = Partner::default();
    let first = code(&mut partner);
    assert!(exchange(&mut partner, &first, "https://example.com/other").get("error").is_some());
    let second = code(&mut partner);
    assert!(json_of(&partner.exchange(NOON, &second)).get("error").is_some());
    let third = partner.code(NOON, &["openid"]);
    assert!(exchange(&mut partner, &third, "https://example.com/login").get("error").is_some());
}

#[test]
fn each_of_the_six_fields_is_required_and_the_user_is_told() {
    for field in ["scope", "state", "response_type", "client_id", "redirect_uri", "nonce"] {
        let fields: Vec<_> =
            QUERY.split('&').filter(|pair| !pair.starts_with(&format!("{field}="))).collect();
        let response = begin(&mut Partner::default(), &fields.join("&"));
        assert_eq!(response.status(), 400, "{field}");
        let page = String::from_utf8(response.into_body()).unwrap();
        assert!(page.contains(&format!("{field} is missing.")), "{page}");
    }
    let wrong = QUERY.replace("scope=openid%20", "scope=");
    assert_eq!(begin(&mut Partner::default(), &wrong).status(), 400);
}

#[test]
fn a_user_who_refuses_comes_back_with_the_state() {
    let mut partner = Partner::default();
    let response = begin(&mut partner, QUERY);
    let link = response.headers()["location"].to_str().unwrap().to_owned();
    let back = partner.press(NOON, &link, "refuse=1");
    assert_eq!(back, "https://example.com/login?error=access_denied&state=s%261");
}
