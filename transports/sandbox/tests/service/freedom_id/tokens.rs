//! Links, the login page, codes and both token exchanges.

use http::Method;
use serde_json::json;

use super::{BACK, Partner, basic, request};
use crate::{NOON, at, json_of};

#[test]
fn a_link_has_the_printed_form_and_leads_to_the_page() {
    let mut partner = Partner::default();
    let link = partner.link(NOON, &["read.email", "read.phone"]);
    let (_, query) = link.split_once("http://127.0.0.1:8080/login?track_id=").unwrap();
    let (track, expires) = query.split_once("&expire_at=").unwrap();
    assert_eq!((track.len(), expires), (36, "1753270051"));
    let (status, page) = partner.page(NOON, &link);
    assert_eq!(status, 200);
    for text in ["sandbox-client", "e-mail address", "Sign in as John Doe", "Refuse"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<script"));
}

#[test]
fn a_link_works_once_and_for_its_time() {
    let mut partner = Partner::default();
    let link = partner.link(NOON, &["read.email"]);
    assert_eq!(partner.page(at(599), &link).0, 200);
    assert_eq!(partner.page(at(600), &link).0, 410);
    assert!(partner.press(at(1), &link, "refuse=1").ends_with("/login?error_code=100102"));
    assert_eq!(partner.page(at(1), &link).0, 410);
    assert_eq!(partner.page(at(1), "/login?track_id=unknown").0, 404);
}

#[test]
fn a_page_runs_no_script_and_leads_only_back_to_the_client() {
    let mut partner = Partner::default();
    let link = partner.link(NOON, &["read.email"]);
    let path = link.trim_start_matches("http://127.0.0.1:8080");
    let page = partner.send(NOON, &http::Request::get(path).body(Vec::new()).unwrap());
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("form-action 'self' https://example.com;"), "{policy}");
    assert!(!policy.contains("unsafe"));
}

#[test]
fn what_a_client_sends_is_text_on_the_page_and_never_markup() {
    let mut partner = Partner::default();
    let change = json!({ "clients": { "<b>evil": { "secret": "s" } } });
    partner.set(&change);
    let authorization = {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("<b>evil:s"))
    };
    let body = json!({ "redirect_uri": BACK, "grants": ["read.email"] });
    let asked = request(Method::POST, "/api/v1/oauth/authorize", &authorization, Some(&body));
    let link = json_of(&partner.send(NOON, &asked))["redirect_uri"].as_str().unwrap().to_owned();
    let (_, page) = partner.page(NOON, &link);
    assert!(page.contains("&lt;b&gt;evil") && !page.contains("<b>evil"));
}

#[test]
fn a_code_brings_the_five_printed_fields() {
    let mut partner = Partner::default();
    let code = partner.code(NOON, &["read.email"]);
    let response = partner.exchange(NOON, &code);
    assert_eq!(response.headers()["x-sandbox-evidence"], "published");
    let tokens = json_of(&response);
    let fields: Vec<_> = tokens.as_object().unwrap().keys().map(String::as_str).collect();
    let printed = ["access_expire_at", "access_token", "id", "refresh_expire_at", "refresh_token"];
    assert_eq!(fields, printed);
    assert_eq!(tokens["access_expire_at"], "2025-07-30T11:17:31.000000Z");
    assert_eq!(tokens["refresh_expire_at"], "2025-08-20T11:17:31.000000Z");
    assert_eq!(tokens["access_token"].as_str().unwrap().len(), 128);
    assert_eq!(&tokens["id"].as_str().unwrap()[14..15], "7");
}

#[test]
fn a_code_works_once_and_its_reuse_is_recorded() {
    let mut partner = Partner::default();
    let code = partner.code(NOON, &["read.email"]);
    assert!(json_of(&partner.exchange(NOON, &code)).get("access_token").is_some());
    let again = partner.exchange(at(1), &code);
    let printed = json!({ "error": { "message": "Invalid authorization_code.", "code": 100101 } });
    assert_eq!((again.status().as_u16(), json_of(&again)), (200, printed.clone()));
    assert_eq!(partner.mistakes(), ["code_reused"]);
    assert_eq!(partner.service.freedom_id_counters().code_reuse, 1);
    let late = partner.code(NOON, &["read.email"]);
    assert_eq!(json_of(&partner.exchange(at(600), &late)), printed);
    assert_eq!(partner.mistakes().len(), 1, "a late code is not a reused one");
}

#[test]
fn errors_have_the_printed_shapes_and_the_status_that_is_set() {
    let mut partner = Partner::default();
    let link = |body| request(Method::POST, "/api/v1/oauth/authorize", &basic(), Some(&body));
    let grants = ["read.email", "read.phone", "openid", "read.shoes"];
    for (body, errors) in [
        (json!({ "redirect_uri": BACK }), json!({ "grants": ["The Grants field is required."] })),
        (
            json!({ "redirect_uri": BACK, "grants": grants }),
            json!({ "grants.3": ["The selected grants.3 is invalid."] }),
        ),
    ] {
        let reply = json_of(&partner.send(NOON, &link(body)));
        let message = "Error validating transmitted data.";
        assert_eq!(reply, json!({ "error": { "message": message, "errors": errors } }));
    }
    partner.set(&json!({ "error_status": "client_error" }));
    assert_eq!(partner.send(NOON, &link(json!({ "redirect_uri": BACK }))).status(), 422);
    assert_eq!(partner.exchange(NOON, "unknown").status(), 400);
    // An unknown client, and a known one with the secret `wrong`.
    for credentials in ["eDp5", "c2FuZGJveC1jbGllbnQ6d3Jvbmc="] {
        let basic = format!("Basic {credentials}");
        let wrong = request(Method::POST, "/api/v1/oauth/authorize", &basic, Some(&json!({})));
        assert_eq!(partner.send(NOON, &wrong).status(), 401, "{credentials}");
    }
}

#[test]
fn a_refresh_rotates_and_a_reuse_ends_the_session() {
    let mut partner = Partner::default();
    let first = partner.tokens(NOON, &["read.email"]);
    let second = json_of(&partner.refresh(at(60), &first["refresh_token"]));
    for field in ["id", "access_token", "refresh_token"] {
        assert_ne!(first[field], second[field], "{field}");
    }
    assert!(json_of(&partner.refresh(at(61), &first["refresh_token"])).get("error").is_some());
    assert_eq!(partner.mistakes(), ["refresh_token_reused"]);
    assert!(json_of(&partner.refresh(at(62), &second["refresh_token"])).get("error").is_some());
    assert_eq!(partner.mistakes().len(), 1, "the second token was not reused");
}

#[test]
fn what_a_reuse_does_and_which_id_comes_are_settings() {
    let mut partner = Partner::default();
    partner.set(&json!({ "rotation": { "grace_seconds": 10 }, "token_ids": "kept" }));
    let first = partner.tokens(NOON, &["read.email"]);
    let second = json_of(&partner.refresh(at(60), &first["refresh_token"]));
    assert_eq!(first["id"], second["id"]);
    assert_eq!(json_of(&partner.refresh(at(69), &first["refresh_token"])), second);
    assert!(json_of(&partner.refresh(at(70), &first["refresh_token"])).get("error").is_some());
    assert!(json_of(&partner.refresh(at(71), &second["refresh_token"])).get("id").is_some());
    assert_eq!(partner.mistakes().len(), 2);
    partner.set(&json!({ "token_ids": "absent" }));
    assert!(partner.tokens(NOON, &["read.email"]).get("id").is_none());
}

#[test]
fn tokens_end_by_the_sandboxs_clock() {
    let mut partner = Partner::default();
    let tokens = partner.tokens(NOON, &["read.email"]);
    let days = |days: i64| at(days * 86_400);
    assert!(json_of(&partner.refresh(days(28), &tokens["refresh_token"])).get("error").is_some());
    assert!(json_of(&partner.refresh(days(27), &tokens["refresh_token"])).get("id").is_some());
}

#[test]
fn a_refresh_with_a_body_or_with_basic_is_refused() {
    let mut partner = Partner::default();
    let tokens = partner.tokens(NOON, &["read.email"]);
    let refresh = format!("Bearer {}", tokens["refresh_token"].as_str().unwrap());
    for (authorization, body) in [(basic(), None), (refresh, Some(json!({})))] {
        let request = request(Method::PATCH, "/api/v1/oauth/token", &authorization, body.as_ref());
        assert!(json_of(&partner.send(NOON, &request)).get("error").is_some());
    }
    assert!(json_of(&partner.refresh(NOON, &tokens["refresh_token"])).get("id").is_some());
}

#[test]
fn no_secret_and_no_token_is_in_the_log_or_in_the_control_interface() {
    let mut partner = Partner::default();
    let tokens = partner.tokens(NOON, &["read.email"]);
    let _ = partner.refresh(at(1), &tokens["refresh_token"]);
    let _ = partner.refresh(at(2), &tokens["refresh_token"]);
    let paths = ["", "/log", "/findings", "/messages", "/freedom-id"];
    let shown: String =
        paths.map(|path| partner.control(&format!("/_sandbox{path}")).to_string()).concat();
    let logged = format!("{shown}{:?}", partner.service.log());
    for field in ["id", "access_token", "refresh_token"] {
        assert!(!logged.contains(tokens[field].as_str().unwrap()), "{field}");
    }
    assert!(!logged.contains("client-secret"));
}
