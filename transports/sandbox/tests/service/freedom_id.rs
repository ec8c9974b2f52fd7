//! Freedom ID in the sandbox: as the pages print it, and where they say nothing, as its settings say.

mod openid;
mod profiles;
mod revocation;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request, Response};
use imts_sandbox::{DEFAULT_CLIENT, DEFAULT_CLIENT_SECRET, Sandbox, Time};
use serde_json::{Value, json};

use crate::{NOON, json_of, post};

pub(crate) const BACK: &str = "https://example.com/login";

pub(crate) fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("{DEFAULT_CLIENT}:{DEFAULT_CLIENT_SECRET}")))
}

pub(crate) fn request(
    method: Method,
    path: &str,
    authorization: &str,
    body: Option<&Value>,
) -> Request<Vec<u8>> {
    let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8080");
    let request = request.header("authorization", authorization);
    match body {
        None => request.body(Vec::new()).unwrap(),
        Some(body) => request
            .header("content-type", "application/json")
            .body(body.to_string().into_bytes())
            .unwrap(),
    }
}

/// A client of Freedom ID, and a user who does what the test says.
#[derive(Default)]
pub(crate) struct Partner {
    pub(crate) service: Sandbox,
}

impl Partner {
    pub(crate) fn send(&mut self, now: Time, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        self.service.handle(now, request)
    }

    pub(crate) fn link(&mut self, now: Time, grants: &[&str]) -> String {
        let body = json!({ "redirect_uri": BACK, "grants": grants });
        let request = request(Method::POST, "/api/v1/oauth/authorize", &basic(), Some(&body));
        let reply = json_of(&self.send(now, &request));
        reply["redirect_uri"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
    }

    pub(crate) fn page(&mut self, now: Time, url: &str) -> (u16, String) {
        let path = url.trim_start_matches("http://127.0.0.1:8080");
        let response = self.send(now, &Request::get(path).body(Vec::new()).unwrap());
        (response.status().as_u16(), String::from_utf8(response.body().clone()).unwrap())
    }

    /// Presses a button of the login page. Returns where the browser is sent.
    pub(crate) fn press(&mut self, now: Time, url: &str, button: &str) -> String {
        let (_, track) = url.split_once("track_id=").unwrap();
        let track = track.split('&').next().unwrap();
        let form = format!("track_id={track}&{button}").into_bytes();
        let response = self.send(now, &Request::post("/login").body(form).unwrap());
        assert_eq!(response.status(), 303);
        response.headers()["location"].to_str().unwrap().to_owned()
    }

    pub(crate) fn code(&mut self, now: Time, grants: &[&str]) -> String {
        let link = self.link(now, grants);
        let back = self.press(now, &link, "user=41790bb3-62ba-461f-9bed-e232e30ad377");
        back.strip_prefix("https://example.com/login?authorization_code=").unwrap().to_owned()
    }

    pub(crate) fn exchange(&mut self, now: Time, code: &str) -> Response<Vec<u8>> {
        let body = json!({ "authorization_code": code });
        self.send(now, &request(Method::POST, "/api/v1/oauth/token", &basic(), Some(&body)))
    }

    pub(crate) fn tokens(&mut self, now: Time, grants: &[&str]) -> Value {
        let code = self.code(now, grants);
        let response = self.exchange(now, &code);
        json_of(&response)
    }

    pub(crate) fn refresh(&mut self, now: Time, token: &Value) -> Response<Vec<u8>> {
        let bearer = format!("Bearer {}", token.as_str().unwrap());
        self.send(now, &request(Method::PATCH, "/api/v1/oauth/token", &bearer, None))
    }

    pub(crate) fn set(&mut self, change: &Value) {
        let change = json!({ "freedom_id": change });
        let response = self.send(NOON, &post("/_sandbox/settings", &change));
        assert_eq!(response.status(), 200, "{}", String::from_utf8_lossy(response.body()));
    }

    pub(crate) fn control(&mut self, path: &str) -> Value {
        json_of(&self.service.handle(NOON, &Request::get(path).body(Vec::new()).unwrap()))
    }

    pub(crate) fn mistakes(&mut self) -> Vec<String> {
        let findings = self.control("/_sandbox/findings");
        let all = findings["findings"].as_array().unwrap().iter();
        all.map(|finding| finding["mistake"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn bearer(tokens: &Value) -> String {
    format!("Bearer {}", tokens["access_token"].as_str().unwrap())
}
