//! The service as a function: what it takes, what it answers, what it remembers.

mod callbacks;
mod calls;
mod catalogue;
mod control;
mod counts;
mod deliveries;
mod faults;
mod forms;
mod freedom_id;
mod front;
mod holes;
mod ledger;
mod limits;
mod rotation;
mod sign_in;
mod signed;
mod strictness;

use http::{Method, Request, Response};
use imts_sandbox::{
    DEFAULT_AGENT, DEFAULT_SECRET, ECHO_PATH, GET_TOKEN_PATH, REFRESH_PATH, Sandbox, Settings, Time,
};
use serde_json::{Value, json};

/// 2025-07-23T11:17:31.577745Z, the time of the published example.
pub(crate) const NOON: Time = Time::from_micros(1_753_269_451_577_745);

pub(crate) fn at(seconds: i64) -> Time {
    NOON.shifted(seconds * 1_000_000)
}

pub(crate) fn post(path: &str, body: &Value) -> Request<Vec<u8>> {
    let request = Request::builder().method(Method::POST).uri(path);
    let request = request.header("content-type", "application/json");
    request.body(body.to_string().into_bytes()).unwrap()
}

pub(crate) fn credentials() -> Value {
    json!({ "agent_id": DEFAULT_AGENT, "agent_secret": DEFAULT_SECRET })
}

pub(crate) fn json_of(response: &Response<Vec<u8>>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

/// Where the tests have put operations whose paths are unknown.
pub(crate) const CREATE_PATH: &str = "/v5/partner/transfer/test/create";
pub(crate) const CONFIRM_PATH: &str = "/v5/partner/transfer/test/confirm";
pub(crate) const STATUS_PATH: &str = "/v5/partner/transfer/test/status";

/// Settings with three more operations.
pub(crate) fn transfers() -> Settings {
    let mut settings = Settings::default();
    let operation = |name: &str, path: &str| format!("[operation.{name}]\npath = \"{path}\"\n");
    let file = [
        "version = 1\n".to_owned(),
        operation("create-transfer", CREATE_PATH),
        operation("confirm", CONFIRM_PATH),
        operation("status", STATUS_PATH),
    ];
    settings.add_service_file(&file.concat()).unwrap();
    settings
}

pub(crate) fn with_transfers() -> Agent {
    Agent::signed_in(transfers())
}

/// A sandbox and what an agent does with it.
#[derive(Default)]
pub(crate) struct Agent {
    pub(crate) service: Sandbox,
    bearer: String,
}

impl Agent {
    pub(crate) fn signed_in(settings: Settings) -> Self {
        let mut agent = Self { service: Sandbox::new(settings), bearer: String::new() };
        agent.bearer = format!("Bearer {}", agent.sign_in(NOON)["access_token"].as_str().unwrap());
        agent
    }

    /// A request with the bearer of the sign-in.
    pub(crate) fn request(&self, path: &str, body: &Value) -> Request<Vec<u8>> {
        let mut request = post(path, body);
        request.headers_mut().insert("authorization", self.bearer.parse().unwrap());
        request
    }

    pub(crate) fn call(&mut self, now: Time, path: &str, body: &Value) -> Response<Vec<u8>> {
        let request = self.request(path, body);
        self.service.handle(now, &request)
    }

    /// What the control interface answers.
    pub(crate) fn control(&mut self, path: &str) -> Value {
        let request = Request::get(path).body(Vec::new()).unwrap();
        json_of(&self.service.handle(NOON, &request))
    }

    pub(crate) fn sign_in(&mut self, now: Time) -> Value {
        let response = self.service.handle(now, &post(GET_TOKEN_PATH, &credentials()));
        assert_eq!(response.status(), 200);
        json_of(&response)["payload"].clone()
    }

    pub(crate) fn refresh(&mut self, now: Time, token: &Value) -> (u16, Value) {
        let request = post(REFRESH_PATH, &json!({ "refresh_token": token }));
        let response = self.service.handle(now, &request);
        (response.status().as_u16(), json_of(&response)["payload"].clone())
    }

    pub(crate) fn echo(&mut self, now: Time, token: &Value) -> u16 {
        let mut request = post(ECHO_PATH, &json!({ "n": 1 }));
        let value = format!("Bearer {}", token.as_str().unwrap()).parse().unwrap();
        request.headers_mut().insert("authorization", value);
        self.service.handle(now, &request).status().as_u16()
    }
}
