//! Sign-in with Freedom ID: from the link to the revocation.

use serde_json::{Value, json};

use crate::driver::{Browser, Look};
use crate::http::send;
use crate::listener::Listener;
use crate::{Reply, control, sandbox, set};

/// Basic with the sandbox's client: `sandbox-client:sandbox-client-secret`.
const BASIC: &str = "Basic c2FuZGJveC1jbGllbnQ6c2FuZGJveC1jbGllbnQtc2VjcmV0";

fn ask(method: &str, url: &str, authorization: &str, body: Option<&Value>) -> Reply {
    send(method, url, &[("authorization", authorization)], body)
}

/// Asks for a link that leads back to this URL.
pub(crate) fn link(base: &str, back: &str) -> String {
    let body = json!({ "redirect_uri": back, "grants": ["read.email", "read.profile"] });
    let reply = ask("POST", &format!("{base}/api/v1/oauth/authorize"), BASIC, Some(&body)).json();
    reply["redirect_uri"].as_str().unwrap().to_owned()
}

#[test]
fn a_user_signs_in_is_read_and_signs_out() {
    let (browser, front) = (Browser::start(), sandbox());
    let back = Listener::welcoming();
    let revoked = Listener::start(|_| (200, String::new()));
    let client = json!({ "revoke_uri": revoked.url("/revoked") });
    set(
        &front,
        &json!({ "freedom_id": {
        "clients": { "sandbox-client": client }, "profile_pending_s": 0,
    } }),
    );
    let base = front.url();

    browser.look(Look::Desktop);
    browser.open(&link(&base, &back.url("/signed-in?state=7f3a")));
    browser.click("Sign in as John Doe");
    browser.wait_for("Welcome back");
    let came = back.next();
    let code = came.target.strip_prefix("/signed-in?state=7f3a&authorization_code=").unwrap();

    let token = format!("{base}/api/v1/oauth/token");
    let body = json!({ "authorization_code": code });
    let first = ask("POST", &token, BASIC, Some(&body)).json();
    let bearer =
        |tokens: &Value, field: &str| format!("Bearer {}", tokens[field].as_str().unwrap());
    let second = ask("PATCH", &token, &bearer(&first, "refresh_token"), None).json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);

    let access = bearer(&second, "access_token");
    let request = json!({ "request_id": "0195d0c4-0000-7000-8000-000000000001" });
    let profile = format!("{base}/api/v1/oauth/get-profile");
    let accepted = ask("POST", &profile, &access, Some(&request)).json();
    assert_eq!(accepted["status"], "accepted");
    let status = ask("GET", &format!("{profile}/status"), &access, Some(&request)).json();
    assert_eq!(status["status"], "completed");

    browser.open(&format!("{base}/account"));
    browser.picture("account");
    browser.click("Sign out John Doe");
    let came = revoked.next();
    assert_eq!((came.method.as_str(), came.target.as_str()), ("POST", "/revoked"));
    assert_eq!(came.body, json!({ "id": second["id"] }).to_string());
    let dead = ask("PATCH", &token, &bearer(&second, "refresh_token"), None).json();
    assert!(dead.get("error").is_some(), "a revoked session has ended");
    assert!(front.sandbox().findings().is_empty());
    assert!(revoked.is_empty() && back.is_empty());
}

#[test]
fn a_user_refuses_and_comes_back_with_the_printed_code() {
    let (browser, front, back) = (Browser::start(), sandbox(), Listener::welcoming());
    browser.open(&link(&front.url(), &back.url("/signed-in")));
    browser.click("Refuse");
    browser.wait_for("Welcome back");
    assert_eq!(back.next().target, "/signed-in?error_code=100102");
    assert_eq!(front.sandbox().freedom_id_counters().refusals, 1);
}

#[test]
fn a_user_needs_no_mouse() {
    const TAB: char = '\u{e004}';
    const ENTER: char = '\u{e007}';
    let (browser, front, back) = (Browser::start(), sandbox(), Listener::welcoming());
    browser.open(&link(&front.url(), &back.url("/signed-in")));
    browser.press(&[TAB]);
    assert_eq!(browser.script("return document.activeElement.innerText"), "Sign in as John Doe");
    browser.press(&[TAB]);
    assert_eq!(browser.script("return document.activeElement.innerText"), "Refuse");
    browser.press(&[ENTER]);
    browser.wait_for("Welcome back");
    assert_eq!(back.next().target, "/signed-in?error_code=100102");
}

#[test]
fn a_user_signs_in_by_openid() {
    let (browser, front, back) = (Browser::start(), sandbox(), Listener::welcoming());
    let redirect = back.url("/openid");
    browser.open(&format!(
        "{}/openid?scope=openid&state=s1&response_type=code&client_id=sandbox-client&nonce=n1\
         &redirect_uri={redirect}",
        front.url()
    ));
    browser.click("Sign in as John Doe");
    browser.wait_for("Welcome back");
    let target = back.next().target;
    let code = target.strip_prefix("/openid?code=").unwrap().strip_suffix("&state=s1").unwrap();
    let body = json!({
        "code": code, "redirect_uri": redirect, "grant_type": "authorization_code",
    });
    let reply = ask("POST", &format!("{}/api/v1/oidc/token", front.url()), BASIC, Some(&body));
    assert!(reply.json()["id_token"].is_string());
}

#[test]
fn a_link_that_was_used_says_what_to_do() {
    let (browser, front, back) = (Browser::start(), sandbox(), Listener::welcoming());
    let link = link(&front.url(), &back.url("/signed-in"));
    assert!(
        control(&front, "/freedom-id/sign-in", &json!({ "link": link }))["redirect_to"].is_string()
    );
    browser.open(&link);
    let text = browser.text();
    assert!(text.contains("This link does not work any more") && text.contains("Ask the service"));
}
