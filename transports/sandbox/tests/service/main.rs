//! The service as a function: what it takes, what it answers, what it remembers.

mod control;
mod faults;
mod front;
mod rotation;
mod sign_in;
mod strictness;

use http::{Method, Request, Response};
use imts_sandbox::{
    DEFAULT_AGENT, DEFAULT_SECRET, ECHO_PATH, GET_TOKEN_PATH, REFRESH_PATH, Sandbox, Time,
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

/// A sandbox and what an agent does with it.
#[derive(Default)]
pub(crate) struct Agent {
    pub(crate) service: Sandbox,
}

impl Agent {
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
